"""Text as bitmaps: the names along tiles and the lines of splash pictures.

Pango lays text out when its introspection data is installed (any script, with font fallback); else cairo's own
simple text does, which knows the scripts of one font.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import unicodedata
from typing import Any, Final

import cairo
import gi

from rostra.domain import scene

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
    pango = _pango()
    if pango is None:
        context.select_font_face("sans-serif")
        context.set_font_size(size)
        return math.ceil(context.text_extents(_readable(content)).x_advance)
    return _laid_out(context, _readable(content), size, *pango).get_pixel_size()[0] + 1


def _laid_out(context: cairo.Context[cairo.ImageSurface], content: str, size: int, layouts: Any, units: Any) -> Any:
    layout = layouts.create_layout(context)
    description = units.FontDescription.from_string(FONT)
    description.set_absolute_size(size * units.SCALE)
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
    content = _readable(content)
    pango = _pango()
    if pango is None:
        _simple_line(context, content, size, x, y, width, height, centred=centred)
        return
    layouts, units = pango
    layout = _laid_out(context, content, size, layouts, units)
    layout.set_width(max(1, width) * units.SCALE)
    layout.set_ellipsize(units.EllipsizeMode.END)
    layout.set_alignment(units.Alignment.CENTER if centred else units.Alignment.LEFT)
    context.move_to(x, y + (height - layout.get_pixel_size()[1]) / 2)
    layouts.show_layout(context, layout)


def _simple_line(
    context: cairo.Context[cairo.ImageSurface],
    content: str,
    size: int,
    x: int,
    y: int,
    width: int,
    height: int,
    *,
    centred: bool,
) -> None:
    context.select_font_face("sans-serif")
    context.set_font_size(size)
    shown = content
    while shown and context.text_extents(shown).x_advance > width:
        shown = shown[:-2] + "…" if len(shown) > 2 else ""
    extents = context.text_extents(shown)
    ascent, descent = context.font_extents()[:2]
    left = x + ((width - extents.x_advance) / 2 if centred else 0)
    context.move_to(left, y + (height + ascent - descent) / 2)
    context.show_text(shown)


@functools.cache
def _pango() -> tuple[Any, Any] | None:
    """The PangoCairo and Pango namespaces, or None where they are not installed."""
    try:
        gi.require_version("Pango", "1.0")
        gi.require_version("PangoCairo", "1.0")
        from gi.repository import Pango, PangoCairo
    except (ValueError, ImportError):
        return None
    return PangoCairo, Pango


def rgba_of(surface: cairo.ImageSurface) -> Image:
    """Cairo's rows (premultiplied ARGB words) as RGBA bytes."""
    surface.flush()
    width, height, stride = surface.get_width(), surface.get_height(), surface.get_stride()
    data = bytes(surface.get_data())
    pixels = b"".join(data[row * stride : row * stride + width * 4] for row in range(height))
    rgba = bytearray(pixels)
    rgba[0::4], rgba[2::4] = pixels[2::4], pixels[0::4]  # B G R A in memory
    return Image(width, height, bytes(rgba))
