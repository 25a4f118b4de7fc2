"""Pictures of every layout with numbered sources, painted by the stage: `python -m tests.media.native.sheets`.

They are what tests compare with, and what docs/layouts.md shows.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cairo
import numpy as np

from rostra.domain.casting import Arrangement, Performer, arrange, line_up
from rostra.domain.casting import Audience as Group
from rostra.domain.drawing import Around, Listener, draw
from rostra.domain.layouts import LAYOUTS, Layout, find
from rostra.domain.look import Style
from rostra.domain.scene import Scene
from rostra.domain.theme import ThemeSettings
from rostra.media.engine import stage
from rostra.media.engine.themes import ThemeFiles

PICTURES = Path(__file__).parents[3] / "docs" / "layouts"
BASE_THEME = Path(__file__).parents[3] / "themes" / "base"
COUNTS = (1, 2, 5, 9, 23, 30)
WIDTH, HEIGHT = 320, 180
PLAIN = Around(theme=ThemeSettings(disable_watermark_icon=True))


def colour(number: int) -> tuple[int, int, int]:
    """Of a source: neighbours in number are far apart."""
    red, green, blue = colorsys.hsv_to_rgb(number * 0.381966 % 1, 0.75, 0.55 + 0.3 * (number % 3) / 2)
    return round(red * 255), round(green * 255), round(blue * 255)


def source(number: int, width: int = 320, height: int = 180) -> bytes:
    """A picture in one colour with a number in its middle, as I420."""
    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, width, height)
    context = cairo.Context(surface)
    context.set_source_rgb(*(part / 255 for part in colour(number)))
    context.paint()
    context.set_source_rgb(1, 1, 1)
    context.select_font_face("Roboto")
    context.set_font_size(height * 0.4)
    size = context.text_extents(str(number))
    context.move_to(width / 2 - size.x_bearing - size.width / 2, height * 0.42 - size.y_bearing - size.height / 2)
    context.show_text(str(number))
    surface.flush()
    pixels = np.ndarray((height, width, 4), np.uint8, bytes(surface.get_data()))[:, :, 2::-1].astype(float)
    y, u, v = np.moveaxis(pixels @ _MATRIX.T + _BASE, 2, 0)
    halves = (part.reshape(height // 2, 2, width // 2, 2).mean((1, 3)) for part in (u, v))
    return b"".join(part.round().astype(np.uint8).tobytes() for part in (y, *halves))


_MATRIX = np.array(((65.481, 128.553, 24.966), (-37.797, -74.203, 112), (112, -93.786, -18.214))) / 255
_BASE = np.array((16, 128, 128))


def performers(count: int) -> list[Performer]:
    return [Performer(participant=f"p{i}", source=f"numbered-{i}", name=f"Person {i}") for i in range(1, count + 1)]


@contextmanager
def numbered(most: int = max(COUNTS)) -> Iterator[None]:
    """The sources are on the stage."""
    stage.load()
    stage.set_picture_timeout(600)
    try:
        for number in range(1, most + 1):
            stage.show(f"numbered-{number}", WIDTH, HEIGHT, source(number))
        yield
    finally:
        for number in range(1, most + 1):
            stage.hide(f"numbered-{number}")
        stage.set_picture_timeout(3)


def arranged(layout: Layout, count: int) -> tuple[Arrangement, Scene]:
    """What one without a picture sees of that many."""
    style = Style(layout=layout)
    made = arrange(line_up(performers(count), [], Group.ALL), None, style)
    return made, draw(made, style, PLAIN)


def painted(scene: Scene, width: int, height: int, theme: ThemeFiles | None = None) -> np.ndarray:
    """A scene as the stage paints it: Y, U, V at full size."""
    stage.set_view("sheet", scene, theme.image if theme else None)
    try:
        data = np.frombuffer(stage.paint("sheet", width, height), np.uint8)
    finally:
        stage.remove_view("sheet")
    luma = data[: width * height].reshape(height, width)
    chroma = data[width * height :].reshape(2, height // 2, width // 2).repeat(2, axis=1).repeat(2, axis=2)
    return np.dstack((luma, chroma[0], chroma[1]))


def rgb(picture: np.ndarray) -> np.ndarray:
    return ((picture.astype(float) - _BASE) @ np.linalg.inv(_MATRIX).T).clip(0, 255).round().astype(np.uint8)


def sheet(layout: Layout) -> np.ndarray:
    """The layout with each number of participants, two rows of three."""
    gap = 4
    whole = np.full((2 * HEIGHT + 3 * gap, 3 * WIDTH + 4 * gap, 3), 255, np.uint8)
    for at, count in enumerate(COUNTS):
        row, column = divmod(at, 3)
        top, left = gap + row * (HEIGHT + gap), gap + column * (WIDTH + gap)
        picture = rgb(painted(arranged(layout, count)[1], WIDTH, HEIGHT))
        whole[top : top + HEIGHT, left : left + WIDTH] = picture
    return whole


def indicators() -> np.ndarray:
    """What is drawn besides people, in the base theme."""
    layout = find("1:7")
    assert layout
    style = Style(layout=layout, names=True, mark_speaker=True)
    people = [
        *performers(12)[:5], Performer(participant="held", source="numbered-6", frozen=True, has_picture=False),
        Performer(participant="dark", source="", has_picture=False), *performers(12)[6:],
    ]  # fmt: skip
    around = Around(
        listeners=(Listener(name="Ada"), Listener(name="Бела مرحبا 会议 😀", speaking=True), Listener(name="Cem")),
        speaking=frozenset({"p1"}), streaming=True, announced=True, notes=("Live captions",),
    )  # fmt: skip
    made = arrange(people[:8] + people[8:], None, style)
    return rgb(painted(draw(made, style, around), 1280, 720, ThemeFiles([str(BASE_THEME)])))


def path(layout: Layout) -> Path:
    return PICTURES / f"{layout.key}.png"


def write(picture: np.ndarray, to: Path) -> None:
    height, width = picture.shape[:2]
    bgrx = np.zeros((height, width, 4), np.uint8)
    bgrx[:, :, 2::-1] = picture
    cairo.ImageSurface.create_for_data(bytearray(bgrx.tobytes()), cairo.FORMAT_RGB24, width, height).write_to_png(
        str(to)
    )


def read(kept: Path) -> np.ndarray:
    surface = cairo.ImageSurface.create_from_png(str(kept))
    data = np.ndarray((surface.get_height(), surface.get_stride() // 4, 4), np.uint8, bytes(surface.get_data()))
    return data[:, : surface.get_width(), 2::-1]


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with numbered():
        for each in LAYOUTS:
            write(sheet(each), path(each))
        write(indicators(), PICTURES / "indicators.png")
