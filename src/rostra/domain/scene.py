"""A scene: everything that is in one composed picture, as data.

Computed by `domain.drawing` (who, where, how big, what text) and executed by the media engine, which knows
nothing of hosts, guests or PINs.
"""

from __future__ import annotations

import enum

import msgspec

SCENE_WIDTH = 1280
SCENE_HEIGHT = 720
NARROW_WIDTH = 960
"""Of a picture of 4:3: there are these two shapes (REF-133)."""
_BETWEEN = 1.54
"""Ratio of width to height from which on a wish is nearer to 16:9 (the geometric mean of both)."""


def width_for(ratio: float) -> int:
    """Width of the scene for somebody who would like this ratio of width to height; 0: no wish."""
    return NARROW_WIDTH if 0 < ratio < _BETWEEN else SCENE_WIDTH


FACE = "face:"
"""What the names of images begin with that are of people, not of the theme."""
SMALLEST_LETTERS = 14
"""Height of letters, in pixels of the scene, that can still be read where the picture is sent half as large."""
_LARGEST_LETTERS = 28


def letters(height: int) -> int:
    """Height of the letters of a name along a tile of this height."""
    return max(SMALLEST_LETTERS, min(_LARGEST_LETTERS, height // 12))


def strip(height: int, size: int = 0) -> int:
    """Height of the strip with a name, along the bottom of a tile of this height; `size`: of its letters."""
    return min(height, round((size or letters(height)) * 1.7))


class Fit(enum.StrEnum):
    """How a source or an image of another shape fills its tile."""

    COVER = "cover"
    """Crop the excess: no bars."""
    CONTAIN = "contain"
    """Show everything, with bars of the tile's colour."""
    ICON = "icon"
    """Images only: the whole of it, small in the middle."""
    CORNER = "corner"
    """Images only: as large as on a picture of 1920 by 1080 but within the tile, at its top left (REF-061)."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One rectangle, in pixels of the scene; later tiles are drawn over earlier ones."""

    source: str = ""
    """Id of the leg whose video fills it; empty: only what is below."""
    x: int
    y: int
    width: int
    height: int
    fit: Fit = Fit.COVER
    text: str = ""
    """Drawn along the bottom (with a source, or as `label`) or centred."""
    label: bool = False
    colour: int | None = 0x1C2230
    """RGB of the tile where nothing else is; None: what is under it shows."""
    image: str = ""
    """Name of a file of the theme. With a source it is an icon that stands in for a picture that is not there."""
    frozen: bool = False
    """The source's last picture, without colours (CONF-072)."""
    delay: float = 0.0
    """Seconds by which the source is shown late (the test call)."""
    text_colour: int = 0xFFFFFF
    text_size: int = 0
    """Height of the letters, in pixels of the scene; 0: by the tile."""
    backdrop: int = 0
    """Opacity and RGB of a box behind the text, as wide as the text, at the left of the tile; 0: none."""
    at_right: bool = False
    """The box is at the right of the tile."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One composed picture."""

    width: int = SCENE_WIDTH
    height: int = SCENE_HEIGHT
    background: int = 0x0E1116
    tiles: tuple[Tile, ...] = ()
