"""Far ends for `bench.loss`: what they send says which frame it is, and what they get is looked at and listened to.

A frame has its number in large black and white cells above a smooth moving pattern that follows from the number, so
whoever receives it knows what it should look like. The sound is as rich in overtones as a voice that goes on (codecs
for speech make up little of a pure tone): every moment without it is a gap.
"""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from typing import Any

import numpy as np

from rostra.domain.media import CodecParameters, MediaDescription, MediaStream
from rostra.media import codecs
from rostra.media.engine import branches, ports
from rostra.media.engine.gst import Gst
from rostra.media.engine.rungs import LADDER

from .peers import FRAME_RATE, KINDS

WIDTH, HEIGHT, CELL, BITS = 1280, 720, 80, 14
LIGHT, DARK = 220, 30
GRID = 16
"""Pixels between those that are looked at."""
WRONG = 25
"""A pixel that is so far off is wrong;"""
BROKEN = 0.02
"""a picture with a larger share of them is broken."""
RATE = 48000
BLOCK = RATE // 100
GAP = 0.1
"""Sound is missing where it has less than this share of its usual strength."""
LATENCY = 200
"""Milliseconds of the far ends' jitter buffers."""


def _pattern() -> np.ndarray:
    """Twice as wide as a picture: frames are windows into it that move."""
    coarse = np.random.default_rng(5).uniform(60, 190, (12, 20))
    rows, columns = np.linspace(0, 11, HEIGHT - CELL), np.linspace(0, 20, WIDTH, endpoint=False)
    x, y = columns.astype(int), np.minimum(rows.astype(int), 10)
    coarse = np.hstack((coarse, coarse[:, :1]))
    fx, fy = (columns - x)[None, :], (rows - y)[:, None]
    top = coarse[y][:, x] * (1 - fx) + coarse[y][:, x + 1] * fx
    bottom = coarse[y + 1][:, x] * (1 - fx) + coarse[y + 1][:, x + 1] * fx
    made = (top * (1 - fy) + bottom * fy).astype(np.uint8)
    return np.hstack((made, made))


PATTERN = _pattern()
STEP = 4
"""Pixels it moves from frame to frame."""


def drawn(number: int) -> bytes:
    """The frame, I420."""
    cells = np.full((CELL, WIDTH), DARK, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            cells[:, bit * CELL : (bit + 1) * CELL] = LIGHT
    begin = number * STEP % WIDTH
    return cells.tobytes() + PATTERN[:, begin : begin + WIDTH].tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)


