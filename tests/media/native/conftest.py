"""Pipelines on the native stage, built when the library is missing or old, taken down after each test."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gi
import numpy as np
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from rostra.domain.scene import Scene  # noqa: E402
from rostra.media.engine import stage  # noqa: E402

from . import mixing  # noqa: E402

NATIVE = Path(stage.__file__).parents[1] / "native"
RATE = stage.SAMPLE_RATE


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture(scope="session", autouse=True)
def _library() -> None:
    subprocess.run(["make", "-s", "-C", str(NATIVE)], check=True, timeout=120)
    stage.load()


class Bench:
    """Launches pipelines and reads what comes out of them."""

    def __init__(self) -> None:
        self._running: list[Any] = []
        self._views: list[str] = []
        self._legs: list[str] = []
        self._names = itertools.count()

    def launch(self, description: str) -> Any:
        return self.play(Gst.parse_launch(description))

    def play(self, pipeline: Any) -> Any:
        self._running.append(pipeline)
        assert pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE
        return pipeline

    def colour(
        self, source: str, rgb: int, width: int = 320, height: int = 180, more: str = "", form: str = "I420"
    ) -> Any:
        """A leg whose picture is one colour; returns when it is on the stage."""
        pipeline = self.launch(
            f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | rgb} ! video/x-raw,"
            f"format={form},width={width},height={height},framerate=30/1,colorimetry=bt601 ! {more} "
            f"rostravideosink source={source}"
        )
        self.until(lambda: source in stage.pictures())
        return pipeline

    def still(self, source: str, picture: np.ndarray) -> Any:
        """A leg that has sent this one picture: Y, U, V at full (even) size."""
        height, width = picture.shape[:2]
        pixels = picture.round().astype(np.uint8)
        content = pixels[:, :, 0].tobytes() + pixels[::2, ::2, 1].tobytes() + pixels[::2, ::2, 2].tobytes()
        pipeline = self.launch(
            f"appsrc name=in format=time caps=video/x-raw,format=I420,width={width},height={height},framerate=30/1 ! "
            f"rostravideosink source={source}"
        )
        pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(content))
        self.until(lambda: source in stage.pictures())
        return pipeline

    def tone(self, source: str, frequency: int, volume: float = 0.2) -> Any:
        """A leg that hums."""
        return self.launch(
            f"audiotestsrc is-live=true samplesperbuffer=960 freq={frequency} volume={volume} ! "
            f"audio/x-raw,format=S16LE,rate={RATE},channels=1 ! rostraaudiosink source={source}"
        )

    def show(self, scene: Scene) -> str:
        view = f"view-{next(self._names)}"
        self._views.append(view)
        stage.set_view(view, scene)
        return view

    def watch(self, view: str, width: int = 1280, height: int = 720, rate: int = 30) -> Any:
        """Start painting a view; `frame` reads it."""
        return self.launch(
            f"rostravideosrc view={view} ! video/x-raw,width={width},height={height},framerate={rate}/1 ! "
            "appsink name=out sync=false max-buffers=4 drop=true"
        )

    def frame(self, pipeline: Any, skip: int = 1) -> np.ndarray:
        """The next picture as Y, U, V at full size (height, width, 3)."""
        for _ in range(skip + 1):
            sample = self.sample(pipeline)
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        data = np.frombuffer(self.content(sample), np.uint8)
        stride, half = (width + 3) & ~3, ((width + 1) // 2 + 3) & ~3
        rows = (height + 1) // 2
        luma = data[: stride * height].reshape(height, stride)[:, :width]
        chroma = data[stride * ((height + 1) & ~1) :][: 2 * half * rows].reshape(2, rows, half)
        full = chroma.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
        return np.dstack((luma, full[0], full[1]))

    def sample(self, pipeline: Any, name: str = "out") -> Any:
        sample = pipeline.get_by_name(name).emit("try-pull-sample", 5 * Gst.SECOND)
        assert sample is not None, "nothing came for 5 s"
        return sample

    @staticmethod
    def content(sample: Any) -> bytes:
        buffer = sample.get_buffer()
        return buffer.extract_dup(0, buffer.get_size())

    def listen(self, leg: str) -> Any:
        return self.launch(f"rostraaudiosrc leg={leg} ! appsink name=out sync=false max-buffers=100")

    def sound(self, pipeline: Any, seconds: float, skip: float = 0.2) -> np.ndarray:
        """What is heard for `seconds`, beginning `skip` seconds from now (0: with what is waiting)."""
        while skip and pipeline.get_by_name("out").emit("try-pull-sample", 0):
            pass
        blocks = [
            np.frombuffer(self.content(self.sample(pipeline)), np.int16) for _ in range(round((skip + seconds) * 50))
        ]
        return np.concatenate(blocks[round(skip * 50) :]).astype(np.int32)

    def hears(self, pipeline: Any, tones: dict[int, float], skip: float = 0.2) -> None:
        """From `skip` seconds on, these tones are heard this loud (within 5 %; 0 is silence).

        A busy machine may cost a block here and there, which shows in a spectrum: one clean window of 0.2 s in
        eight is enough, as a wrong mix is wrong in all.
        """
        for _ in range(8):
            heard = self.sound(pipeline, 0.2, skip)
            found = {tone: strength(heard, tone) for tone in tones}
            if found == {tone: pytest.approx(wanted, rel=0.05, abs=30) for tone, wanted in tones.items()}:
                return
            skip = 0
        pytest.fail(f"heard {found}, not {tones}")

    def until(self, condition: Callable[[], object], seconds: float = 5) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.01)

    def end(self, pipeline: Any) -> None:
        pipeline.set_state(Gst.State.NULL)
        self._running.remove(pipeline)

    def route(self, leg: str, route: Any) -> None:
        self._legs.append(leg)
        stage.set_route(leg, route)

    def close(self) -> None:
        for pipeline in self._running:
            pipeline.set_state(Gst.State.NULL)
        for view in self._views:
            stage.remove_view(view)
        for leg in self._legs:
            stage.remove_route(leg)
        self._running.clear()


@pytest.fixture
def bench() -> Iterator[Bench]:
    tools = Bench()
    yield tools
    tools.close()


def strength(samples: np.ndarray, frequency: int) -> float:
    """Amplitude of a tone in samples of a whole number of its periods, 32768 at full scale."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    place = round(frequency * len(samples) / RATE)
    return float(spectrum[place - 1 : place + 2].max())


def yuv(rgb: int) -> np.ndarray:
    """BT.601 limited range."""
    r, g, b = (rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255
    return np.array(
        (
            16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
            128 + (-37.797 * r - 74.203 * g + 112 * b) / 255,
            128 + (112 * r - 93.786 * g - 18.214 * b) / 255,
        )
    )


def close_to(area: np.ndarray, rgb: int, tolerance: float = 4) -> bool:
    """Whether every pixel of an area has this colour."""
    return bool((np.abs(area.astype(float) - yuv(rgb)) <= tolerance).all())


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The sound of the stage, for the mixer in simulated time."""
    return mixing.build(tmp_path_factory.mktemp("mixing"), NATIVE)


@pytest.fixture
def mixer(library: ctypes.CDLL) -> Iterator[mixing.Mixer]:
    made = mixing.Mixer(library)
    yield made
    made.close()
