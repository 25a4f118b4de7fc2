"""A scene: everything that is in one composed picture, as data.

Computed by `domain.layout` (who, where, how big, what text) and executed by the media engine, which knows
nothing of hosts, guests or PINs.
"""

from __future__ import annotations

import enum

import msgspec

SCENE_WIDTH = 1280
SCENE_HEIGHT = 720


class Fit(enum.StrEnum):
    """How a source of another shape fills its tile."""

    COVER = "cover"
    """Crop the excess: no bars."""
    CONTAIN = "contain"
    """Show everything, with bars."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One rectangle, in pixels of the scene; later tiles are drawn over earlier ones."""

    source: str = ""
    """Id of the leg whose video fills it; empty: only the text on the background."""
    x: int
    y: int
    width: int
    height: int
    fit: Fit = Fit.COVER
    text: str = ""
    """Drawn along the bottom (with a source) or centred (without)."""
    colour: int = 0x1C2230
    """RGB of the tile while its source has no picture."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One composed picture."""

    width: int = SCENE_WIDTH
    height: int = SCENE_HEIGHT
    background: int = 0x0E1116
    tiles: tuple[Tile, ...] = ()
