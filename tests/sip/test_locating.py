"""Finding SIP hosts: the decision as tables, the lot of SRV weights, and a name server that answers or is dead."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.sip.flow import Transport
from rostra.sip.locating import MOST, Naptr, Place, Srv, Unreachable, Wanted, by_weight, places
from rostra.sip.resolving import DnsResolver
from tests.sip.dns_server import NameServer

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
ALL = frozenset(Transport)


class Table:
    """A resolver that knows a few names; `dead` ones cannot be looked up."""

    def __init__(self, **known: object) -> None:
        self.naptrs: dict[str, Sequence[Naptr]] = {}
        self.srvs: dict[str, Sequence[Srv]] = {}
        self.hosts: dict[str, Sequence[str]] = {}
        self.dead: set[str] = set()
        self.__dict__.update(known)

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return self._known(self.naptrs, name)

    async def srv(self, name: str) -> Sequence[Srv]:
        return self._known(self.srvs, name)

    async def addresses(self, host: str) -> Sequence[str]:
        return self._known(self.hosts, host)

    def _known(self, table: dict[str, Sequence], name: str) -> Sequence:  # type: ignore[type-arg]
        if name in self.dead:
            raise Unreachable(name)
        return table.get(name, ())


HOSTS = {"example.org": ["192.0.2.1"], "a.example.org": ["192.0.2.2", "2001:db8::2"], "b.example.org": ["192.0.2.3"]}
SRVS = {
    "_sips._tcp.example.org": [Srv(1, 0, 5061, "a.example.org")],
    "_sip._tcp.example.org": [Srv(1, 0, 5060, "b.example.org")],
    "_sip._udp.example.org": [Srv(1, 0, 5070, "b.example.org")],
    "_sip._udp.other.example": [Srv(1, 0, 5099, "192.0.2.9")],
}
NAPTRS = {
    "example.org": [
        Naptr(20, 1, "s", "SIPS+D2T", "_sips._tcp.example.org"),
        Naptr(10, 9, "s", "sip+d2t", "_sip._tcp.example.org"),
        Naptr(10, 2, "S", "SIP+D2U", "_sip._udp.other.example"),
        Naptr(1, 1, "u", "E2U+sip", "ignored.example"),
        Naptr(1, 1, "s", "SIP+D2S", "ignored.example"),
    ]
}


@pytest.mark.spec("REF-104")
@pytest.mark.parametrize(
    ("wanted", "table", "usable", "expected"),
    [
        (Wanted("192.0.2.7"), Table(), ALL, ["UDP 192.0.2.7:5060"]),
        (Wanted("2001:db8::7", secure=True), Table(), ALL, ["TLS 2001:db8::7:5061"]),
        (Wanted("192.0.2.7", 5099, TCP), Table(), ALL, ["TCP 192.0.2.7:5099"]),
        (Wanted("example.org", 5099), Table(hosts=HOSTS, srvs=SRVS, naptrs=NAPTRS), ALL, ["UDP 192.0.2.1:5099"]),
        (Wanted("example.org", 5099, secure=True), Table(hosts=HOSTS, srvs=SRVS), ALL, ["TLS 192.0.2.1:5099"]),
        (Wanted("example.org", None, TCP), Table(hosts=HOSTS, srvs=SRVS, naptrs=NAPTRS), ALL, ["TCP 192.0.2.3:5060"]),
        (Wanted("example.org", None, TCP), Table(hosts=HOSTS), ALL, ["TCP 192.0.2.1:5060"]),
        (
            Wanted("example.org"), Table(hosts=HOSTS, srvs=SRVS, naptrs=NAPTRS), ALL,
            ["UDP 192.0.2.9:5099", "TCP 192.0.2.3:5060", "TLS 192.0.2.2:5061", "TLS 2001:db8::2:5061"],
        ),
        (
            Wanted("example.org", secure=True), Table(hosts=HOSTS, srvs=SRVS, naptrs=NAPTRS), ALL,
            ["TLS 192.0.2.2:5061", "TLS 2001:db8::2:5061"],
        ),
        (
            Wanted("example.org"), Table(hosts=HOSTS, srvs=SRVS), ALL,
            ["TLS 192.0.2.2:5061", "TLS 2001:db8::2:5061", "TCP 192.0.2.3:5060", "UDP 192.0.2.3:5070"],
        ),
        (Wanted("example.org"), Table(hosts=HOSTS, srvs=SRVS), {UDP}, ["UDP 192.0.2.3:5070"]),
        (Wanted("example.org."), Table(hosts=HOSTS), ALL, ["UDP 192.0.2.1:5060"]),
        (
            Wanted("example.org"), Table(hosts=HOSTS, srvs=SRVS, dead={"example.org", "a.example.org"}), ALL,
            ["TCP 192.0.2.3:5060", "UDP 192.0.2.3:5070"],
        ),
    ],
)  # fmt: skip
async def test_where_a_host_is_reached(
    wanted: Wanted, table: Table, usable: set[Transport], expected: list[str]
) -> None:
    found = [place async for place in places(wanted, table, usable, lambda most: 0)]
    assert [f"{place.transport} {place.address}:{place.port}" for place in found] == expected
    assert {place.name for place in found} == {wanted.host.rstrip(".")}


@pytest.mark.parametrize(
    "table",
    [Table(), Table(dead={"example.org"}), Table(hosts=HOSTS, srvs={"_sip._tcp.example.org": [Srv(0, 0, 0, ".")]})],
)
async def test_hosts_that_are_nowhere(table: Table) -> None:
    with pytest.raises(Unreachable):
        [_ async for _ in places(Wanted("example.org"), table, ALL, lambda most: 0)]


async def test_a_zone_without_end_does_not_keep_us_busy() -> None:
    table = Table(srvs={"_sip._udp.example.org": [Srv(n, 0, 5060, "192.0.2.1") for n in range(1000)]})
    assert len([_ async for _ in places(Wanted("example.org"), table, ALL, lambda most: 0)]) == MOST


RECORDS = st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 100), st.integers(1, 9), st.just("a")), max_size=12)


@given(RECORDS, st.integers())
@pytest.mark.spec("REF-101")
def test_every_record_has_its_turn_by_priority(records: list[Srv], seed: int) -> None:
    chosen = random.Random(seed)
    found = by_weight(records, lambda most: chosen.randint(0, most))
    assert Counter(found) == Counter(records)
    assert [record.priority for record in found] == sorted(record.priority for record in records)


@pytest.mark.spec("REF-101")
def test_weights_share_the_first_place() -> None:
    chosen = random.Random(1)
    records = [Srv(1, weight, 5060, f"host{weight}") for weight in (0, 10, 30, 60)]
    first = Counter(by_weight(records, lambda most: chosen.randint(0, most))[0].weight for _ in range(10_000))
    assert all(abs(first[weight] / 10_000 - weight / 100) < 0.02 for weight in (0, 10, 30, 60))
    assert first[0]


# ---- DNS


def resolver(server: NameServer, hosts: Path) -> DnsResolver:
    return DnsResolver(["127.0.0.1"], port=server.port, hosts=hosts)


ZONE: dict[tuple[str, str], Sequence[str] | None] = {
    ("example.org", "NAPTR"): ['50 10 "s" "SIP+D2U" "" _sip._udp.example.org.'],
    ("_sip._udp.example.org", "SRV"): ["10 60 5062 a.example.org."],
    ("a.example.org", "A"): ["192.0.2.2"],
    ("a.example.org", "AAAA"): ["2001:db8::2"],
    ("silent.example.org", "A"): None,
    ("silent.example.org", "AAAA"): None,
    ("none.example.org", "SRV"): ["0 0 0 ."],
    ("odd.example.org", "NAPTR"): [
        r'1 1 "\255" "\254SIP" "" a\000b.example.org.',
        '1 1 "s" "SIP+D2U" "!^.*$!sip:x@y!" .',
    ],
}


async def test_over_the_wire_and_kept_as_long_as_it_says(tmp_path: Path) -> None:
    async with NameServer(ZONE) as server:
        looking = resolver(server, tmp_path / "hosts")
        for _ in range(2):
            found = [place async for place in places(Wanted("example.org"), looking, ALL, lambda most: 0)]
        assert found == [
            Place(UDP, "192.0.2.2", 5062, "example.org"),
            Place(UDP, "2001:db8::2", 5062, "example.org"),
        ]
        assert set(server.asked.values()) == {1}
        assert await looking.srv("none.example.org") == [Srv(0, 0, 0, ".")]
        assert [record.service for record in await looking.naptr("odd.example.org")] == ["\ufffdSIP"]
        assert await looking.addresses("missing.example.org") == []
        assert await looking.srv("a" * 64 + ".example.org") == []
        server.ttl = 0
        server.zone["fleeting.example.org", "A"] = ["192.0.2.8"]
        for _ in range(2):
            assert await looking.addresses("fleeting.example.org") == ["192.0.2.8"]
        assert server.asked["fleeting.example.org", "A"] == 2


async def test_a_server_that_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.sip.resolving.LIFETIME", 0.3)
    async with NameServer(ZONE) as server:
        with pytest.raises(Unreachable):
            await resolver(server, tmp_path / "hosts").addresses("silent.example.org")


async def test_names_of_the_machine_need_no_server(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# ours\n2001:db8::5 proxy\n192.0.2.5\tproxy.test Proxy # the proxy\nbad proxy\n")
    async with NameServer({}) as server:
        looking = resolver(server, hosts)
        assert await looking.addresses("PROXY") == ["192.0.2.5", "2001:db8::5"]
        assert await looking.addresses("localhost") == ["127.0.0.1", "::1"]
        assert not server.asked
