"""How like the ideal composition the received pictures are.

Ideal is what our painter makes of the original footage: the frames that the received picture shows, as far as they can
be told from each other, and that senders had sent lately. The likeness is SSIM of the luma in windows of 8 by 8 pixels,
every 4 pixels.
"""

from __future__ import annotations

import dataclasses
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.load import footage
from bench.load.judging import Frame
from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import Around, draw
from rostra.domain.layouts import DEFAULT, Layout
from rostra.domain.look import Style
from rostra.domain.media import CodecParameters
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Scene, Tile
from rostra.media.engine import stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.themes import ThemeFiles

THEME = Path(__file__).resolve().parents[2] / "themes" / "base"
LATELY = 0.6
"""Seconds before a picture in which its parts have been sent."""
_COARSE, _FINE = (32, 18), (160, 90)
_CANDIDATES = 6
_STUCK = 5
"""Seconds after which a decoder that gives nothing is not waited for."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Planes = np.ndarray
"""Y, U and V of a picture in a row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    arrived: float
    planes: Planes
    width: int
    height: int

    @property
    def luma(self) -> np.ndarray:
        return self.planes[: self.width * self.height].reshape(self.height, self.width)


def decode(
    codec: CodecParameters, frames: Sequence[Frame], wanted: Callable[[float], bool]
) -> tuple[list[Decoded], list[float]]:
    """Pictures of those frames that are wanted by the time they came, and when each came that differs from the last."""
    depayloader, decoder = {"H264": ("rtph264depay", "h264parse ! avdec_h264"), "VP8": ("rtpvp8depay", "vp8dec")}[
        codec.name
    ]
    pipeline = Gst.parse_launch(
        "appsrc name=in format=time max-buffers=200 block=true caps=application/x-rtp,media=video,clock-rate=90000,"
        f"encoding-name={codec.name},payload={codec.payload_type} ! {depayloader} ! {decoder} ! videoconvert ! "
        "video/x-raw,format=I420 ! appsink name=out sync=false max-buffers=8"
    )
    source, out = pipeline.get_by_name("in"), pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    found: list[Decoded] = []
    fresh: list[float] = []
    last = b""
    began = frames[0].arrived if frames else 0.0
    feeding = threading.Thread(target=_feed, args=(source, codec, frames, began), daemon=True)
    feeding.start()
    while sample := out.emit("try-pull-sample", _STUCK * Gst.SECOND):
        last = _look(sample, began, wanted, last, found, fresh)
    pipeline.set_state(Gst.State.NULL)
    return found, fresh


def _feed(source: Any, codec: CodecParameters, frames: Sequence[Frame], began: float) -> None:
    number = 0
    for frame in frames:
        for at, payload in enumerate(frame.payloads):
            marker = at == len(frame.payloads) - 1
            header = struct.pack("!BBHII", 0x80, codec.payload_type | marker << 7, number & 0xFFFF, frame.stamp, 1)
            buffer = Gst.Buffer.new_wrapped(header + payload)
            buffer.pts = int((frame.arrived - began) * Gst.SECOND)
            source.emit("push-buffer", buffer)
            number += 1
    source.emit("end-of-stream")


