"""Added glass-to-glass delay of the media engine, next to the same path without it in the same run.

Pictures: frames with a counter drawn in large black and white cells are encoded, packetized and sent; the far end
depacketizes, decodes and reads the counter. Once from peer to peer directly, once through a conference that shows
the sender to the receiver. Encoder, decoder, jitter buffer and sockets of the peers are the same both times, so
the difference is what the engine adds: its jitter buffer, decoding, composing, encoding and packetizing.
Sound: the travel time of a click of 20 ms in G.711, likewise. Run: `python -m bench.delay [seconds]`.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import struct
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from bench.media import worker_pool
from bench.peers import FRAME_RATE, H264, KINDS
from rostra.domain.media import CodecParameters, MediaDescription, MediaStream
from rostra.domain.scene import Scene, Tile
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.engine import branches, rtp_parts, rtp_transport, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.rungs import LADDER

PCMU = CodecParameters(name="PCMU", payload_type=0, clock_rate=8000)
WIDTH, HEIGHT, CELL, BITS = 1280, 720, 80, 14
LIGHT, DARK = 220, 30
CLICK_EVERY = 9
"""Packets of 20 ms between clicks: 180 ms, no multiple of a frame."""
SILENCE = bytes([0xFF]) * 160
CLICK = (bytes([0x00]) * 8 + bytes([0x80]) * 8) * 10
"""A square wave of 500 Hz at full scale (ITU-T G.711, mu-law)."""
DRAWN_RATE = 29.3
"""Frames a second of the camera: not quite the engine's, so that every phase between the two is measured."""
WARMING = 2.0
SHOWN = Scene(
    tiles=(
        Tile(source="sender", x=0, y=0, width=WIDTH, height=HEIGHT),
        Tile(x=WIDTH - 16, y=HEIGHT - 16, width=16, height=16),
    )
)
"""The whole of the sender, and a mark, as without it the picture would be sent on as it came."""


