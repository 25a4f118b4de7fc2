"""Floor control of calls as it is on the wire: a scripted system with two video streams, over UDP and over TCP."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rostra.bfcp.association import status_of
from rostra.bfcp.message import (
    RELIABLE,
    UNRELIABLE,
    Attribute,
    Kind,
    Message,
    Primitive,
    Status,
    Stream,
    decode,
    encode,
)
from rostra.calls.switchboard import CallRequest
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.environment import Environment
from rostra.sdp.reading import read
from rostra.sip.content import FloorLine, may_be_at
from rostra.sip.media import CallMedia
from tests.sip.fakes import FakeSession

OFFER = """v=0
o=room 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=application {port} {profile} *
a=floorctrl:{role}
a=confid:77
a=userid:5
a=floorid:1 mstrm:12
a=setup:{setup}
a=connection:new
"""


@dataclasses.dataclass
class Conference:
    """What the call's participant wishes comes to."""

    allows: bool = True
    wishes: list[bool] = dataclasses.field(default_factory=list)

    async def wanted(self, wants: bool) -> bool:
        self.wishes.append(wants)
        return wants and self.allows


def section(profile: str, port: int, *, role: str = "c-only", setup: str = "actpass") -> Any:
    text = OFFER.format(port=port, profile=profile, role=role, setup=setup).replace("\n", "\r\n")
    return read(text.encode()).streams[0]


