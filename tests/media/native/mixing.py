"""The mixer block by block, without a clock (mixing.c)."""

from __future__ import annotations

import ctypes
import itertools
import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from rostra.media.engine.lines import State

RATE = 48000
BLOCK = 960
OPUS, PCMU = 1, 2
SOURCES = (
    *("hearing", "sums", "speech", "ring", "coders", "voices", "resample", "line", "clean", "conceal", "listener"),
)
PACKAGES = ("gstreamer-base-1.0", "gstreamer-video-1.0", "opus", "spandsp", "libsrtp2", "speexdsp")
Samples = np.ndarray


def build(directory: Path, native: Path) -> ctypes.CDLL:
    """The library for tests, once a session."""
    made = directory / "mixing.so"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", *PACKAGES], check=True, capture_output=True, text=True, timeout=20
    ).stdout.split()
    files = [
        *(native / f"{name}.c" for name in SOURCES),
        *native.glob("line_*.c"),
        Path(__file__).with_name("mixing.c"),
    ]
    subprocess.run(
        ["cc", "-std=gnu11", "-shared", "-fPIC", "-O2", "-w", f"-I{native}", "-o", made, *files, *flags, "-lm"],
        check=True, timeout=90,
    )  # fmt: skip
    library = ctypes.CDLL(str(made))
    for name in ("sim_speaker", "sim_listener", "sim_ear", "sim_line"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rostra_play.restype = library.sim_room.restype = ctypes.c_double
    return library


class Line:
    """An RTP line: packets are handed to it."""

    EVENTS = 101
    TYPES: Mapping[int, int] = {OPUS: 111, PCMU: 0}

    def __init__(self, library: ctypes.CDLL, leg: bytes, codec: int, *, tones: bool, suite: int) -> None:
        self._library = library
        self._line = ctypes.c_void_p(library.sim_line(leg, codec, self.TYPES[codec], self.EVENTS, tones, suite))
        self.type = self.TYPES[codec]
        self.state = State()

    def room(self) -> float:
        """Seconds of sound that would be decoded if they came now."""
        return float(self._library.sim_room(self._line))

    def take(self, packet: bytes) -> None:
        self._library.sim_take(self._line, packet, ctypes.c_size_t(len(packet)))

    def rtp(self, number: int, stamp: int, payload: bytes, source: int = 7, kind: int | None = None) -> None:
        head = struct.pack(
            "!BBHII", 0x80, self.type if kind is None else kind, number & 0xFFFF, stamp & 0xFFFFFFFF, source
        )
        self.take(head + payload)

    def read(self) -> State:
        self._library.rostra_line_read(self._line, ctypes.byref(self.state))
        return self.state

    def report(self) -> bytes:
        """What it would send now."""
        room = ctypes.create_string_buffer(1500)
        size = self._library.sim_report(self._line, room)
        return room.raw[:size]

    def keys(self) -> str:
        """Pressed since the last call, on any line."""
        handle, found = ctypes.c_uint64(), ""
        while key := self._library.rostra_line_next_key(ctypes.byref(handle)):
            found += chr(key)
        return found

    def close(self) -> None:
        self._library.rostra_line_close(self._line)


class Mixer:
    """A conference in simulated time; ids are its own, so that one library serves all tests."""

    _numbers = itertools.count()

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self._prefix = f"m{next(self._numbers)}-"
        self._speakers: dict[str, ctypes.c_void_p] = {}
        self._listeners: dict[str, ctypes.c_void_p] = {}
        self._ears: dict[str, ctypes.c_void_p] = {}

    def id(self, leg: str) -> bytes:
        return (self._prefix + leg).encode()

    def speaker(self, leg: str, *, even: bool = False) -> None:
        self._speakers[leg] = ctypes.c_void_p(self.library.sim_speaker(self.id(leg), even))

    def listener(self, leg: str) -> None:
        self._listeners[leg] = ctypes.c_void_p(self.library.sim_listener(self.id(leg)))

    def ear(self, leg: str, codec: int) -> None:
        self._ears[leg] = ctypes.c_void_p(self.library.sim_ear(self.id(leg), codec))

    def line(self, leg: str, codec: int, *, tones: bool = False, suite: int = 0) -> Line:
        """An RTP line of this leg; close it before the mixer. `suite`: of SRTP, as native/line_srtp.c numbers them."""
        return Line(self.library, self.id(leg), codec, tones=tones, suite=suite)

    def play(self, leg: str, samples: Samples) -> None:
        self.library.rostra_play(self.id(leg), samples.astype("<i2").tobytes(), ctypes.c_size_t(len(samples)))

    def stop_playing(self, leg: str) -> None:
        self.library.rostra_stop_playing(self.id(leg))

    def push(self, leg: str, samples: Samples) -> None:
        self.library.rostra_speaker_push(
            self._speakers[leg], samples.astype("<i2").tobytes(), ctypes.c_size_t(len(samples))
        )

    def tick(self) -> dict[str, Samples]:
        """20 ms pass: what is heard by each."""
        self.library.sim_tick()
        return self.exact() | self.coded()

    def exact(self) -> dict[str, Samples]:
        """What listeners heard in the latest tick."""
        return self._heard(self.library.sim_heard, self._listeners)

    def coded(self) -> dict[str, Samples]:
        """The same of ears."""
        return self._heard(self.library.sim_ear_heard, self._ears)

    def _heard(self, function: Callable[..., None], whose: dict[str, ctypes.c_void_p]) -> dict[str, Samples]:
        room = (ctypes.c_int16 * BLOCK)()
        found: dict[str, Samples] = {}
        for leg, one in whose.items():
            function(one, room)
            found[leg] = np.array(room, np.int32)
        return found

    def run(self, said: Mapping[str, Samples]) -> dict[str, Samples]:
        """Everybody says this from now on, at the same time; what each hears meanwhile."""
        blocks = max(len(one) for one in said.values()) // BLOCK
        heard: dict[str, list[Samples]] = {}
        for i in range(blocks):
            for leg, samples in said.items():
                if len(part := samples[i * BLOCK : (i + 1) * BLOCK]):
                    self.push(leg, part)
            for leg, block in self.tick().items():
                heard.setdefault(leg, []).append(block)
        return {leg: np.concatenate(parts) for leg, parts in heard.items()}

    def chosen(self, legs: Iterable[str]) -> list[str]:
        return [leg for leg in legs if self.library.sim_chosen(self._speakers[leg])]

    @property
    def coders(self) -> int:
        return self.library.sim_coders()

    def close(self) -> None:
        for one in self._speakers.values():
            self.library.rostra_speaker_leave(one)
        for one in self._listeners.values():
            self.library.rostra_listener_leave(one)
        for one in self._ears.values():
            self.library.sim_ear_end(one)
        for leg in {*self._speakers, *self._listeners, *self._ears}:
            self.library.rostra_remove_route(self.id(leg))


def tone(frequency: float, seconds: float, amplitude: float) -> Samples:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def level(samples: Samples) -> float:
    """dBov."""
    return 10 * np.log10(np.mean(np.square(samples.astype(float))) / 32768**2 + 1e-13)
