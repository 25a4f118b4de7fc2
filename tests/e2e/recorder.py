"""ffmpeg as an RTMP server that records what it is sent."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

import numpy
import numpy.typing

from tests.e2e.phone import tones

Picture = numpy.typing.NDArray[numpy.uint8]
WIDTH, HEIGHT = 160, 90


class Recorder:
    """Takes one stream at `url`; what came is in `file`."""

    def __init__(self, file: Path, port: int) -> None:
        self.file = file
        self.port = port
        self.url = f"rtmp://127.0.0.1:{port}/live/stream"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        command = ["ffmpeg", "-v", "error", "-y", "-listen", "1", "-i", self.url, "-map", "0:v?", "-map", "0:a?"]
        self._process = subprocess.Popen(
            [*command, "-c", "copy", "-flush_packets", "1", str(self.file)],
            stdin=subprocess.DEVNULL,
            stderr=self.file.with_suffix(".log").open("ab"),
        )
        listening = f":{self.port:04X} 00000000:0000 0A"
        end = time.monotonic() + 10
        while listening not in Path("/proc/net/tcp").read_text():
            assert time.monotonic() < end, "ffmpeg does not listen"
            time.sleep(0.02)

    def wait(self, seconds: float = 10) -> None:
        """Until the stream has ended."""
        if self._process is not None:
            self._process.wait(seconds)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)

    def frames(self) -> Picture:
        """All pictures, small, as [frame, row, column, red-green-blue]."""
        scale = ["-vf", f"scale={WIDTH}:{HEIGHT}:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        raw = self._decode("-map", "0:v", *scale)
        return numpy.frombuffer(raw, numpy.uint8).reshape(-1, HEIGHT, WIDTH, 3)

    def hear(self, *frequencies: int) -> list[float]:
        """Level of each tone in the last second, dB."""
        wave = self.file.with_suffix(".wav")
        self._decode("-map", "0:a", "-ac", "1", "-y", str(wave))
        return tones(wave, *frequencies)

    @property
    def seconds(self) -> float:
        """How much has been written."""
        command = [
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "packet=pts_time",
            "-select_streams",
            "v",
            "-of",
            "csv=p=0",
        ]
        out = subprocess.run([*command, str(self.file)], capture_output=True, text=True, timeout=20).stdout.split()
        return float(out[-1].rstrip(",")) if out else 0.0

    def _decode(self, *arguments: str) -> bytes:
        command = ["ffmpeg", "-v", "error", "-i", str(self.file), *arguments]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
