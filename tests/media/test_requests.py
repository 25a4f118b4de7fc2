"""What callers and far ends may ask of a leg, and what they may throw at it: key frames, hold, garbage, silence."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from rostra.domain.media import CodecParameters, MediaDescription, MediaKind
from rostra.domain.scene import Scene, Tile
from rostra.environment import Environment
from rostra.media import messages as m
from rostra.media.engine.engine import Engine

from .conftest import Driven
from .test_rtp_legs import H264, OPUS, PCMU, VP8, Pair, side

AUDIO, VIDEO = MediaKind.AUDIO, MediaKind.VIDEO
LOUD = (bytes([0x00]) * 8 + bytes([0x80]) * 8) * 10
"""20 ms of a square wave in G.711 mu-law."""
Address = tuple[str, int]


class Socket(asyncio.DatagramProtocol):
    """A UDP socket that keeps or passes on what it receives."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.port = 0
        self.on_packet: Callable[[bytes, Address], None] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.packets.append(data)
        if self.on_packet:
            self.on_packet(data, addr)

    def send(self, data: bytes, port: int) -> None:
        self._transport.sendto(data, ("127.0.0.1", port))

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
async def sockets() -> AsyncIterator[list[Socket]]:
    """Three sockets on ports of their own."""
    loop = asyncio.get_running_loop()
    made = [(await loop.create_datagram_endpoint(Socket, ("127.0.0.1", 0)))[1] for _ in range(3)]
    yield made
    for one in made:
        one.close()


