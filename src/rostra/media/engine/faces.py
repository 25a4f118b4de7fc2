"""Pictures of people that are drawn on others' pictures: decoded once, off the loop, and only so many (CONF-069).

Whatever their shape, they are shown as the middle of it, as round as the icon of those without one.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

import cairo

from rostra.media.engine import images
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.text import Image, rgba_of
from rostra.media.messages import FACES_KEPT

SIDE: Final = 200
"""Pixels a side that are kept at most: twice as many as are shown on a picture of 1920."""


class Faces:
    """Those of a worker's conference, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Image] = {}

    async def keep(self, name: str, jpeg: bytes) -> None:
        """Raises BadDescription for what is no picture."""
        try:
            image = await asyncio.to_thread(_face, jpeg)
        except ValueError as problem:
            raise BadDescription(f"{name} {problem}") from None
        self._kept[name] = image
        while len(self._kept) > FACES_KEPT:
            del self._kept[next(iter(self._kept))]

    def of(self, name: str) -> Image | None:
        return self._kept.get(name)


def _face(jpeg: bytes) -> Image:
    """Raises ValueError for what is no picture."""
    return _round(images.decode(jpeg))


def _round(image: Image) -> Image:
    """The largest circle in the middle of a picture, with nothing around it."""
    side = min(image.width, image.height)
    shown = min(side, SIDE)
    pixels = bytearray(image.rgba)
    pixels[0::4], pixels[2::4] = image.rgba[2::4], image.rgba[0::4]  # as cairo has them
    whole = cairo.ImageSurface.create_for_data(
        pixels, cairo.FORMAT_ARGB32, image.width, image.height, image.width * 4
    )  # fmt: skip
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, shown, shown)
    context = cairo.Context(surface)
    context.arc(shown / 2, shown / 2, shown / 2, 0, 2 * math.pi)
    context.clip()
    context.scale(shown / side, shown / side)
    context.set_source_surface(whole, (side - image.width) / 2, (side - image.height) / 2)
    context.paint()
    return rgba_of(surface)
