"""Peers that hold valid keys and abuse them: they send from sources that are not theirs and report what is not true.

Whoever else is there notices nothing, the worker takes no more than before, and the peer's own sound and picture still
come through.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from bench.load import browsers
from bench.load.lines import Bundle

from rostra.domain.scene import Scene, Tile
from rostra.media import bounds, codecs
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import guard, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.ice import own_addresses
from rostra.media.engine.pipeline import Pipeline, make

from .conftest import Driven
from .endpoints import VP8, Far, Screen, Voice, ends
from .test_rtp_legs import PCMU
from .test_strange_numbers import LOUD

__all__ = ["ends"]

RED, GREEN = 0xC02020, 0x20C040
HUM = 440
VOICE, PICTURE = 0xAAAA0001, 0xAAAA0002
"""Sources of the peer."""
STEP = 0.02
LONG = 1.0
"""Seconds of each kind of abuse,"""
MOST_SECONDS, MOST_KEYS = 1.5, 3
"""in which the worker, which takes 0.3 without, takes so many of a processor, and makes so many key frames a second."""
MEBI = 1 << 20
EVIL = random.Random(7)
Burst = Callable[["Peer"], None]
"""What is sent besides, fifty times a second."""


def picture(colour: int) -> list[bytes]:
    """Payloads of a moving picture in VP8 that fit packets, the first of a key frame (RFC 7741)."""
    encoder = codecs.BY_NAME["VP8"].encoder.format(bitrate=200_000, kilobits=200, mtu=1100)
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=100 pattern=solid-color foreground-color={0xFF000000 | colour} ! "
        f"video/x-raw,format=I420,width=160,height=90,framerate=50/1,colorimetry=bt601 ! {encoder} ! appsink name=out"
    )
    pipeline.set_state(Gst.State.PLAYING)
    try:
        out, found = pipeline.get_by_name("out"), list[bytes]()
        while (sample := out.emit("try-pull-sample", Gst.SECOND)) is not None:
            buffer = sample.get_buffer()
            found.append(b"\x10" + buffer.extract_dup(0, buffer.get_size()))
    finally:
        pipeline.set_state(Gst.State.NULL)
    assert max(len(one) for one in found) < 1300
    return found


class Peer:
    """A WebRTC peer whose packets are made here: a hum in G.711 and a picture, and whatever is sent besides."""

    def __init__(self, units: list[bytes]) -> None:
        self._own = next(one for one in own_addresses() if ":" not in one)
        self.bundle = Bundle(self._own, os.urandom(4).hex(), os.urandom(16).hex())
        self.ours: set[int] = set()
        """Sources that the leg sends from."""
        self.keys = 0
        """Key frames that came."""
        self.besides: Burst | None = None
        self.units = units
        self._numbers: dict[int, int] = {}

    async def join(self, worker: Worker, leg: str) -> None:
        offer = browsers.offer(
            self._own, self.bundle.port, self.bundle._ufrag, self.bundle._password, [PCMU, VP8], 2_000_000
        )
        answer = await worker.open_webrtc(leg, offer, start=True)
        self.bundle.connect(*browsers.answered(answer))
        async with asyncio.timeout(10):
            while not self.bundle.ready.is_set():
                self.bundle.tick()
                self.read()
                await asyncio.sleep(STEP)

    def read(self) -> None:
        for data, _, control in self.bundle.received():
            if control:
                continue
            self.ours.add(int.from_bytes(data[8:12]))
            kind, payload = data[1] & 0x7F, data[12 + 4 * (data[0] & 15) :]
            if kind == VP8.payload_type and payload[0] & 0x10:
                head = 1 + (payload[0] >> 7) * (1 + (2 if payload[1] & 0x80 and payload[2] & 0x80 else 1))
                self.keys += not payload[head] & 1

    async def play(self) -> None:
        """Until it is cancelled."""
        began = time.monotonic()
        for number in itertools.count():
            self.send(VOICE, PCMU.payload_type, 160 * number, LOUD)
            self.send(PICTURE, VP8.payload_type, 1800 * number, self.units[number % len(self.units)])
            if self.besides:
                self.besides(self)
            if number % 50 == 0:
                self.bundle.tick()
            self.read()
            await asyncio.sleep(max(0.0, began + (number + 1) * STEP - time.monotonic()))

    def send(self, source: int, kind: int, stamp: int, payload: bytes, *, skip: int = 0) -> None:
        """A packet of RTP, with the next number of its source or one behind it."""
        number = self._numbers[source] = self._numbers.get(source, source) + 1 + skip & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | 0x80, number, stamp & 0xFFFFFFFF, source)
        self.bundle.send(head + payload)

    def feedback(self, kind: int, form: int, media: int, information: bytes = b"", sender: int = VOICE) -> None:
        """A compound packet (RFC 4585 6.1)."""
        report = struct.pack("!BBHI", 0x80, 201, 1, sender)
        words = 2 + len(information) // 4
        self.bundle.send_control(report + struct.pack("!BBHII", 0x80 | form, kind, words, sender, media) + information)


def many_sources(peer: Peer) -> None:
    for kind, payload in ((PCMU.payload_type, LOUD), (VP8.payload_type, peer.units[0])):
        for _ in range(3):
            source = EVIL.randrange(2**32)
            for _ in range(6):  # enough to be taken for one that is there
                peer.send(source, kind, 1, payload)


def others_sources(peer: Peer) -> None:
    """Of the leg itself, and numbers that others may have."""
    for source in (*peer.ours, 0x5EED, 0, 0xFFFFFFFF):
        peer.send(source, PCMU.payload_type, EVIL.randrange(2**32), LOUD, skip=EVIL.randrange(900))


def wrong_types(peer: Peer) -> None:
    for kind in (1, 13, 35, 64, 95, 96, 127):
        peer.send(VOICE, kind, 1, bytes(40))
        peer.send(PICTURE, kind, 1, LOUD)
    peer.send(VOICE, VP8.payload_type, 1, bytes(40))


def goodbyes(peer: Peer) -> None:
    for source in (*peer.ours, 0x5EED, EVIL.randrange(2**32)):
        report = struct.pack("!BBHI", 0x80, 201, 1, source)
        peer.bundle.send_control(report + struct.pack("!BBHI", 0x81, 203, 1, source))


def wild_rates(peer: Peer) -> None:
    for exponent, mantissa in ((0, 0), (63, 0x3FFFF), (46, 0x3FFFF)):
        packed = struct.pack("!I", 1 << 24 | exponent << 18 | mantissa)
        for source in peer.ours:
            peer.feedback(206, 15, 0, b"REMB" + packed + struct.pack("!I", source))
            peer.feedback(205, 3, 0, struct.pack("!II", source, exponent << 26 | (mantissa & 0x1FFFF) << 9))
            peer.feedback(205, 4, 0, struct.pack("!II", source, exponent << 26))


def asking_for_everything(peer: Peer) -> None:
    """Again, and anew."""
    for source in (*peer.ours, 0x5EED):
        everything = b"".join(struct.pack("!HH", first, 0xFFFF) for first in range(0, 65536, 17 * 16))
        peer.feedback(205, 1, source, everything)
        for number in range(4):
            peer.feedback(206, 1, source)
            peer.feedback(206, 4, 0, struct.pack("!IBxxx", source, EVIL.randrange(256) ^ number))


ABUSES = {one.__name__: one for one in (
    many_sources, others_sources, wrong_types, goodbyes, wild_rates, asking_for_everything,
)}  # fmt: skip


def threads(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def seconds(process: int) -> float:
    """Of processor time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def playing(peer: Peer) -> AsyncIterator[None]:
    task = asyncio.create_task(peer.play())
    try:
        yield
    finally:
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(end, asyncio.CancelledError)