async def until(condition: Callable[[], bool], seconds: float = 8) -> float:
    """Poll; returns the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def key_frame(packet: bytes) -> bool:
    """Whether an RTP packet of H.264 begins a slice of an IDR picture (RFC 6184 5.2)."""
    if packet[1] & 0x7F != H264.payload_type or len(packet) < 14:
        return False
    kind = packet[12] & 0x1F
    return kind == 5 or (kind == 28 and packet[13] & 0x9F == 0x85)


async def video_leg(driven: Driven, far: Socket) -> int:
    """A leg whose far end is a bare socket, after its first key frame and while plain frames come; its port."""
    worker = driven.worker
    (port,) = (await worker.reserve_rtp("one", (VIDEO,)))[1]
    await worker.connect_rtp("one", side((port,), ((H264,),)), side((far.port,), ((H264,),)))
    await worker.start("one")
    await until(lambda: any(map(key_frame, far.packets)))
    await plain_frames(far)
    return port


async def plain_frames(far: Socket) -> None:
    """Wait until no key frame comes by itself any more."""

    await until(lambda: len(far.packets) >= 40 and not any(map(key_frame, far.packets[-40:])))
    far.packets.clear()


async def test_a_key_frame_on_request(driven: Driven, sockets: list[Socket]) -> None:
    far = sockets[0]
    await video_leg(driven, far)
    await driven.worker.request_keyframe("one")
    assert await until(lambda: any(map(key_frame, far.packets))) < 1


def receiver_report(source: int) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, source)


def picture_loss(source: int, media: int) -> bytes:
    """RFC 4585 6.3.1."""
    return struct.pack("!BBHII", 0x81, 206, 2, source, media)


def full_intra_request(source: int, media: int) -> bytes:
    """RFC 5104 4.3.1."""
    return struct.pack("!BBHIIIBxxx", 0x84, 206, 4, source, 0, media, 7)


@pytest.mark.parametrize("ask", [picture_loss, full_intra_request], ids=["PLI", "FIR"])
async def test_a_key_frame_when_the_far_end_asks(
    driven: Driven, sockets: list[Socket], ask: Callable[[int, int], bytes]
) -> None:
    far = sockets[0]
    port = await video_leg(driven, far)
    await until(lambda: bool(far.packets))
    media = struct.unpack_from("!I", far.packets[-1], 8)[0]
    far.send(receiver_report(77) + ask(77, media), port + 1)
    assert await until(lambda: any(map(key_frame, far.packets))) < 1


async def test_hold_stops_both_directions_and_resume_brings_them_back(driven: Driven) -> None:
    await Pair(driven).connect((OPUS,), (VP8,))
    shown = [m.FirstPicture(leg=leg, width=1280, height=720) for leg in ("one", "two")]
    for event in shown:
        await driven.until(lambda event=event: driven.told(event))
    await driven.worker.hold("one", True)
    for leg in ("one", "two"):  # one's own picture leaves the stage; two is sent nothing to show
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, width=0, height=0)))
    driven.events.clear()
    await driven.worker.hold("one", False)
    for event in shown:
        await driven.until(lambda event=event: driven.told(event))
    assert not [event for event in driven.events if isinstance(event, m.LegFailed)]


async def test_a_held_leg_is_neither_heard_nor_sent_sound(driven: Driven, sockets: list[Socket]) -> None:
    far, worker = sockets[0], driven.worker
    (port,) = (await worker.reserve_rtp("one", (AUDIO,)))[1]
    await worker.connect_rtp("one", side((port,), ((PCMU,),)), side((far.port,), ((PCMU,),)))
    await worker.start("one")

    async def speak() -> None:
        number = 0
        while True:
            far.send(struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, 99) + LOUD, port)
            number += 1
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    try:
        await driven.until(lambda: driven.level("one") > -40)
        await until(lambda: len(far.packets) > 10)
        await worker.hold("one", True)
        await driven.until(lambda: driven.level("one") == -127)
        far.packets.clear()
        levels = len(driven.events)
        await driven.until(lambda: len(driven.events) >= levels + 3)  # three tenths of a second
        assert not [packet for packet in far.packets if packet[1] & 0x7F == 0]
        await worker.hold("one", False)
        await driven.until(lambda: driven.level("one") > -40)
        await until(lambda: len(far.packets) > 10)
    finally:
        speaking.cancel()


MIXED = 60
"""Packets spoilt in all manners before the picture is spoilt for certain."""


class Noise:
    """Passes packets between the two legs of a pair, spoiling those to leg `one` while told to."""

    def __init__(self, middle: Socket, ports: dict[str, int]) -> None:
        self._middle, self._ports = middle, ports
        self._random = random.Random(7)
        self.spoil = False
        self.spoilt = 0
        middle.on_packet = self._pass

    def _pass(self, data: bytes, sender: Address) -> None:
        if sender[1] != self._ports["two"]:
            self._middle.send(data, self._ports["two"])
            return
        self._middle.send(self._spoilt(data) if self.spoil else data, self._ports["one"])

    def _spoilt(self, data: bytes) -> bytes:
        """The header stays; of the payload a part or other bytes, later nothing (decoders hide even two bytes)."""
        self.spoilt += 1
        header, payload = data[:12], data[12:]
        if self.spoilt > MIXED:
            return header
        return (
            header
            + (
                payload[: self._random.randrange(8)],
                payload[: len(payload) // 2],
                self._random.randbytes(len(payload)),
                payload[:2] + self._random.randbytes(len(payload)),
                bytes([24]) + self._random.randbytes(40),
            )[self.spoilt % 5]
        )


def through(description: MediaDescription, middle: Socket, control: int) -> MediaDescription:
    """A side whose media goes by way of the noise and whose RTCP goes straight."""
    (video,) = description.streams
    noisy = msgspec.structs.replace(video, port=middle.port, rtcp_port=control)
    return msgspec.structs.replace(description, streams=(noisy,))


@pytest.mark.parametrize("codec", [H264, VP8], ids=lambda codec: codec.name)
async def test_garbage_disturbs_nobody_and_the_picture_comes_back(
    driven: Driven, sockets: list[Socket], codec: CodecParameters
) -> None:
    worker, middle = driven.worker, sockets[0]
    ports = {leg: (await worker.reserve_rtp(leg, (VIDEO,)))[1][0] for leg in ("one", "two", "three", "four")}
    ours = {leg: side((port,), ((codec,),)) for leg, port in ports.items()}
    noise = Noise(middle, ports)
    await worker.connect_rtp("one", ours["one"], through(ours["two"], middle, ports["two"] + 1))
    await worker.connect_rtp("two", ours["two"], through(ours["one"], middle, ports["one"] + 1))
    await worker.connect_rtp("three", ours["three"], ours["four"])
    await worker.connect_rtp("four", ours["four"], ours["three"])
    for leg in ports:
        await worker.start(leg)
    for leg in ports:
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, width=1280, height=720)))
    # somebody looks: what nobody sees is not looked into
    scene = Scene(tiles=(Tile(source="one", x=0, y=0, width=640, height=360),))
    await worker.compose(m.Compose(views={"view": scene}, watching={"three": "view"}))
    driven.events.clear()
    noise.spoil = True
    generator = random.Random(3)
    for size in (0, 1, 4, 11, 12, 13, 200, 1400):
        for port in (ports["one"], ports["one"] + 1):
            sockets[1].send(generator.randbytes(size), port)
    await driven.until(lambda: driven.told(m.FirstPicture(leg="one", width=0, height=0)), 20)
    assert noise.spoilt > MIXED
    noise.spoil = False
    # before the encoder's next key frame of its own accord: the leg asks for one
    await driven.until(lambda: driven.told(m.FirstPicture(leg="one", width=1280, height=720)), 6)
    assert not [event for event in driven.events if isinstance(event, m.LegFailed)]
    assert not [e for e in driven.events if isinstance(e, m.FirstPicture) and e.leg in ("two", "three", "four")]


async def test_a_leg_without_media_fails_after_its_patience(environment: Environment) -> None:
    events: list[m.Event] = []
    engine = Engine(environment, events.append, patience=0.3)
    try:
        reply = await engine.handle(m.ReserveRtp(leg="one", kinds=(AUDIO,)))
        assert isinstance(reply, m.RtpPorts)
        ours, theirs = side(reply.ports, ((PCMU,),)), side((9,), ((PCMU,),))
        assert await engine.handle(m.ConnectRtp(leg="one", local=ours, remote=theirs)) == m.Done()
        began = time.monotonic()
        while time.monotonic() - began < 0.6:  # not started: nobody expects media
            engine.poll()
            await asyncio.sleep(0.05)
        assert all(isinstance(event, m.Levels) for event in events)
        await engine.handle(m.Start(leg="one"))

        def failed() -> bool:
            engine.poll()
            return any(isinstance(event, m.LegFailed) and event.leg == "one" for event in events)

        assert await until(failed) >= 0.2
        await asyncio.sleep(0)  # the leg is let go of in the loop's next round
        reply = await engine.handle(m.Start(leg="one"))
        assert isinstance(reply, m.Failure)
        assert reply.kind is m.Failure.Kind.UNKNOWN_LEG
    finally:
        await engine.close()
