"""The codec floor: decoding what callers send and encoding what they get, alone, in a process of its own.

`python -m bench.capacity.floor H264 OPUS 4 5` decodes four streams for five seconds in real time, then encodes the
composed picture four times likewise, with the engine's elements and settings; prints JSON: cores for one call of each,
and how like the composed picture the encoded one is. What feeding costs is left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.load import footage
from bench.load.footage import Track
from bench.load.judging import Frame
from bench.load.meeting import CODECS
from bench.load.pictures import THEME, decode, scene, similarity
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH
from rostra.media import codecs
from rostra.media.engine import branches, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.themes import ThemeFiles

WARMING = 0.7
FRAMES = 60
"""Composed pictures that are encoded again and again."""


class Branch:
    """A pipeline that is fed in real time."""

    def __init__(self, launch: str, caps: str, items: Sequence[Sequence[bytes]], step: float, phase: float) -> None:
        self._pipeline = Gst.parse_launch(
            f"appsrc name=in is-live=true format=time max-buffers=300 leaky-type=downstream caps={caps} ! {launch}"
        )
        self._source = self._pipeline.get_by_name("in")
        self.out: Any = self._pipeline.get_by_name("out")
        self._items = [[Gst.Buffer.new_wrapped(part) for part in item] for item in items]
        self._step, self.due, self._count = step, phase, 0
        self._pipeline.set_state(Gst.State.PLAYING)

    def feed(self) -> None:
        for part in self._items[self._count % len(self._items)]:
            made = part.copy()
            made.pts = int(self._count * self._step * Gst.SECOND)
            self._source.emit("push-buffer", made)
        self._count += 1
        self.due += self._step

    def close(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)


def cores(made: list[Branch], seconds: float) -> float:
    """Processor seconds per second while these are fed, without the feeding."""
    origin = time.monotonic()
    begun: tuple[float, float, float] | None = None
    while (now := time.monotonic() - origin) < WARMING + seconds:
        if begun is None and now >= WARMING:
            begun = now, time.process_time(), time.thread_time()
        for branch in made:
            if branch.due <= now:
                branch.feed()
        time.sleep(0.001)
    assert begun is not None
    used = time.process_time() - begun[1] - (time.thread_time() - begun[2])
    return used / (now - begun[0])


def packets(track: Track) -> list[list[bytes]]:
    """The units of a track as packets of RTP."""
    found, number = [], 0
    for at, unit in enumerate(track.units):
        one = []
        for marker, payload in unit.payloads:
            number += 1
            head = bytes((0x80, track.codec.payload_type | marker << 7)) + (number & 0xFFFF).to_bytes(2)
            one.append(head + (at * track.ticks).to_bytes(4) + bytes(4) + payload)
        found.append(one)
    return found


def decoders(tracks: Sequence[Track], count: int) -> list[Branch]:
    made = []
    for track in tracks:
        row, units = codecs.BY_NAME[track.codec.name], packets(track)
        raw = "videoconvert ! video/x-raw,format=I420" if track.codec.clock_rate == 90000 else "audioconvert"
        caps = (
            f"application/x-rtp,media={row.kind},encoding-name={row.name},clock-rate={row.clock_rate},"
            f"payload={track.codec.payload_type}"
        )
        launch = f"{row.depayloader} ! {row.decoder} ! {raw} ! fakesink sync=false"
        made += [Branch(launch, caps, units, track.step, at * track.step / count) for at in range(count)]
    return made


def encoders(picture: str, sound: str, composed: Sequence[bytes], count: int) -> list[Branch]:
    made = []
    row = codecs.BY_NAME[sound]
    caps = f"audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={stage.SAMPLE_RATE}"
    noise = np.random.default_rng(1).normal(0, 2000, 48000).astype(np.int16).reshape(50, 960)
    launch = (
        f"audioconvert ! audioresample quality=2 ! audio/x-raw,rate={row.sample_rate} ! "
        f"{row.encoder.format(bitrate=0, kilobits=0, mtu=branches.PAYLOAD)} ! fakesink sync=false"
    )
    items = [[one.tobytes()] for one in noise]
    made += [Branch(launch, caps, items, 0.02, at * 0.02 / count) for at in range(count)]
    if not picture:
        return made
    row, rate = codecs.BY_NAME[picture], footage.BITRATE
    encoder = row.encoder.format(bitrate=rate, kilobits=rate // 1000, mtu=branches.PAYLOAD)
    held = f"{row.encoded} ! " if row.encoded else ""
    caps = f"video/x-raw,format=I420,width={SCENE_WIDTH},height={SCENE_HEIGHT},framerate=30/1,colorimetry=bt601"
    payloader = row.payloader.format(payload_type=97, mtu=branches.PACKET)
    for at in range(count):
        end = f"{payloader} ! appsink name=out sync=false" if at == 0 else "fakesink sync=false"
        pictures = [[one] for one in composed]
        made.append(Branch(f"{encoder} ! {held}{end}", caps, pictures, 1 / 30, at / 30 / count))
    return made


def compose(others: int) -> list[bytes]:
    """Pictures of a meeting of the footage, each source at another place in it."""
    shown = scene(others)
    stage.set_view("floor", shown, ThemeFiles([str(THEME)]).image)
    frames = footage.frames()
    found = []
    for at in range(FRAMES):
        for number in range(others):
            planes = frames[(at + number * 29) % len(frames)].tobytes()
            stage.show(f"ideal{number}", footage.WIDTH, footage.HEIGHT, planes)
        found.append(stage.paint("floor", SCENE_WIDTH, SCENE_HEIGHT))
    return found


def likeness(branch: Branch, codec: str, composed: Sequence[bytes]) -> float:
    """Mean SSIM of what was encoded, every tenth picture."""
    frames, parts = [], []
    while sample := branch.out.emit("try-pull-sample", 0):
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        parts.append(data[12:])
        if data[1] & 0x80:
            running = sample.get_segment().to_running_time(Gst.Format.TIME, buffer.pts)
            number = round(running * footage.FRAME_RATE / Gst.SECOND)
            frames.append(Frame(float(number), number * 3000, tuple(parts)))
            parts.clear()
    found, _ = decode(footage.H264 if codec == "H264" else footage.VP8, frames, lambda at: round(at) % 10 == 0)
    size = SCENE_WIDTH * SCENE_HEIGHT
    alike = []
    for one in found[1:]:  # the first one has a budget of its own
        original = np.frombuffer(composed[round(one.arrived) % FRAMES], np.uint8)[:size]
        alike.append(similarity(one.luma, original.reshape(SCENE_HEIGHT, SCENE_WIDTH)))
    return sum(alike) / len(alike)


def main(picture: str, sound: str, count: int, seconds: float, others: int = 7) -> None:
    stage.load()  # initialises GStreamer
    tracks = [footage.voice(CODECS[sound], 0).speech] + ([footage.picture(picture)] if picture else [])
    receiving = decoders(tracks, count)
    decoding = cores(receiving, seconds) / count
    for branch in receiving:
        branch.close()
    composed = compose(others) if picture else []
    made = encoders(picture, sound, composed, count)
    first = next((branch for branch in made if branch.out is not None), None)
    encoding = cores(made, seconds) / count
    like = round(likeness(first, picture, composed), 4) if first else None
    for branch in made:
        branch.close()
    print(json.dumps({"decode": decoding, "encode": encoding, "ssim": like}))


if __name__ == "__main__":
    name, voice, streams, length, *more = sys.argv[1:]
    main(name.replace("-", ""), voice, int(streams), float(length), *(int(one) for one in more))
