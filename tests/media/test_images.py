"""Images of the theme: how they are read, and where a tile puts them."""

from __future__ import annotations

import io
from pathlib import Path

import cairo
import numpy as np
import pytest

from rostra.domain import theme
from rostra.domain.scene import Fit, Tile
from rostra.media.engine import images, stage
from rostra.media.engine.bitmaps import Kept
from rostra.media.engine.text import Image
from rostra.media.engine.themes import ThemeFiles

BASE = Path(__file__).parents[2] / "themes" / "base"


def png(width: int, height: int, alpha: float = 1.0) -> bytes:
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, height)
    context = cairo.Context(surface)
    context.set_source_rgba(1, 0.5, 0, alpha)
    context.paint()
    written = io.BytesIO()
    surface.write_to_png(written)
    return written.getvalue()


@pytest.fixture(autouse=True)
def _gstreamer() -> None:
    stage.load()


@pytest.mark.parametrize("name", [name for name, file in theme.FILES.items() if file.size != (0, 0)])
def test_every_image_of_the_base_theme_is_read(name: str) -> None:
    image = ThemeFiles([str(BASE)]).image(name)
    assert image is not None
    assert (image.width, image.height) == theme.FILES[name].size
    assert len(image.rgba) == image.width * image.height * 4


def test_opacity_is_kept_premultiplied() -> None:
    assert images.decode(png(4, 3, 0.5)).rgba[:4] == bytes((128, 64, 0, 128))
    assert images.decode(png(4, 3)).rgba[:4] == bytes((255, 128, 0, 255))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"GIF89a", png(4, 3)[:60], b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff" + bytes(100),
        (BASE / theme.PLUS_N).read_bytes()[:40],
        png(4, 3)[:16] + (60000).to_bytes(4, "big") * 2 + png(4, 3)[24:],
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="is "):
        images.decode(data)


def test_a_bad_file_gives_way_to_the_next_theme(tmp_path: Path) -> None:
    (tmp_path / theme.PLUS_N).write_bytes(b"nonsense")
    found = ThemeFiles([str(tmp_path), str(BASE)]).image(theme.PLUS_N)
    assert found is not None
    assert found.width == 1920
    assert ThemeFiles([str(tmp_path)]).image("../secret.png") is None


@pytest.mark.spec("REF-060", "REF-061")
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((200, 100), (100, 50, 133, 67)),
        ((100, 100), (100, 50, 67, 67)),  # smaller ones are not made larger
        ((400, 400), (100, 50, 67, 67)),
        ((1000, 100), (100, 50, 133, 13)),
    ],
)
def test_a_watermark_is_at_the_top_left_of_its_area(size: tuple[int, int], expected: tuple[int, ...]) -> None:
    tile = Tile(x=100, y=50, width=133, height=67, image="w", fit=Fit.CORNER)
    assert images.place(tile, *size) == expected


def test_places_of_icons_and_covers() -> None:
    cell = {"x": 10, "y": 20, "width": 182, "height": 102}
    assert images.place(Tile(**cell, image="i"), 1920, 1080) == (10, 20, 182, 102)
    x, y, width, height = images.place(Tile(**cell, image="i", source="s"), 400, 400)
    assert (width, height) == (56, 56)
    assert (x + width / 2, y + height / 2) == (101, 71)
    assert images.place(Tile(**cell, image="i", fit=Fit.CONTAIN), 400, 400) == (50, 20, 102, 102)


@pytest.mark.spec("REF-023")
def test_an_image_of_another_shape_is_cropped_at_its_sides() -> None:
    row = bytes((9, 9, 9, 255)) * 240 + bytes((1, 2, 3, 255)) * 1440 + bytes((9, 9, 9, 255)) * 240
    whole = Image(1920, 1080, row * 1080)
    cropped = images.cropped(whole, Tile(x=0, y=0, width=640, height=480, image="i"))
    assert (cropped.width, cropped.height) == (1440, 1080)
    assert cropped.rgba == bytes((1, 2, 3, 255)) * 1440 * 1080
    assert images.cropped(whole, Tile(x=0, y=0, width=182, height=102, image="i")) is whole


def test_bitmaps_used_longest_ago_go_first() -> None:
    put: list[str] = []
    gone: list[str] = []
    kept = Kept("x", 100, lambda name, *_: put.append(name), gone.append)
    image = Image(2, 5, bytes(40))
    names = [kept.bitmap(key, lambda: image) for key in "abc"]
    assert kept.bitmap("a", lambda: image) is names[0], "made once"
    kept.trim()
    assert (put, gone) == (["x-1", "x-2", "x-3"], ["x-2"])
    assert kept.bitmap("none", lambda: None) is None
    kept.clear()
    assert sorted(gone) == ["x-1", "x-2", "x-3"]


@pytest.mark.spec("REF-062", "REF-063")
def test_the_watermark_of_the_base_theme_is_white_and_can_be_seen_through() -> None:
    found = ThemeFiles([str(BASE)]).image(theme.WATERMARK_ICON)
    assert found is not None
    assert found.width <= 200
    assert found.height <= 100
    pixels = np.frombuffer(found.rgba, np.uint8).reshape(-1, 4).astype(int)
    seen = pixels[pixels[:, 3] > 8]
    assert len(seen) > 200, "there is something"
    assert seen[:, 3].max() <= 0.61 * 255, "40 % transparent"
    assert (np.abs(seen[:, :3] - seen[:, 3:]) <= 2).all(), "white, multiplied by its alpha"