class Far:
    """The far end: datagrams or a connection."""

    def __init__(self, way: socket.socket, *, reliable: bool, version: int = 0) -> None:
        self.way = way
        self.way.setblocking(False)
        self._reliable = reliable
        self._version = version or (RELIABLE if reliable else UNRELIABLE)
        self._stream = Stream()
        self._waiting: list[Message] = []
        self._transaction = 0

    async def say(self, primitive: Primitive, *attributes: Attribute, user: int = 5, answers: int = 0) -> None:
        if not answers:
            self._transaction += 1
        message = Message(
            primitive, 77, answers or self._transaction, user, attributes, self._version, response=bool(answers)
        )
        await asyncio.get_running_loop().sock_sendall(self.way, encode(message))

    async def hear(self, *wanted: Primitive) -> Message:
        """The next of these; what the server says by itself is acknowledged."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while True:
                while self._waiting:
                    message = self._waiting.pop(0)
                    if not self._reliable and not message.response and message.primitive == Primitive.FLOOR_STATUS:
                        await self.say(Primitive.FLOOR_STATUS_ACK, answers=message.transaction)
                    if message.primitive in wanted:
                        return message
                data = await loop.sock_recv(self.way, 4096)
                if not data:
                    raise EOFError
                if self._reliable:
                    self._waiting += self._stream.feed(data)
                else:
                    found = decode(data)
                    assert isinstance(found, Message)
                    self._waiting.append(found)

    async def status(self) -> int:
        found = status_of(await self.hear(Primitive.FLOOR_REQUEST_STATUS))
        assert found is not None
        return found[1]


SYSTEM = (
    "v=0\r\no=room 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5002 RTP/AVP 8\r\n"
    "m=video 5004 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\na=content:main\r\na=label:11\r\n"
    "m=application 5006 UDP/BFCP *\r\na=floorctrl:c-only\r\na=confid:1\r\na=userid:1\r\na=floorid:1 mstrm:12\r\n"
    "m=video 5008 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\na=content:slides\r\na=label:12\r\n"
)
FLOOR = Attribute(Kind.FLOOR_ID, 1)


@pytest.fixture
async def line(environment: Environment) -> AsyncIterator[FloorLine]:
    conference = Conference()
    made = FloorLine(environment, "127.0.0.1", conference.wanted, lambda: "127.0.0.1")
    made.conference = conference  # type: ignore[attr-defined]
    yield made
    await made.close()


def room_of(line: FloorLine) -> Conference:
    return line.conference  # type: ignore[attr-defined]


def datagrams(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    if port:
        made.connect(("127.0.0.1", port))
    return made


async def connected(port: int) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    return made


async def open_floor(line: FloorLine, way: str) -> Far:
    """The far end of a call that has agreed on floor control."""
    if way == "TCP, we connect":
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            ours = await line.answer(section("TCP/BFCP", listening.getsockname()[1], setup="passive"))
            assert ours.control is not None
            assert ours.control.setup == "active"
            async with asyncio.timeout(5):
                accepted, _ = await asyncio.get_running_loop().sock_accept(listening)
        return Far(accepted, reliable=True)
    if way == "TCP":
        ours = await line.answer(section("TCP/BFCP", 9))
        assert ours.control is not None
        assert ours.control.setup == "passive"
        return Far(await connected(ours.port), reliable=True)
    own = datagrams(0)
    ours = await line.answer(section("UDP/BFCP", own.getsockname()[1]))
    own.connect(("127.0.0.1", ours.port))
    return Far(own, reliable=False, version=RELIABLE if way == "UDP of drafts" else UNRELIABLE)


@pytest.mark.spec("REF-118", "REF-129")
@pytest.mark.parametrize("way", ["UDP", "UDP of drafts", "TCP", "TCP, we connect"])
async def test_a_far_end_presents_and_is_replaced(line: FloorLine, way: str) -> None:
    far = await open_floor(line, way)
    await far.say(Primitive.HELLO)
    await far.hear(Primitive.HELLO_ACK)
    await far.say(Primitive.FLOOR_QUERY, FLOOR)
    await far.hear(Primitive.FLOOR_STATUS)
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    assert await far.status() == Status.GRANTED
    line.presented(itself=True, other=False)
    line.presented(itself=False, other=True)  # somebody else takes over
    assert await far.status() == Status.REVOKED
    found = status_of(await far.hear(Primitive.FLOOR_STATUS))
    assert found is not None
    assert (found[1], found[2] not in (0, 5)) == (Status.GRANTED, True)
    room_of(line).allows = False
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    assert await far.status() == Status.DENIED
    assert room_of(line).wishes == [True, True]
    far.way.close()


async def test_a_request_that_is_taken_back_before_it_is_granted(line: FloorLine) -> None:
    far = await open_floor(line, "TCP")
    may = asyncio.Event()
    over = asyncio.Event()

    async def slowly(wants: bool) -> bool:
        await may.wait()
        if not wants:
            over.set()
        return wants

    line._wanted = slowly
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    await far.say(Primitive.FLOOR_RELEASE, Attribute(Kind.FLOOR_REQUEST_ID, 1))
    assert await far.status() == Status.CANCELLED
    may.set()
    await far.say(Primitive.FLOOR_QUERY, FLOOR)
    assert status_of(await far.hear(Primitive.FLOOR_STATUS)) is None  # nobody has it
    async with asyncio.timeout(5):
        await over.wait()
    far.way.close()


async def test_strangers_neither_end_nor_take_the_connection(line: FloorLine) -> None:
    far = await open_floor(line, "TCP")
    await far.say(Primitive.HELLO)
    await far.hear(Primitive.HELLO_ACK)
    strangers = [await connected(line.port) for _ in range(6)]  # some are not even taken
    for stranger in strangers[:2]:
        wrong = Message(Primitive.HELLO, 78, 1, 5, (), RELIABLE)
        await asyncio.get_running_loop().sock_sendall(stranger, encode(wrong))
        assert await asyncio.get_running_loop().sock_recv(stranger, 100) == b""
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    assert await far.status() == Status.GRANTED
    line.presented(itself=True, other=False)
    for stranger in strangers:
        stranger.close()
    again = Far(await connected(line.port), reliable=True)  # the far end itself, on a new connection
    await again.say(Primitive.HELLO)
    await again.hear(Primitive.HELLO_ACK)
    line.presented(itself=False, other=True)
    assert await again.status() == Status.REVOKED
    far.way.close()
    again.way.close()


async def test_datagrams_of_strangers_do_not_turn_the_answers_away(line: FloorLine) -> None:
    far = await open_floor(line, "UDP")
    stranger = datagrams(line.port)
    stranger.send(encode(Message(Primitive.HELLO, 78, 1, 5, (), UNRELIABLE)))
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    assert await far.status() == Status.GRANTED
    moved = Far(datagrams(line.port), reliable=False)  # behind an address translation
    await moved.say(Primitive.HELLO)
    await moved.hear(Primitive.HELLO_ACK)
    line.presented(itself=False, other=False)
    assert await moved.status() == Status.REVOKED
    for one in (far.way, moved.way, stranger):
        one.close()


async def test_a_later_description_says_where_datagrams_go(line: FloorLine) -> None:
    far = await open_floor(line, "UDP")
    await far.say(Primitive.FLOOR_REQUEST, FLOOR)
    assert await far.status() == Status.GRANTED
    elsewhere = Far(datagrams(line.port), reliable=False)
    await line.answer(section("UDP/BFCP", elsewhere.way.getsockname()[1]))
    line.presented(itself=False, other=True)
    assert await elsewhere.status() == Status.REVOKED
    far.way.close()
    elsewhere.way.close()


@pytest.mark.parametrize(
    ("claimed", "source", "there"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("198.51.100.4", "203.0.113.9", True),
        ("10.0.0.8", "10.0.0.9", True),
        ("10.0.0.8", "203.0.113.9", False),
        ("127.0.0.1", "203.0.113.9", False),
        ("127.0.0.1", "10.0.0.9", False),
        ("169.254.169.254", "10.0.0.9", False),
        ("intranet.example", "203.0.113.9", False),
        ("0.0.0.0", "203.0.113.9", False),
        ("::ffff:10.0.0.8", "203.0.113.9", False),
        ("::ffff:127.0.0.1", "203.0.113.9", False),
    ],
)
def test_a_far_end_is_not_looked_for_inside(claimed: str, source: str, there: bool) -> None:
    assert may_be_at(claimed, source) is there


@pytest.mark.parametrize("profile", ["UDP/BFCP", "TCP/BFCP"])
async def test_nobody_has_us_speak_to_programs_of_this_machine(environment: Environment, profile: str) -> None:
    """It can still come to us: in a private network behind an address translation it does."""
    conference = Conference()
    line = FloorLine(environment, "127.0.0.1", conference.wanted, lambda: "203.0.113.9")
    kind = socket.SOCK_DGRAM if profile.startswith("UDP") else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as victim:
        victim.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            victim.listen()
        victim.setblocking(False)
        answer = await line.answer(section(profile, victim.getsockname()[1], role="s-only", setup="passive"))
        assert answer.port
        line.presented(itself=False, other=True)
        assert not line._tasks
        assert line._out is None
    await line.close()


async def test_a_lost_connection_of_ours_is_made_again(line: FloorLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.sip.content.AGAIN", (0.01,) * 5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        # a far end that gives the floor itself is greeted on each connection
        await line.answer(section("TCP/BFCP", listening.getsockname()[1], role="s-only", setup="passive"))
        for _ in range(2):
            async with asyncio.timeout(5):
                accepted, _ = await loop.sock_accept(listening)
            far = Far(accepted, reliable=True)
            await far.hear(Primitive.HELLO)
            far.way.close()


async def test_a_call_without_a_stream_for_slides_has_nothing_to_present(environment: Environment) -> None:
    """Also one that has given it up since: its floor control goes on."""
    conference = Conference()
    service = ServiceDescription(id=1, name="Demo", service_type="conference")
    request = CallRequest(alias="demo", protocol=CallProtocol.SIP)
    session = FakeSession(None, request, service)  # type: ignore[arg-type]
    media = CallMedia(
        session,  # type: ignore[arg-type]
        "c",
        encrypt=False,
        floor=lambda address: FloorLine(environment, address, conference.wanted, lambda: address),
    )
    assert not media.brings_slides
    await media.answer(SYSTEM.encode())
    assert media.brings_slides
    assert not session.did("release floor")
    await media.answer(SYSTEM.replace("m=video 5008", "m=video 0").encode())
    assert not media.brings_slides
    assert session.did("release floor")
    await media.close()