def _at(luma: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The pixels at these places of 1280x720, whatever size was sent."""
    height, width = luma.shape
    return luma[np.ix_(rows * height // HEIGHT, columns * width // WIDTH)].astype(int)


def number_of(luma: np.ndarray) -> int:
    """The number in a picture's cells."""
    line = _at(luma, np.array([CELL // 2]), np.arange(BITS) * CELL + CELL // 2)[0]
    return sum(int(value > (LIGHT + DARK) // 2) << bit for bit, value in enumerate(line))


ROWS, COLUMNS = np.arange(CELL + 40, HEIGHT - 80, GRID), np.arange(8, WIDTH, GRID)


def wrong(luma: np.ndarray, number: int) -> float:
    """Share of the pixels looked at that are not what they should be; the edges, which may be drawn over, are not."""
    meant = PATTERN[np.ix_(ROWS - CELL, COLUMNS + number * STEP % WIDTH)].astype(int)
    return float((np.abs(_at(luma, ROWS, COLUMNS) - meant) > WRONG).mean())


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What a far end got in a stretch of time."""

    frames: float
    """New ones a second."""
    frozen: float
    """Share of the time in pauses of more than a freeze's length (as W3C webrtc-stats counts them)."""
    broken: float
    """Share of the frames."""
    gaps: float
    """Share of the time without sound."""
    concealed: float = 0.0
    """Share of the sound that was made up, where it is known."""


class Look:
    """What has come of pictures and sound, by its time."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, float]] = []
        """When a new number came, and how much of it was wrong."""
        self.blocks: list[tuple[float, float]] = []
        """When 10 ms of sound came, and their strength."""
        self._numbers: set[int] = set()

    def picture(self, out: Any) -> Any:
        sample, now = out.emit("pull-sample"), time.monotonic()
        shape, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        width, height = shape.get_value("width"), shape.get_value("height")
        stride = (width + 3) // 4 * 4
        luma = np.frombuffer(buffer.extract_dup(0, stride * height), np.uint8).reshape(height, stride)[:, :width]
        number = number_of(luma)
        if number not in self._numbers:
            self._numbers.add(number)
            self.frames.append((now, wrong(luma, number)))
        return Gst.FlowReturn.OK

    def sound(self, out: Any) -> Any:
        sample, now = out.emit("pull-sample"), time.monotonic()
        buffer = sample.get_buffer()
        samples = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.int16).astype(float)
        for begin in range(0, len(samples) - BLOCK + 1, BLOCK):
            self.blocks.append((now, float(np.sqrt((samples[begin : begin + BLOCK] ** 2).mean()))))
        return Gst.FlowReturn.OK

    def figures(self, begin: float, end: float) -> Figures:
        times = [at for at, _ in self.frames if begin <= at < end]
        steps = np.diff([begin, *times, end])
        mean = (end - begin) / max(1, len(times))
        longest = max(3 * min(mean, 1 / FRAME_RATE), 1 / FRAME_RATE + 0.15)
        blocks = [strength for at, strength in self.blocks if begin <= at < end]
        usual = float(np.median(blocks)) if blocks else 0.0
        sounding = sum(strength >= GAP * usual for strength in blocks) * BLOCK / RATE if usual else 0.0
        return Figures(
            frames=len(times) / (end - begin),
            frozen=float(steps[steps > longest].sum()) / (end - begin),
            broken=sum(share > BROKEN for at, share in self.frames if begin <= at < end) / max(1, len(times)),
            gaps=max(0.0, 1 - sounding / (end - begin)),
        )


class Camera:
    """Frames in their time, on a thread of its own."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._thread.start()

    def _draw(self) -> None:
        began, number = time.monotonic(), 0
        while not self._ended.wait(max(0.0, began + number / FRAME_RATE - time.monotonic())):
            number += 1
            self._source.emit("push-buffer", Gst.Buffer.new_wrapped(drawn(number % (1 << BITS))))

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


class Phone:
    """A SIP system: RTP and RTCP of sound and pictures on ports of their own.

    It asks for what it misses and sends again what is asked for, as its codecs' `feedback` says (RFC 4585).
    """

    def __init__(self, audio: CodecParameters, video: CodecParameters, *, shows: bool, tone: int) -> None:
        """`shows`: it has a camera; without one it looks."""
        self.codecs = (audio, video)
        self.shows, self.tone = shows, tone
        self.look = Look()
        self.sockets = [[socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)] for _ in KINDS]
        for pair in self.sockets:
            for one in pair:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                one.bind(("127.0.0.1", 0))
        self._camera: Camera | None = None
        self._pipeline: Any = None

    def address(self, stream: int, component: int) -> tuple[str, int]:
        return self.sockets[stream][component].getsockname()

    def play(self, destinations: list[list[int]]) -> None:
        """Begin; RTP and RTCP of each stream go to these ports."""
        parts = ["rtpbin name=rtp rtp-profile=avpf do-lost=true autoremove=true"]
        for index, codec in enumerate(self.codecs):
            row = codecs.BY_NAME[codec.name]
            nack = "nack" in codec.feedback
            media = "video" if index else "audio"
            caps = (
                f"application/x-rtp,media={media},encoding-name={codec.name},clock-rate={codec.clock_rate},"
                f"payload={codec.payload_type}"
            )
            if nack:
                caps += ",rtcp-fb-nack=true,rtcp-fb-nack-pli=true"
            rung = LADDER[0]
            encoder = row.encoder.format(bitrate=rung.bitrate, kilobits=rung.bitrate // 1000, mtu=branches.PAYLOAD)
            payloader = row.payloader.format(payload_type=codec.payload_type, mtu=branches.PACKET)
            source = (
                f"appsrc name=camera is-live=true do-timestamp=true format=time max-buffers=4 leaky-type=downstream "
                f"caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FRAME_RATE}/1"
                if index
                else f"audiotestsrc is-live=true wave=saw freq={self.tone} volume=0.3 samplesperbuffer=960 ! "
                f"audioconvert ! audioresample ! audio/x-raw,rate={row.sample_rate},channels=1"
            )
            again = "rostraagain ! " if nack else ""
            if not index or self.shows:
                parts.append(f"{source} ! {encoder} ! {payloader} ! {again}rtp.send_rtp_sink_{index}")
                parts.append(f"rtp.send_rtp_src_{index} ! udpsink name=rtp-out-{index} sync=false async=false")
            parts.append(f"udpsrc name=rtp-in-{index} caps={caps} ! rtp.recv_rtp_sink_{index}")
            parts.append(f"udpsrc name=rtcp-in-{index} caps=application/x-rtcp ! rtp.recv_rtcp_sink_{index}")
            parts.append(f"rtp.send_rtcp_src_{index} ! udpsink name=rtcp-out-{index} sync=false async=false")
        self._pipeline = Gst.parse_launch(" ".join(parts))
        for index in range(len(self.codecs)):
            for component, name in enumerate(("rtp", "rtcp")):
                for way in ("in", "out"):
                    element = self._pipeline.get_by_name(f"{name}-{way}-{index}")
                    if element is not None:
                        element.set_property("socket", ports.shared(self.sockets[index][component]))
                        if way == "out":
                            element.set_property("host", "127.0.0.1")
                            element.set_property("port", destinations[index][component])
        rtpbin = self._pipeline.get_by_name("rtp")
        rtpbin.set_property("latency", LATENCY)
        rtpbin.connect("new-jitterbuffer", self._buffer)
        rtpbin.connect("pad-added", self._pad_added)
        self._pipeline.set_state(Gst.State.PLAYING)
        if self.shows:
            self._camera = Camera(self._pipeline.get_by_name("camera"))

    def _buffer(self, _: Any, buffer: Any, session: int, __: int) -> None:
        if "nack" in self.codecs[session].feedback:
            buffer.set_property("do-retransmission", True)
            buffer.set_property("rtx-next-seqnum", False)
            buffer.set_property("rtx-delay", 10)
            buffer.set_property("rtx-retry-timeout", 80)

    def _pad_added(self, _: Any, pad: Any) -> None:
        if not pad.get_name().startswith("recv_rtp_src_"):
            return
        index = int(pad.get_name().split("_")[3])
        row = codecs.BY_NAME[self.codecs[index].name]
        out = (
            "videoconvert ! videoscale ! video/x-raw,format=I420,width=1280,height=720 ! appsink name=out sync=false "
            "max-buffers=8"
            if index
            else f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate={RATE} ! appsink name=out "
            "sync=false max-buffers=50"
        )
        if index and self.shows:
            made = Gst.parse_bin_from_description("fakesink sync=false async=false", True)
        else:
            made = Gst.parse_bin_from_description(f"{row.depayloader} ! {row.decoder} ! {out}", True)
            sink = made.get_by_name("out")
            sink.set_property("emit-signals", True)
            if index:  # it shows pictures in their time, as its buffer allows
                sink.set_property("sync", True)
                sink.set_property("ts-offset", LATENCY * 1_000_000)
            sink.connect("new-sample", self.look.picture if index else self.look.sound)
            iterator = made.iterate_elements()
            while (found := iterator.next())[0] == Gst.IteratorResult.OK:
                if found[1].find_property("automatic-request-sync-points"):
                    found[1].set_property("automatic-request-sync-points", True)
        self._pipeline.add(made)
        made.sync_state_with_parent()
        pad.link(made.get_static_pad("sink"))

    def close(self) -> None:
        if self._camera:
            self._camera.close()
        if self._pipeline:
            self._pipeline.set_state(Gst.State.NULL)
        for pair in self.sockets:
            for one in pair:
                one.close()

    async def looked(self, begin: float, end: float) -> Figures:
        """What came between two times, of which the second is now."""
        return self.look.figures(begin, end) if end > begin else Figures(0, 0, 0, 0)

    def description(self, places: list[list[int]]) -> MediaDescription:
        """With these ports for RTP and RTCP of each stream."""
        return MediaDescription(
            address="127.0.0.1",
            streams=tuple(
                MediaStream(
                    kind=kind, address="127.0.0.1", port=rtp, rtcp_port=rtcp, codecs=(codec,), profile="RTP/AVPF"
                )
                for kind, (rtp, rtcp), codec in zip(KINDS, places, self.codecs, strict=True)
            ),
        )
