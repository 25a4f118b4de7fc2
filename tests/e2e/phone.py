"""A SIP endpoint for tests that drive browsers: baresip with an event loop of its own, used synchronously."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy

from tests.e2e.baresip import Baresip
from tests.e2e.people import Colour

T = TypeVar("T")


class Phone:
    """One baresip; every method waits for what it does."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.baresip = Baresip(directory, **settings)

    def _do(self, work: Coroutine[Any, Any, T], timeout: float = 30) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def __enter__(self) -> Phone:
        self._thread.start()
        self._do(self.baresip.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self.baresip.__aexit__(kind, value, trace))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def call(self, uri: str) -> None:
        self._do(self.baresip.dial(uri))
        self._do(self.baresip.wait_for("CALL_ESTABLISHED", 10))

    def wait_for(self, event: str, seconds: float = 10) -> dict[str, Any]:
        return self._do(self.baresip.wait_for(event, seconds))

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.baresip.events if event.get("type") == kind]

    def do(self, command: str, parameters: str = "") -> None:
        """Any command of its menu."""
        self._do(self.baresip.command(command, parameters))

    def press(self, digits: str) -> None:
        self._do(self.baresip.press(digits))

    def hang_up(self) -> None:
        self._do(self.baresip.hang_up())
        self._do(self.baresip.wait_for("CALL_CLOSED", 10))

    def see(self, *points: tuple[int, int]) -> list[Colour]:
        """Colours at points of 1280x720 of the picture received now."""
        return colours(self._do(self.baresip.snapshot()), *points)

    def hear(self, *frequencies: int) -> list[float]:
        """Level in dB of each tone in the last second recorded so far."""
        return tones(self.baresip.recording, *frequencies)


def colours(picture: Path, *points: tuple[int, int]) -> list[Colour]:
    """Colours at points of a PNG, scaled to 1280x720."""
    scale = ["-vf", "scale=1280:720:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(picture), *scale], check=True, capture_output=True, timeout=30
    ).stdout
    pixels = numpy.frombuffer(raw, numpy.uint8).reshape(720, 1280, 3)
    seen: list[Colour] = []
    for x, y in points:
        red, green, blue = pixels[y - 4 : y + 4, x - 4 : x + 4].reshape(-1, 3).mean(axis=0).round().astype(int)
        seen.append((int(red), int(green), int(blue)))
    return seen


def tones(recording: Path, *frequencies: int) -> list[float]:
    """Level in dB of each frequency in the last second of a 16-bit WAV file that may still be growing."""
    raw = recording.read_bytes() if recording.exists() else b""
    if len(raw) <= 44:
        return [-200.0] * len(frequencies)
    channels, rate = struct.unpack_from("<HI", raw, 22)
    usable = len(raw) - 44 - (len(raw) - 44) % (2 * channels)
    samples = numpy.frombuffer(raw, "<i2", usable // 2, 44).reshape(-1, channels)[:, 0].astype(float) / 32768
    last = samples[-rate:]
    if len(last) < rate // 2:
        return [-200.0] * len(frequencies)
    spectrum = numpy.abs(numpy.fft.rfft(last * numpy.hanning(len(last)))) * 4 / len(last)
    found: list[float] = []
    for frequency in frequencies:
        centre = round(frequency * len(last) / rate)
        peak = float(spectrum[max(0, centre - 4) : centre + 5].max())
        found.append(20 * float(numpy.log10(max(peak, 1e-10))))
    return found
