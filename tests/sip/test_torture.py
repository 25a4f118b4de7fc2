"""RFC 4475 and 5118: every message, its outcome, and the page that says so."""

from __future__ import annotations

import pytest

from rostra.sdp.reading import read
from rostra.sdp.session import parse
from rostra.sip.errors import RemoteError
from rostra.sip.message import Request, parse_message, parse_via
from tests.sip.torture.table import FILE, IPV6, VECTORS, outcome, page
from tests.sip.torture.valid import ESC01, INTMETH, LONGREQ, SEMIURI, UNREASON, WSINV
from tests.sip.torture.vector import Vector


def test_all_messages_of_the_rfc_are_there() -> None:
    assert len({vector.name for vector in VECTORS}) == 49
    assert len({vector.name for vector in IPV6}) == 11


@pytest.mark.parametrize("vector", [*VECTORS, *IPV6], ids=lambda v: v.name)
def test_parser(vector: Vector) -> None:
    if vector.readable:
        parse_message(vector.data)
    else:
        with pytest.raises(RemoteError):
            parse_message(vector.data)


@pytest.mark.parametrize("vector", [*VECTORS, *IPV6], ids=lambda v: v.name)
def test_outcome(vector: Vector) -> None:
    assert outcome(vector.data) == vector.outcome


def test_the_page_says_what_is_so() -> None:
    assert FILE.read_text() == page(), "run python -m tests.sip.torture.table"


def test_what_is_read_is_right() -> None:
    wsinv = parse_message(WSINV)
    assert isinstance(wsinv, Request)
    assert wsinv.cseq == (9, "INVITE")
    assert wsinv.from_.display_name == 'J Rosenberg \\"'
    assert (wsinv.from_.tag, wsinv.to.tag) == ("98asjd8", "1918181833n")
    assert len(wsinv.headers.items("Via")) == 3
    assert wsinv.headers.get("Newfangledheader") == "newfangled value continued newfangled value"
    assert str(wsinv.contact) == "sip:jdrosen@example.com"
    esc01 = parse_message(ESC01)
    assert isinstance(esc01, Request)
    assert esc01.target.decoded_user == "sips:user@example.com"
    assert esc01.to.uri.decoded_user == "user"
    assert parse_message(INTMETH).to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert len(parse_message(LONGREQ).headers.items("Via")) == 18
    semiuri = parse_message(SEMIURI)
    assert isinstance(semiuri, Request)
    assert (semiuri.target.user, semiuri.target.host) == ("user;par=u%40example.net", "example.com")
    assert parse_message(UNREASON).call_id == "unreason.1234ksdfak3j2erwedfsASdf"


@pytest.mark.parametrize("vector", [v for v in (*VECTORS, *IPV6) if v.readable], ids=lambda v: v.name)
def test_what_is_written_is_read_again(vector: Vector) -> None:
    once = parse_message(vector.data)
    again = parse_message(once.encode())
    assert list(once.headers.items("Via")) == list(again.headers.items("Via"))
    assert (once.cseq, once.from_, once.to, once.body) == (again.cseq, again.from_, again.to, again.body)


def test_ipv6_is_read_right() -> None:
    found = {vector.name: parse_message(vector.data) for vector in IPV6 if vector.readable}
    ambiguous, plain = found["port-ambiguous"], found["port-unambiguous"]
    assert isinstance(ambiguous, Request)
    assert isinstance(plain, Request)
    assert (ambiguous.target.bare_host, ambiguous.target.port) == ("2001:db8::10:5070", None)
    assert (plain.target.bare_host, plain.target.port) == ("2001:db8::10", 5070)
    for name, received in (("with", "[2001:db8::9:255]"), ("no", "2001:db8::9:255")):
        via = found[f"via-received-param-{name}-delim"].via
        assert (via.host, via.parameter("received")) == ("[2001:db8::9:1]", received)
    assert [parse_via(v).host for v in found["mult-ip-in-header"].headers.items("Via")] == [
        "[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"
    ]  # fmt: skip
    assert found["ipv4-mapped-ipv6"].via.port == 19823
    streams = read(parse(found["mult-ip-in-sdp"].body)).streams
    assert [stream.address for stream in streams] == ["192.0.2.1", "2001:db8::1"]