class Camera:
    """Sends frames that carry their number, and remembers when each was drawn."""

    def __init__(self, port: int) -> None:
        row, rung = codecs.BY_NAME["H264"], LADDER[0]
        encoder = row.encoder.format(bitrate=rung.bitrate, kilobits=rung.bitrate // 1000, mtu=branches.PAYLOAD)
        encoder = encoder.replace("key-int-max=300", f"key-int-max={FRAME_RATE}")  # nobody here answers requests
        payloader = row.payloader.format(payload_type=H264.payload_type, mtu=branches.PACKET)
        self.drawn: dict[int, float] = {}
        self._pipeline = Gst.parse_launch(
            f"appsrc name=in is-live=true do-timestamp=true format=time caps=video/x-raw,format=I420,width={WIDTH},"
            f"height={HEIGHT},framerate={FRAME_RATE}/1 ! {encoder} ! {row.encoded} ! {payloader} ! "
            f"udpsink host=127.0.0.1 port={port} sync=false async=false"
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._pipeline.set_state(Gst.State.PLAYING)
        self._thread.start()

    def _draw(self) -> None:
        rest = bytes([110]) * (WIDTH * (HEIGHT - CELL)) + bytes([128]) * (WIDTH * HEIGHT // 2)
        source, began, number = self._pipeline.get_by_name("in"), time.monotonic(), 0
        while not self._ended.wait(max(0.0, began + number / DRAWN_RATE - time.monotonic())):
            cells = b"".join(bytes([LIGHT if number >> bit & 1 else DARK]) * CELL for bit in range(BITS))
            frame = cells.ljust(WIDTH, bytes([DARK])) * CELL + rest
            self.drawn[number] = time.monotonic()
            source.emit("push-buffer", Gst.Buffer.new_wrapped(frame))
            number += 1

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._pipeline.set_state(Gst.State.NULL)


class Screen:
    """Receives a picture and notes when each number was first seen."""

    def __init__(self) -> None:
        row = codecs.BY_NAME["H264"]
        self.seen: dict[int, float] = {}
        self._pipeline = Gst.parse_launch(
            f"udpsrc name=in port=0 address=127.0.0.1 buffer-size=1000000 caps=application/x-rtp,media=video,"
            f"encoding-name=H264,clock-rate=90000,payload={H264.payload_type} ! "
            f"rtpjitterbuffer latency={rtp_transport.JITTER} ! {row.depayloader} ! {row.decoder} ! videoconvert ! "
            "video/x-raw,format=I420 ! appsink name=out sync=false emit-signals=true"
        )
        self._pipeline.get_by_name("out").connect("new-sample", self._look)
        self._pipeline.set_state(Gst.State.PLAYING)
        self.port: int = self._pipeline.get_by_name("in").get_property("port")

    def _look(self, out: Any) -> Any:
        now = time.monotonic()
        sample = out.emit("pull-sample")
        width = sample.get_caps().get_structure(0).get_value("width")
        if width == WIDTH:
            line = sample.get_buffer().extract_dup(WIDTH * (CELL // 2), WIDTH)
            number = sum((line[bit * CELL + CELL // 2] > (LIGHT + DARK) // 2) << bit for bit in range(BITS))
            self.seen.setdefault(number, now)
        return Gst.FlowReturn.OK

    def close(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)


class Clicker:
    """Sends G.711 silence with clicks from one socket and listens for them on another."""

    def __init__(self, port: int | None) -> None:
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.bind(("127.0.0.1", 0))
        self._ear.settimeout(0.2)
        self.port: int = self._ear.getsockname()[1]
        self._mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mouth.bind(("127.0.0.1", 0))
        self.own: int = self._mouth.getsockname()[1]
        self._to = port or self.port
        self._ended = threading.Event()
        self.answers: int | None = None
        """Port that is sent silence for every packet that is heard, so that the far end of it is not taken for gone."""
        self._clicked = 0.0
        self.travelled: list[tuple[float, float]] = []
        """When and how long, seconds."""
        self._threads = [threading.Thread(target=job, daemon=True) for job in (self._speak, self._listen)]

    def start(self, port: int | None = None) -> None:
        self._to = port or self._to
        for thread in self._threads:
            thread.start()

    def _speak(self) -> None:
        began, number = time.monotonic(), 0
        while not self._ended.wait(max(0.0, began + number * 0.02 - time.monotonic())):
            click = number % CLICK_EVERY == 0
            header = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, 0xC11C)
            if click:
                self._clicked = time.monotonic()
            self._mouth.sendto(header + (CLICK if click else SILENCE), ("127.0.0.1", self._to))
            number += 1

    def _listen(self) -> None:
        answered = 0
        while not self._ended.is_set():
            try:
                data = self._ear.recv(2048)
            except TimeoutError:
                continue
            now = time.monotonic()
            if self.answers:
                answered = (answered + 1) & 0xFFFF
                header = struct.pack("!BBHII", 0x80, 0, answered, answered * 160, 0xC11D)
                self._ear.sendto(header + SILENCE, ("127.0.0.1", self.answers))
            loud = data[1] & 0x7F == 0 and any(sample & 0x7F < 0x30 for sample in data[12:])
            if loud and self._clicked and (not self.travelled or self._clicked > self.travelled[-1][0]):
                self.travelled.append((self._clicked, now - self._clicked))

    def close(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._mouth.close()
        self._ear.close()


def describe(audio: int, video: int) -> MediaDescription:
    """A peer's or leg's side."""
    streams = zip(KINDS, (audio, video), (PCMU, H264), strict=True)
    return MediaDescription(
        address="127.0.0.1",
        streams=tuple(
            MediaStream(kind=kind, port=port, address="127.0.0.1", codecs=(codec,), profile="RTP/AVPF")
            for kind, port, codec in streams
        ),
    )


Delays = tuple[list[float], list[float]]
"""Of pictures and of clicks, seconds."""


async def collect(camera: Camera, screen: Screen, clicker: Clicker, seconds: float) -> Delays:
    """What arrives after warming up."""
    await asyncio.sleep(WARMING)
    since = time.monotonic()
    await asyncio.sleep(seconds)
    for part in (camera, clicker, screen):
        part.close()
    pictures = [
        screen.seen[number] - drawn for number, drawn in camera.drawn.items() if drawn > since and number in screen.seen
    ]
    return pictures, [took for when, took in clicker.travelled if when > since]


async def direct(seconds: float) -> Delays:
    """From peer to peer."""
    screen, clicker = Screen(), Clicker(None)
    clicker.start()
    return await collect(Camera(screen.port), screen, clicker, seconds)


async def engine(seconds: float) -> Delays:
    """Through a conference of two."""
    async with worker_pool() as pool:
        worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
        screen, clicker = Screen(), Clicker(None)
        ends = ("sender", "viewer")
        await worker.compose(m.Compose(views={"sender": Scene(), "viewer": SHOWN}, watching={one: one for one in ends}))
        ports = {leg: (await worker.reserve_rtp(leg, KINDS))[1] for leg in ends}
        far = {"sender": describe(clicker.own, rtp_parts.DISCARD), "viewer": describe(clicker.port, screen.port)}
        for leg, side in far.items():
            await worker.connect_rtp(leg, describe(*ports[leg]), side)
            await worker.start(leg)
        audio, video = ports["sender"]
        clicker.start(audio)
        delays = await collect(Camera(video), screen, clicker, seconds)
        await pool.release(worker)
        return delays


def show(what: str, through: Sequence[float], without: Sequence[float]) -> None:
    """A line each, and the difference, in milliseconds."""
    figures: list[tuple[float, float]] = []
    for name, taken in ((f"{what} through the engine", through), (f"{what} directly", without)):
        if len(taken) < 20:
            raise SystemExit(f"{name}: only {len(taken)} arrived")
        ordered = sorted(1000 * value for value in taken)
        figures.append((statistics.median(ordered), ordered[int(0.95 * len(ordered))]))
        print(f"{name:28} median {figures[-1][0]:6.1f} ms  p95 {figures[-1][1]:6.1f} ms  of {len(taken)}")
    added = [one - two for one, two in zip(*figures, strict=True)]
    print(f"{what + ', added':28} median {added[0]:6.1f} ms  p95 {added[1]:6.1f} ms")


async def main(seconds: float) -> None:
    stage.load()  # initialises GStreamer
    without = await direct(seconds / 2)
    through = await engine(seconds)
    show("picture", through[0], without[0])
    show("sound", through[1], without[1])


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0), 60))
