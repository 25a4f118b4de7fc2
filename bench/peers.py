"""Far ends for benchmarks: RTP endpoints that send a recorded moving picture and voice, and count what they receive.

Everything is encoded and packetized before the measurement, so that a peer costs next to nothing while it runs;
one thread of this process serves all peers.
"""

from __future__ import annotations

import dataclasses
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.media.engine.gst import Gst

KINDS = (MediaKind.AUDIO, MediaKind.VIDEO)
OPUS = CodecParameters(name="OPUS", payload_type=111, clock_rate=48000, channels=2)
H264 = CodecParameters(
    name="H264",
    payload_type=97,
    clock_rate=90000,
    parameters={"profile-level-id": "42e01f", "packetization-mode": "1"},
    feedback=("nack pli",),
)
FRAME_RATE = 30
SECONDS = 8
"""Length of the recording; it is sent in a loop."""
PICTURE = "testsrc2=s={size}:r=30,noise=alls=6:allf=t"
"""Moving, with sharp edges and the noise of a camera."""
_HEADER = struct.Struct("!BBHII")


def record(path: Path, bitrate: int = 1_500_000, size: str = "1280x720") -> None:
    """Write the moving picture as H.264 constrained baseline at 30 fps, a key frame every two seconds."""
    subprocess.run(
        [
            *(
                "ffmpeg",
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                f"{PICTURE.format(size=size)},trim=duration={SECONDS}",
            ),
            *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast"),
            *("-tune", "zerolatency", "-b:v", str(bitrate), "-maxrate", str(bitrate), "-bufsize", str(bitrate // 2)),
            *("-g", "60", "-x264-params", "scenecut=0", "-f", "h264", str(path)),
        ],
        check=True,
        timeout=60,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """The payloads of one frame of video or audio, each with its marker bit, and how long it lasts."""

    payloads: tuple[tuple[bool, bytes], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Track:
    """A packetized recording: units in equal steps."""

    codec: CodecParameters
    units: tuple[Unit, ...]
    step: float
    """Seconds."""

    @property
    def ticks(self) -> int:
        """RTP time of a step."""
        return round(self.step * self.codec.clock_rate)


def picture(path: Path) -> Track:
    """The packets of a recorded picture."""
    pulled = packets(f"filesrc location={path} ! h264parse ! rtph264pay mtu=1200 config-interval=-1")
    units: list[Unit] = []
    collected: list[tuple[bool, bytes]] = []
    for marker, payload in pulled:
        collected.append((marker, payload))
        if marker:
            units.append(Unit(tuple(collected)))
            collected.clear()
    return Track(H264, tuple(units), 1 / FRAME_RATE)


def voice() -> Track:
    """The packets of some noise in Opus."""
    pulled = packets(
        f"audiotestsrc wave=pink-noise volume=0.1 samplesperbuffer=960 num-buffers={50 * SECONDS} ! "
        "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=40000 audio-type=voice frame-size=20 ! rtpopuspay"
    )
    return Track(OPUS, tuple(Unit((packet,)) for packet in pulled), 0.02)


def packets(launch: str) -> list[tuple[bool, bytes]]:
    """Marker and payload of every RTP packet a pipeline makes."""
    pipeline = Gst.parse_launch(f"{launch} ! appsink name=out sync=false max-buffers=4")
    pipeline.set_state(Gst.State.PLAYING)
    out, found = pipeline.get_by_name("out"), []
    while (sample := out.emit("pull-sample")) is not None:
        buffer: Any = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        found.append((bool(data[1] & 0x80), data[12:]))
    pipeline.set_state(Gst.State.NULL)
    return found


def describe(ports: Sequence[int], *, whole: bool = False) -> MediaDescription:
    """Audio and video on these ports of this machine, RTCP beside RTP. `whole`: only packets of whole slices."""
    parameters = H264.parameters | ({"packetization-mode": "0"} if whole else {})
    picture = msgspec.structs.replace(H264, parameters=parameters)
    streams = zip(KINDS, ports, ((OPUS,), (picture,)), strict=True)
    return MediaDescription(
        address="127.0.0.1",
        streams=tuple(
            MediaStream(kind=kind, port=port, address="127.0.0.1", codecs=codecs, profile="RTP/AVPF")
            for kind, port, codecs in streams
        ),
    )


class _Outlet:
    """One looped stream from one socket."""

    def __init__(self, track: Track, number: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.to: tuple[str, int] | None = None
        self.frames = 0
        self.bytes = 0
        self._track = track
        self._source = 0x5000 + number
        # everybody is somewhere else in the recording, so key frames do not come all at once
        self._unit = (number * 23) % len(track.units)
        self._sequence = 1000 * number
        self._sent = 0
        self._began = 0.0

    def send_due(self, now: float) -> None:
        if self.to is None:
            return
        self._began = self._began or now
        while self._began + self._sent * self._track.step <= now:
            unit = self._track.units[self._unit]
            for marker, payload in unit.payloads:
                second = self._track.codec.payload_type | (0x80 if marker else 0)
                stamp = self._sent * self._track.ticks & 0xFFFFFFFF
                header = _HEADER.pack(0x80, second, self._sequence & 0xFFFF, stamp, self._source)
                self.socket.sendto(header + payload, self.to)
                self._sequence += 1
            self._sent += 1
            self._unit = (self._unit + 1) % len(self._track.units)

    def receive(self) -> None:
        while True:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            if data[1] & 0x7F == self._track.codec.payload_type:
                self.bytes += len(data)
                self.frames += data[1] >> 7


class Peer:
    """A participant's far end."""

    def __init__(self, number: int, tracks: Sequence[Track]) -> None:
        self.outlets = [_Outlet(track, number) for track in tracks]

    @property
    def ports(self) -> list[int]:
        return [outlet.port for outlet in self.outlets]

    def send_to(self, ports: Sequence[int]) -> None:
        for outlet, port in zip(self.outlets, ports, strict=True):
            outlet.to = ("127.0.0.1", port)

    @property
    def received(self) -> tuple[int, int]:
        """Frames and bytes of video so far."""
        return self.outlets[1].frames, self.outlets[1].bytes


class Peers:
    """The thread that serves peers; a context manager."""

    def __init__(self, count: int, tracks: Sequence[Track]) -> None:
        self.all = [Peer(number, tracks) for number in range(count)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Peers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for outlet in self._outlets():
            outlet.socket.close()

    def _outlets(self) -> list[_Outlet]:
        return [outlet for peer in self.all for outlet in peer.outlets]

    def _serve(self) -> None:
        outlets = {outlet.socket: outlet for outlet in self._outlets()}
        while not self._ended.is_set():
            time.sleep(0.005)  # in batches: cheaper than waking for every packet
            now = time.monotonic()
            for outlet in outlets.values():
                outlet.send_due(now)
            for ready in select.select(list(outlets), [], [], 0)[0]:
                outlets[ready].receive()
