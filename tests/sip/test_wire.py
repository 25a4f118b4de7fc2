"""The service on real sockets: garbage, limits, taken ports, failures inside."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import socket
import ssl

import pytest
from prometheus_client import REGISTRY

from rostra.calls.switchboard import CallRefused, MediaRefused, Refusal
from rostra.environment import Environment
from rostra.sip.errors import PortTaken
from rostra.sip.message import Request, parse_message
from rostra.sip.service import SipService
from rostra.sip.transport.connection import Connection
from tests.sip.by_hand import request
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSwitchboard
from tests.sip.torture.table import VECTORS

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Peer:
    """A UDP endpoint that speaks by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.connect(("127.0.0.1", port))
        self.tag = ""
        """Of the last reply."""
        self.port = self.socket.getsockname()[1]

    def send(self, data: bytes) -> None:
        own = b"127.0.0.1:%d" % self.port
        self.socket.send(
            data.replace(b"192.0.2.1:5060", own).replace(b"carol@192.0.2.1>\r\nMax", b"carol@%s>\r\nMax" % own)
        )

    async def reply(self, to: str) -> str:
        """First line of the first final response to CSeq `to`."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while True:
                data = await loop.sock_recv(self.socket, 65536)
                if f"CSeq: {to}\r\n".encode() in data and not data.startswith(b"SIP/2.0 1"):
                    self.tag = parse_message(data).to.tag
                    return data.split(b"\r\n")[0].decode()

    async def request(self, method: str) -> Request:
        """The next request of that method."""
        async with asyncio.timeout(10):
            while True:
                found = parse_message(await asyncio.get_running_loop().sock_recv(self.socket, 65536))
                if isinstance(found, Request) and found.method == method:
                    return found


@pytest.fixture
def peer(running: Running) -> Peer:
    return Peer(running.port)


async def test_ten_thousand_damaged_datagrams(running: Running, peer: Peer) -> None:
    running.service._engine.gate.trusted = lambda _: True  # others would not be heard any more, soon
    chance = random.Random(4475)
    valid = [vector.data for vector in VECTORS] + [
        request("INVITE", body=SDP, cseq=3).replace(b"sip:bob@", b"sip:meet.demo@"),
        request("OPTIONS", cseq=2),
        request("BYE", to_tag="x"),
        request("CANCEL", cseq=3),
        request("ACK", cseq=3, to_tag="x"),
    ]
    for number in range(10_000):
        data = damaged(chance, chance.choice(valid))
        try:
            peer.send(data[:60_000])
        except ConnectionRefusedError:
            pytest.fail("the port is closed")
        await asyncio.sleep(0)  # the service reads in its turns of the loop
        if number % 50 == 0:
            drain(peer)
    peer.send(request("OPTIONS", cseq=999_999, branch="after"))
    assert await peer.reply("999999 OPTIONS") == "SIP/2.0 200 OK"
    state = running.service.debug_state()
    assert state["internal_errors"] == 0
    assert isinstance(state["malformed"], int)
    assert state["malformed"] > 1000


async def test_answers_on_streams_do_not_wait_for_acknowledgements(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted: list[int] = []
    made = Connection.connection_made

    def watch(connection: Connection, transport: asyncio.BaseTransport) -> None:
        made(connection, transport)
        accepted.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(Connection, "connection_made", watch)
    encrypted = ssl.create_default_context()
    encrypted.check_hostname, encrypted.verify_mode = False, ssl.CERT_NONE
    for port, context in ((running.port, None), (running.tls_port, encrypted)):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.close()
    await running.until(lambda: len(accepted) == 2)
    assert all(accepted)


NASTY = [b"\r\n", b"\0", b";;", b",", b'"', b"<", b"%00", b"\r\n\r\n", b"-1", b"9" * 30]


def damaged(chance: random.Random, data: bytes) -> bytes:
    """One to four mutations of kinds a network or a bad implementation makes."""
    mutable = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutable) + 1) if mutable else 0
        kind = chance.randrange(6)
        if kind == 0 and mutable:
            mutable[at % len(mutable)] = chance.randrange(256)
        elif kind == 1:
            del mutable[at : at + chance.randint(1, 40)]
        elif kind == 2:
            mutable[at:at] = chance.randbytes(chance.randint(1, 20))
        elif kind == 3:
            mutable[at:at] = mutable[at : at + chance.randint(1, 100)]
        elif kind == 4:
            mutable[at:at] = chance.choice(
                [b"\r\n", b"\0", b";;", b",", b'"', b"<", b"%00", b"\r\n\r\n", b"-1", b"9" * 30]
            )
        else:
            del mutable[at:]
    return bytes(mutable)


def drain(peer: Peer) -> None:
    try:
        while True:
            peer.socket.recv(65536)
    except BlockingIOError:
        return


async def test_garbage_on_streams_ends_that_connection_only(running: Running, peer: Peer) -> None:
    good_reader, good = await asyncio.open_connection("127.0.0.1", running.port)
    chance = random.Random(5)
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    for number in range(60):
        tls = trust if number % 3 == 0 else None
        port = running.tls_port if number % 3 != 1 else running.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        writer.write(b"INVITE sip:a SIP/2.0\r\n" * (number % 2) + b"\xff" + chance.randbytes(5000) + b"\r\n")
        try:
            async with asyncio.timeout(10):
                while await reader.read(65536):
                    pass
        except ConnectionError:
            pass
        writer.close()
    good.write(b"\r\n\r\n" + request("OPTIONS"))
    assert await asyncio.wait_for(good_reader.readexactly(2), 10) == b"\r\n"
    assert (await asyncio.wait_for(good_reader.readline(), 10)) == b"SIP/2.0 200 OK\r\n"
    good.close()
    await running.until(lambda: running.service.debug_state()["connections"] == 0)
    assert running.service.debug_state()["internal_errors"] == 0


@pytest.mark.parametrize(
    "data",
    [
        b"INVITE sip:a SIP/2.0\r\nX: " + b"y" * 40_000,
        b"INVITE sip:a SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
async def test_a_stream_that_cannot_be_followed_is_closed(running: Running, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(data)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_a_message_in_pieces_and_two_in_one_piece(running: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    whole = request("OPTIONS", cseq=1) + request("OPTIONS", cseq=2)
    for start in range(0, len(whole), 7):
        writer.write(whole[start : start + 7])
        await writer.drain()
    async with asyncio.timeout(10):
        text = b""
        while text.count(b"SIP/2.0 200 OK") < 2:
            text += await reader.read(65536)
    writer.close()


async def test_one_address_cannot_have_all_connections(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = running.service._driver
    assert driver is not None
    monkeypatch.setattr(driver, "_room", 48)
    writers = [(await asyncio.open_connection("127.0.0.1", running.port))[1] for _ in range(20)]
    await running.until(lambda: running.service.debug_state()["connections"] == 12)
    for writer in writers:
        writer.close()
    await running.until(lambda: not driver._sources)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(request("OPTIONS"))
    assert await asyncio.wait_for(reader.readline(), 10) == b"SIP/2.0 200 OK\r\n"
    writer.close()


async def test_a_taken_port_is_named_with_its_variable(running: Running, environment: Environment) -> None:
    second = SipService(FakeSwitchboard(), environment)
    with pytest.raises(PortTaken, match=rf"{running.port}.*ROSTRA_SIP_PORT"):
        await second.start()
    other = dataclasses.replace(environment, sip_tls_port=running.port, sip_port=running.tls_port)
    with pytest.raises(PortTaken, match="taken"):
        await SipService(FakeSwitchboard(), other).start()


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RuntimeError("broken"), 500),
        (CallRefused(Refusal.LOCKED), 403),
        (CallRefused(Refusal.OUT_OF_RESOURCE), 503),
    ],
)
async def test_failures_of_joining(running: Running, peer: Peer, failure: Exception, status: int) -> None:
    running.switchboard.fail_with = failure
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
    assert (await peer.reply("1 INVITE")).startswith(f"SIP/2.0 {status} ")
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)
    peer.send(request("OPTIONS", cseq=7))
    assert await peer.reply("7 OPTIONS") == "SIP/2.0 200 OK"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RuntimeError("broken"), 500),
        (MediaRefused("nothing in common", no_common_codec=True), 488),
        (MediaRefused("nonsense"), 400),
    ],
)
async def test_failures_of_media(running: Running, peer: Peer, failure: Exception, status: int) -> None:
    running.switchboard.fail_media_with = failure
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
    assert (await peer.reply("1 INVITE")).startswith(f"SIP/2.0 {status} ")
    await running.until(lambda: running.switchboard.sessions[0].left)


@pytest.mark.parametrize(
    ("dialled", "joined"),
    [
        (b"meet.demo@127.0.0.1", "meet.demo"),
        (b"MEET.demo@LOCALHOST", "MEET.demo"),
        (b"meet.demo@" + socket.gethostname().encode(), "meet.demo"),
        (b"meet.demo@rostra.example", "meet.demo@rostra.example"),
        (b"meet%2Edemo@127.0.0.1", "meet.demo"),
    ],
)
async def test_what_was_dialled(running: Running, peer: Peer, dialled: bytes, joined: str) -> None:
    running.switchboard.aliases.add("meet.demo@rostra.example")
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@192.0.2.2 SIP", b"sip:" + dialled + b" SIP"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    peer.send(request("ACK", to_tag=peer.tag, branch="ack"))
    [session] = running.switchboard.sessions
    assert session.request.alias == joined
    await running.until(lambda: session.did("confirm"))


async def test_the_rate_that_a_caller_asks_for(running: Running, peer: Peer) -> None:
    """So policy is told (sheet 11, 3.1)."""
    body = SDP.replace(b"t=0 0", b"b=TIAS:1920000\r\nt=0 0")
    peer.send(request("INVITE", body=body).replace(b"sip:bob@", b"sip:meet.demo@"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    peer.send(request("ACK", to_tag=peer.tag, branch="ack"))
    [session] = running.switchboard.sessions
    assert session.request.bandwidth == 1920
    await running.until(lambda: session.did("confirm"))


async def test_a_user_at_somebody_elses_domain_is_not_found(running: Running, peer: Peer) -> None:
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@192.0.2.2 SIP", b"sip:meet.demo@other.example SIP"))
    assert (await peer.reply("1 INVITE")).startswith("SIP/2.0 404 ")


async def test_the_platform_removes_a_caller_before_its_ack(running: Running, peer: Peer) -> None:
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    tag = peer.tag
    running.switchboard.sessions[0].listener.disconnected("removed")
    peer.send(request("OPTIONS"))
    await peer.reply("1 OPTIONS")
    assert not running.switchboard.sessions[0].left, "no BYE before the ACK (RFC 3261 15)"
    peer.send(request("ACK", to_tag=tag, branch="ack"))
    data = b""
    async with asyncio.timeout(10):
        while not data.startswith(b"BYE "):
            data = await asyncio.get_running_loop().sock_recv(peer.socket, 65536)


async def test_stopping_ends_calls_and_frees_the_ports(environment: Environment) -> None:
    switchboard = FakeSwitchboard()
    service = SipService(switchboard, environment)
    await service.start()
    peer = Peer(environment.sip_port)
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    await service.stop()
    await service.stop()
    assert switchboard.sessions[0].left
    again = SipService(switchboard, environment)
    await again.start()
    await again.stop()


async def test_figures_for_prometheus(running: Running, peer: Peer) -> None:
    peer.send(request("OPTIONS"))
    await peer.reply("1 OPTIONS")
    peer.send(b"garbage")
    await running.until(lambda: REGISTRY.get_sample_value("rostra_sip_malformed_total") == 1)
    assert REGISTRY.get_sample_value("rostra_sip_requests_total", {"method": "OPTIONS"}) == 1
    assert REGISTRY.get_sample_value("rostra_sip_calls") == 0
