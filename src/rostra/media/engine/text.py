"""Text as bitmaps: the names along tiles and the lines of splash pictures.

Pango lays text out, in any script that some installed font has.
"""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from typing import Any, Final

import cairo

from rostra.domain import scene
from rostra.media.engine.gst import Pango, PangoCairo

FONT: Final = "Roboto, Noto Sans, DejaVu Sans, Sans"
"""Roboto, Noto Sans for what it lacks (CONF-079), and what else is installed for the rest."""
_SHADE: Final = (0.05, 0.06, 0.08, 0.62)
_LINES_AT_MOST: Final = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """R, G, B, A bytes, colours premultiplied by alpha."""

    width: int
    height: int
    rgba: bytes


def label(content: str, width: int, height: int, size: int = 0, colour: int = 0xFFFFFF) -> Image:
    """One line on a shaded strip as wide as the tile (`width` x `height` pixels), shortened to fit."""
    size, along = size or scene.letters(height), scene.strip(height, size)
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, along)
    context = cairo.Context(surface)
    context.set_source_rgba(*_SHADE)
    context.paint()
    margin = max(4, size // 2)
    _line(context, " ".join(content.split()), size, margin, 0, width - 2 * margin, along, colour, centred=False)
    return rgba_of(surface)


def box(content: str, width: int, height: int, size: int, colour: int, backdrop: int) -> Image:
    """One line on a box with round corners, as wide as the text but no wider than the tile."""
    size = size or max(10, height // 2)
    margin, content = height // 3, " ".join(content.split())
    width = max(1, min(width, 2 * margin + _width(content, size)))
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, height)
    context = cairo.Context(surface)
    radius = min(8, height / 2, width / 2)
    for x, y, turn in (
        (width - radius, radius, -1), (width - radius, height - radius, 0), (radius, height - radius, 1),
        (radius, radius, 2),
    ):  # fmt: skip
        context.arc(x, y, radius, turn * math.pi / 2, (turn + 1) * math.pi / 2)
    context.set_source_rgba(*_rgb(backdrop), (backdrop >> 24) / 255)
    context.fill()
    _line(context, content, size, margin, 0, max(1, width - 2 * margin), height, colour, centred=False)
    return rgba_of(surface)


def title(content: str, width: int, height: int, size: int = 0, colour: int = 0xFFFFFF) -> Image:
    """Lines centred in `width` x `height` pixels, on nothing."""
    lines = content.splitlines()[:_LINES_AT_MOST] or [""]
    size = min(size or min(44, height // 10), int(height / (len(lines) * 1.5)))
    size = max(12, size)
    step = round(size * 1.5)
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, min(height, step * len(lines)))
    context = cairo.Context(surface)
    for i, line in enumerate(lines):
        _line(context, line.strip(), size, 0, i * step, width, step, colour, centred=True)
    return rgba_of(surface)


def _rgb(colour: int) -> tuple[float, float, float]:
    return ((colour >> 16) & 255) / 255, ((colour >> 8) & 255) / 255, (colour & 255) / 255


def _readable(content: str) -> str:
    """Names come from the network: neither half surrogates nor control characters are for a text renderer."""
    return "".join(c for c in content if unicodedata.category(c) not in ("Cc", "Cs"))


def _width(content: str, size: int) -> int:
    context = cairo.Context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 1, 1))
    return _laid_out(context, _readable(content), size).get_pixel_size()[0] + 1


def _laid_out(context: cairo.Context[cairo.ImageSurface], content: str, size: int) -> Any:
    layout = PangoCairo.create_layout(context)
    description = Pango.FontDescription.from_string(FONT)
    description.set_absolute_size(size * Pango.SCALE)
    layout.set_font_description(description)
    layout.set_text(content, -1)
    layout.set_single_paragraph_mode(True)
    return layout


def _line(
    context: cairo.Context[cairo.ImageSurface],
    content: str,
    size: int,
    x: int,
    y: int,
    width: int,
    height: int,
    colour: int,
    *,
    centred: bool,
) -> None:
    context.set_source_rgba(*_rgb(colour), 1)
    layout = _laid_out(context, _readable(content), size)
    layout.set_width(max(1, width) * Pango.SCALE)
    layout.set_ellipsize(Pango.EllipsizeMode.END)
    layout.set_alignment(Pango.Alignment.CENTER if centred else Pango.Alignment.LEFT)
    context.move_to(x, y + (height - layout.get_pixel_size()[1]) / 2)
    PangoCairo.show_layout(context, layout)


def rgba_of(surface: cairo.ImageSurface) -> Image:
    """Cairo's rows (premultiplied ARGB words) as RGBA bytes."""
    surface.flush()
    width, height, stride = surface.get_width(), surface.get_height(), surface.get_stride()
    data = bytes(surface.get_data())
    pixels = b"".join(data[row * stride : row * stride + width * 4] for row in range(height))
    rgba = bytearray(pixels)
    rgba[0::4], rgba[2::4] = pixels[2::4], pixels[0::4]  # B G R A in memory
    return Image(width, height, bytes(rgba))
