"""Far ends of the self-check: send a recording over RTP in a loop and count what comes back."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import threading
import time
from collections.abc import Sequence
from typing import Any

from rostra.media.engine.gst import Gst

_HEADER = struct.Struct("!BBHII")
_STEP = 0.005
"""Seconds between two looks at the clock: in batches is cheaper than waking for every packet."""


@dataclasses.dataclass(frozen=True, slots=True)
class Track:
    """A packetized recording: the payloads of each unit (a picture, or a packet of sound), in equal steps."""

    units: list[list[tuple[bool, bytes]]]
    """Marker bit and payload."""
    step: float
    """Seconds."""
    clock_rate: int
    payload_type: int
    marked: bool
    """A marker bit ends a unit; else every packet is one."""


def record(launch: str, *, marked: bool) -> list[list[tuple[bool, bytes]]]:
    """Run a pipeline that makes RTP packets and keep them as units of a track."""
    pipeline: Any = Gst.parse_launch(f"{launch} ! appsink name=out sync=false")
    pipeline.set_state(Gst.State.PLAYING)
    out = pipeline.get_by_name("out")
    units: list[list[tuple[bool, bytes]]] = [[]]
    while (sample := out.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        packet: bytes = buffer.extract_dup(0, buffer.get_size())
        marker = bool(packet[1] & 0x80)
        units[-1].append((marker, packet[12:]))
        if marker or not marked:
            units.append([])
    pipeline.set_state(Gst.State.NULL)
    return units[:-1]


class _Stream:
    """One looped stream from one socket."""

    def __init__(self, track: Track, number: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.to: int | None = None
        self.received = 0
        self._track = track
        self._source = 0x1000 + number
        # everybody is somewhere else in the recording, so that key frames do not come all at once
        self._offset = number * 7
        self._sequence = self._sent = 0
        self._began = 0.0

    def send_due(self, now: float) -> None:
        if self.to is None:
            return
        self._began = self._began or now
        track = self._track
        while self._began + self._sent * track.step <= now:
            stamp = round(self._sent * track.step * track.clock_rate) & 0xFFFFFFFF
            for marker, payload in track.units[(self._sent + self._offset) % len(track.units)]:
                kind = track.payload_type | (0x80 if marker else 0)
                header = _HEADER.pack(0x80, kind, self._sequence & 0xFFFF, stamp, self._source)
                with contextlib.suppress(BlockingIOError, ConnectionError):  # lost, as on a network
                    self.socket.sendto(header + payload, ("127.0.0.1", self.to))
                self._sequence += 1
            self._sent += 1

    def receive(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):  # nothing more, or nobody there yet
            while True:
                packet = self.socket.recv(2048)
                if packet[1] & 0x7F == self._track.payload_type:
                    self.received += packet[1] >> 7 if self._track.marked else 1


class FarEnds:
    """All far ends and the thread that plays them; a context manager."""

    def __init__(self, tracks: Sequence[Sequence[Track]]) -> None:
        """`tracks`: what each far end sends, of the same kinds."""
        self._streams = [[_Stream(track, number) for track in sent] for number, sent in enumerate(tracks)]
        self._tracks = tracks[0]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.processor = 0.0
        """Processor seconds of the thread so far."""

    def __enter__(self) -> FarEnds:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for stream in self._all():
            stream.socket.close()

    def ports(self, number: int) -> tuple[int, ...]:
        return tuple(stream.port for stream in self._streams[number])

    def send_to(self, number: int, ports: Sequence[int]) -> None:
        for stream, port in zip(self._streams[number], ports, strict=True):
            stream.to = port

    @property
    def all_served(self) -> bool:
        """Something came back on every stream."""
        return all(stream.received for stream in self._all())

    @property
    def received(self) -> int:
        """Units of the last track (the costliest) that came back so far."""
        return sum(streams[-1].received for streams in self._streams)

    @property
    def expected(self) -> float:
        """How many of them should come back in a second."""
        return len(self._streams) / self._tracks[-1].step

    def _all(self) -> list[_Stream]:
        return [stream for streams in self._streams for stream in streams]

    def _serve(self) -> None:
        streams = self._all()
        while not self._ended.is_set():
            time.sleep(_STEP)
            now = time.monotonic()
            for stream in streams:
                stream.send_due(now)
                stream.receive()
            self.processor = time.thread_time()
