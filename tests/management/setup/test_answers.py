"""What an installation may be answered."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from rostra.management.setup import clocks
from rostra.management.setup.answers import Answers, Invalid, checked, merged, read, understand


def test_a_file_in_yaml_or_json() -> None:
    wanted = Answers(
        hostname="mgr", dns_servers=["9.9.9.9", "::1"], ntp_servers=["ntp.example"], usage_statistics=False
    )
    assert (
        read(b"hostname: mgr\ndns_servers: 9.9.9.9 ::1\nntp_servers: [ntp.example]\nusage_statistics: no\n") == wanted
    )
    assert (
        read(
            b'{"hostname": "mgr", "dns_servers": ["9.9.9.9", "::1"], "ntp_servers": "ntp.example",'
            b' "usage_statistics": "no"}'
        )
        == wanted
    )


@pytest.mark.parametrize(
    "content",
    [
        b"- a",
        b"hostnam: mgr",
        b"hostname: [a]",
        b"{",
        b"a: b: c",
        b"\xff",
        b"dns_servers: 3",
        b"!!python/object:os.x {}",
    ],
)
def test_a_file_that_cannot_be_used(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


@pytest.mark.spec("CLOUD-032")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", "10.0.0"),
        ("netmask", "255.0.255.0"),
        ("gateway", "::1"),
        ("hostname", "two.parts"),
        ("domain", "no spaces please"),
        ("dns_servers", []),
        ("dns_servers", ["dns.example"]),
        ("ntp_servers", ["10.0.0"]),
        ("username", "a b"),
        ("password", "\x16pasted"),
    ],
)
def test_answers_that_do_not_pass(name: str, value: object) -> None:
    with pytest.raises(Invalid) as problem:
        checked(Answers(**{name: value}))
    assert list(problem.value.problems) == [name]


def test_typed_answers() -> None:
    assert understand("dns_servers", " 9.9.9.9, 1.1.1.1 ") == ["9.9.9.9", "1.1.1.1"]
    assert understand("incident_reporting", "Yes") is True
    assert understand("password", " spaces stay ") == " spaces stay "
    with pytest.raises(ValueError, match="yes or no"):
        understand("usage_statistics", "perhaps")


def test_later_sources_win() -> None:
    found = merged(Answers(hostname="a", domain="x.test"), Answers(hostname="b"), Answers(incident_reporting=False))
    assert found.given == {"hostname": "b", "domain": "x.test", "incident_reporting": False}


@pytest.fixture
def clock() -> Iterator[int]:
    """A time server ten seconds ahead; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            _, asker = server.recvfrom(100)
            seconds = int(time.time()) + 10 + 2_208_988_800
            server.sendto(b"\x24\x02" + bytes(38) + struct.pack(">II", seconds, 1 << 31), asker)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.spec("NODE-120", "CLOUD-029")
def test_time_servers_are_asked(clock: int) -> None:
    found = clocks.first_that_answers(["no.such.host.invalid", "127.0.0.1"], port=clock)
    assert found is not None
    assert found[0] == "127.0.0.1"
    assert found[1] == pytest.approx(10, abs=1)
    assert clocks.first_that_answers(["127.0.0.1"], port=1, patience=0.05) is None