@pytest.fixture
def peer(ends: list[Far]) -> Iterator[Peer]:
    made = Peer(picture(RED))
    yield made
    made.bundle.close()


VIEW = Scene(
    tiles=(
        Tile(source="peer", x=0, y=0, width=640, height=720),
        Tile(source="other", x=640, y=0, width=640, height=720),
    )
)


async def test_whoever_abuses_valid_keys_harms_nobody(driven: Driven, ends: list[Far], peer: Peer) -> None:
    worker = driven.worker
    await worker.compose(m.Compose(views={"v": VIEW}, watching={"watcher": "v", "peer": "v"}))
    watcher, listener, other, speaker = Screen(VP8), Voice(), Screen(VP8, GREEN), Voice(HUM)
    for leg, far in (("watcher", watcher), ("listener", listener), ("other", other), ("speaker", speaker)):
        ends.append(far)
        await far.join(worker, leg)
    await peer.join(worker, "peer")
    async with playing(peer):
        for watcher.look, colour in ((0.25, RED), (0.75, GREEN)):
            await watcher.shows(colour)
        await driven.until(lambda: driven.level("peer") > -40)
        before = bounds.resident(worker.process), threads(worker.process)
        for name, abuse in ABUSES.items():
            began, peer.keys = seconds(worker.process), 0
            peer.besides = abuse
            await asyncio.sleep(LONG)
            peer.besides = None
            taken, more = seconds(worker.process) - began, threads(worker.process) - before[1]
            grown = (bounds.resident(worker.process) - before[0]) / MEBI
            print(f"{name}: {taken:.2f} s of a processor, {peer.keys} key frames, {grown:.0f} MiB, {more} threads")
            assert taken < MOST_SECONDS, name
            assert peer.keys <= 1 + MOST_KEYS * LONG, name
            assert grown < 48, name
            assert more < 40, name
            await listener.hears(HUM)
            for watcher.look, colour in ((0.25, RED), (0.75, GREEN)):
                await watcher.shows(colour)
            driven.events.clear()
            await driven.until(lambda: driven.level("peer") > -40)
        assert not driven.lost


async def test_too_many_sources_end_a_leg() -> None:
    stage.load()
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    pipeline = Pipeline("leg peer", ended.set_result)
    source, sink = pipeline.add(make("appsrc")), pipeline.add(make("fakesink"))
    source.link(sink)
    guard.count_sources(source.get_static_pad("src"), 2)
    pipeline.play()
    try:
        for number in range(3):
            assert not ended.done()
            source.emit("push-buffer", Gst.Buffer.new_wrapped(struct.pack("!BBHII", 0x80, 0, 1, 1, number) + LOUD))
        assert "too many sources" in await asyncio.wait_for(ended, 5)
    finally:
        await pipeline.close()