def _look(
    sample: Any, began: float, wanted: Callable[[float], bool], last: bytes, found: list[Decoded], fresh: list[float]
) -> bytes:
    structure, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
    width, height = structure.get_value("width"), structure.get_value("height")
    arrived = began + buffer.pts / Gst.SECOND
    some = bytes(buffer.extract_dup(width * (height // 2 - height // 4), width * (height // 2))[::64])
    if some != last:
        fresh.append(arrived)
    if wanted(arrived):
        planes = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        if width % 4 == 0:  # else lines are padded
            found.append(Decoded(arrived, planes, width, height))
    return some


def similarity(one: np.ndarray, two: np.ndarray) -> float:
    """SSIM of two pictures of luma."""
    a, b = one.astype(np.float64), two.astype(np.float64)
    sums = [_windows(values) / 64 for values in (a, b, a * a, b * b, a * b)]
    mean_a, mean_b, aa, bb, ab = sums
    own_a, own_b, shared = aa - mean_a**2, bb - mean_b**2, ab - mean_a * mean_b
    found = (2 * mean_a * mean_b + _C1) * (2 * shared + _C2) / ((mean_a**2 + mean_b**2 + _C1) * (own_a + own_b + _C2))
    return float(found.mean())


def _windows(values: np.ndarray) -> np.ndarray:
    height, width = (size // 4 * 4 for size in values.shape)
    blocks = values[:height, :width].reshape(height // 4, 4, width // 4, 4).sum((1, 3))
    return blocks[:-1, :-1] + blocks[1:, :-1] + blocks[:-1, 1:] + blocks[1:, 1:]


def scene(others: int, layout: Layout = DEFAULT) -> Scene:
    """What somebody sees of so many others."""
    performers = [Performer(participant=str(number), source=f"ideal{number}") for number in range(others)]
    style = Style(layout=layout)
    return draw(arrange(performers, None, style), style, Around())


class Ideal:
    """Compares received pictures with what they should be."""

    def __init__(self, view: Scene) -> None:
        self._view = view
        self._cells = [tile for tile in view.tiles if tile.source]
        self._frames = footage.frames()
        size = footage.WIDTH * footage.HEIGHT
        self._luma = self._frames[:, :size].reshape(-1, footage.HEIGHT, footage.WIDTH)
        self._small = {shape: np.stack([_shrunk(one, shape) for one in self._luma]) for shape in (_COARSE, _FINE)}
        stage.load()
        stage.set_view("ideal", view, ThemeFiles([str(THEME)]).image)

    def likeness(self, picture: Decoded, sent: Sequence[Sequence[tuple[float, int]]]) -> float:
        """SSIM of a picture with the ideal one. `sent`: of each possible source, when which frame was sent."""
        return similarity(
            picture.luma, self.made(picture, sent)[: picture.width * picture.height].reshape(picture.height, -1)
        )

    def made(self, picture: Decoded, sent: Sequence[Sequence[tuple[float, int]]]) -> Planes:
        """The ideal picture for a received one."""
        since = picture.arrived - LATELY
        possible = sorted({at for one in sent for when, at in one if since < when < picture.arrived})
        for cell in self._cells:
            at = self._shown(_part(picture, cell), possible)
            stage.show(cell.source, footage.WIDTH, footage.HEIGHT, self._frames[at].tobytes())
        return np.frombuffer(stage.paint("ideal", picture.width, picture.height), np.uint8)

    def _shown(self, part: np.ndarray, possible: list[int]) -> int:
        """Which frame of the footage a part of a picture shows."""
        for shape, keep in ((_COARSE, _CANDIDATES), (_FINE, 1)):
            own = _shrunk(part, shape)
            far = [(float(np.square(self._small[shape][at] - own).mean()), at) for at in possible]
            possible = [at for _, at in sorted(far)[:keep]]
        return possible[0]


def _part(picture: Decoded, cell: Tile) -> np.ndarray:
    across, down = picture.width / SCENE_WIDTH, picture.height / SCENE_HEIGHT
    left, top = round(cell.x * across), round(cell.y * down)
    return picture.luma[top : top + round(cell.height * down), left : left + round(cell.width * across)]


def _shrunk(luma: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Luma in this size, averaged; of the middle where the shape is another."""
    return np.asarray(Image.fromarray(luma).resize(shape, Image.Resampling.BOX), np.float32)


def save(planes: Planes, width: int, height: int, path: Path) -> None:
    """A picture as PNG, for people."""
    size = width * height
    u, v = (planes[size + part * size // 4 : size + (part + 1) * size // 4].reshape(height // 2, -1) for part in (0, 1))
    channels = [planes[:size].reshape(height, width), *(one.repeat(2, 0).repeat(2, 1) for one in (u, v))]
    Image.merge("YCbCr", [Image.fromarray(np.ascontiguousarray(one)) for one in channels]).convert("RGB").save(path)
