"""Images of the theme as bitmaps: read once, by GStreamer's decoder or by cairo, and put where a tile wants them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import cairo

from rostra.domain import jpeg
from rostra.domain.scene import Fit, Tile
from rostra.media.engine.gst import Gst
from rostra.media.engine.text import Image, rgba_of

_PATIENCE: Final = 5 * 10**9
"""Nanoseconds a JPEG picture may take to be decoded."""
_MOST_PIXELS: Final = 1920 * 1080
_NATURAL: Final = 1280 / 1920
"""Images are drawn for pictures of 1920 by 1080."""
_ICON: Final = 0.55
"""Of a tile's smaller side."""


def decode(data: bytes) -> Image:
    """The pixels of a JPEG or PNG picture. Raises ValueError for anything else, and for more than 1920 by 1080."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    size = jpeg.size(data)
    if size is None:
        raise ValueError("is neither JPEG nor PNG")
    if size[0] * size[1] > _MOST_PIXELS:
        raise ValueError(f"is too big: {size[0]}x{size[1]}")
    return _jpeg(data)


def _png(data: bytes) -> Image:
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if not 0 < width * height <= _MOST_PIXELS:
        raise ValueError(f"is too big: {width}x{height}")
    try:
        read = cairo.ImageSurface.create_from_png(io.BytesIO(data))
    except (cairo.Error, MemoryError) as problem:
        raise ValueError(f"is a broken PNG: {problem}") from None
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, read.get_width(), read.get_height())
    context = cairo.Context(surface)  # whatever format it had, it is painted into ours
    context.set_source_surface(read, 0, 0)
    context.paint()
    return rgba_of(surface)


def _jpeg(data: bytes) -> Image:
    pipeline = Gst.parse_launch(
        "appsrc name=in caps=image/jpeg ! jpegdec ! videoconvert ! video/x-raw,format=RGBA ! "
        "appsink name=out sync=false max-buffers=1"
    )
    try:
        pipeline.set_state(Gst.State.PLAYING)
        source = pipeline.get_by_name("in")
        source.emit("push-buffer", Gst.Buffer.new_wrapped(data))
        source.emit("end-of-stream")
        sample = pipeline.get_by_name("out").emit("try-pull-sample", _PATIENCE)
        if sample is None:
            raise ValueError("is a broken JPEG")
        shape, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        width, height = shape.get_value("width"), shape.get_value("height")
        content = buffer.extract_dup(0, buffer.get_size())
        if len(content) != width * height * 4:
            raise ValueError("is a broken JPEG")
        return Image(width, height, content)
    finally:
        pipeline.set_state(Gst.State.NULL)


def place(tile: Tile, width: int, height: int) -> tuple[int, int, int, int]:
    """Where an image of that size goes for a tile: x, y, width and height in pixels of the scene."""
    if tile.source or tile.fit is Fit.ICON:
        side = min(tile.width, tile.height) * _ICON
        scale = side / max(width, height)
    elif tile.fit is Fit.CORNER:
        natural = round(width * _NATURAL), round(height * _NATURAL)
        if natural[0] > tile.width or natural[1] > tile.height:
            scale = min(tile.width / width, tile.height / height)
            natural = round(width * scale), round(height * scale)
        return tile.x, tile.y, max(1, natural[0]), max(1, natural[1])
    elif tile.fit is Fit.CONTAIN:
        scale = min(tile.width / width, tile.height / height)
    else:
        return tile.x, tile.y, tile.width, tile.height
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    return tile.x + (tile.width - shown[0]) // 2, tile.y + (tile.height - shown[1]) // 2, *shown


def cropped(image: Image, tile: Tile) -> Image:
    """The middle of an image, in the shape of a tile that it shall cover; shapes that are nearly the same are left."""
    covers = not tile.source and tile.fit is Fit.COVER and tile.width > 0 and tile.height > 0
    if not covers or abs(image.width * tile.height / (image.height * tile.width) - 1) < 0.03:
        return image
    width = min(image.width, max(1, image.height * tile.width // tile.height))
    height = min(image.height, max(1, image.width * tile.height // tile.width))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    rows = (
        image.rgba[((top + row) * image.width + left) * 4 : ((top + row) * image.width + left + width) * 4]
        for row in range(height)
    )
    return Image(width, height, b"".join(rows))


Find = Callable[[str], Image | None]
"""An image of the theme by its name."""
