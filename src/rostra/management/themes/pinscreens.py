"""Screens of PIN entry, made of a picture and a colour (REF-024...REF-027)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from PIL import Image, ImageDraw

from rostra.domain import theme, themecheck

DIAMETER, GAP, TOP = 70, 14, 634
"""Pixels: of the circles, between them, and above them (REF-025)."""
QUALITY = 88
_FINER = 4
"""Circles are drawn so many times larger, for smooth edges."""
_STROKE = 12
Colour = tuple[int, int, int]


def colour(text: str) -> Colour:
    """The colour that `RRGGBB`, `#RRGGBB` or `0xRRGGBB` stands for. Raises ValueError."""
    match = re.fullmatch(r"(?:#|0[xX])?([0-9A-Fa-f]{6})", text.strip())
    if match is None:
        raise ValueError(f"expected a colour such as F38B3C, found {text[:20]!r}")
    number = int(match[1], 16)
    return number >> 16, number >> 8 & 255, number & 255


def generate(background: bytes, foreground: Colour) -> Iterator[tuple[str, bytes]]:
    """The 23 images of PIN entry, by name. Raises BadFile when the background is no RGB JPEG of 1920 by 1080."""
    themecheck.check(theme.PIN_CORRECT, background)
    try:
        picture = Image.open(io.BytesIO(background), formats=("JPEG",)).convert("RGB")
    except (OSError, ValueError, SyntaxError) as problem:
        raise themecheck.BadFile("is damaged") from problem
    for digits in range(theme.PIN_DIGITS + 1):
        yield theme.pin_entry(digits), _jpeg(picture, foreground, _circles(digits))
    yield theme.PIN_CORRECT, _jpeg(picture, foreground, _tick())
    yield theme.PIN_INCORRECT, _jpeg(picture, foreground, _cross())


def _jpeg(picture: Image.Image, foreground: Colour, mask: Image.Image) -> bytes:
    drawn = picture.copy()
    drawn.paste(foreground, ((theme.SCREEN[0] - mask.width) // 2, TOP), mask)
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _circles(digits: int) -> Image.Image:
    width = max(1, digits * (DIAMETER + GAP) - GAP)
    mask = Image.new("L", (width * _FINER, DIAMETER * _FINER))
    draw = ImageDraw.Draw(mask)
    for digit in range(digits):
        left = digit * (DIAMETER + GAP) * _FINER
        draw.ellipse((left, 0, left + DIAMETER * _FINER - 1, DIAMETER * _FINER - 1), fill=255)
    return mask.resize((width, DIAMETER), Image.Resampling.LANCZOS)


def _tick() -> Image.Image:
    return _strokes([(6, 38), (26, 60), (64, 12)])


def _cross() -> Image.Image:
    return _strokes([(10, 10), (60, 60)], [(60, 10), (10, 60)])


def _strokes(*lines: list[tuple[int, int]]) -> Image.Image:
    mask = Image.new("L", (DIAMETER * _FINER, DIAMETER * _FINER))
    draw = ImageDraw.Draw(mask)
    thick = _STROKE * _FINER
    for line in lines:
        points = [(x * _FINER, y * _FINER) for x, y in line]
        draw.line(points, fill=255, width=thick, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - thick // 2, y - thick // 2, x + thick // 2, y + thick // 2), fill=255)
    return mask.resize((DIAMETER, DIAMETER), Image.Resampling.LANCZOS)
