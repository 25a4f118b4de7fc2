"""Pictures without a conference in them: the theme's full-screen images, with what the system writes on them. Pure."""

from __future__ import annotations

from typing import Final

from rostra.domain import theme
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Fit, Scene, Tile

WRITTEN_FROM: Final = round(755 * SCENE_HEIGHT / 1080)
"""Upper edge of what is written on an image (REF-042)."""
_LETTERS: Final = 36
_LOOP_WIDTH, _LOOP_HEIGHT = 896, 504


def splash(image: str, *texts: str, colour: int = 0xFFFFFF, width: int = SCENE_WIDTH) -> Scene:
    """An image of the theme over the whole picture, with lines of text in its lower part (REF-028...REF-049)."""
    tiles = [_whole(image, width)]
    if any(texts):
        tiles.append(
            Tile(
                x=0, y=WRITTEN_FROM, width=width, height=SCENE_HEIGHT - WRITTEN_FROM, colour=None,
                text="\n".join(texts), text_colour=colour, text_size=_LETTERS,
            )
        )  # fmt: skip
    return Scene(width=width, tiles=tuple(tiles))


def notice(text: str, width: int = SCENE_WIDTH) -> Scene:
    """Text alone."""
    tile = Tile(x=0, y=0, width=width, height=SCENE_HEIGHT, text=text, colour=0x0E1116)
    return Scene(width=width, tiles=(tile,) if text else ())


def loop(
    source: str, delay: float = 0.0, image: str = theme.TEST_CALL_RECORDING, width: int = SCENE_WIDTH
) -> Scene:  # fmt: skip
    """The test call: the caller's own picture, late by `delay` seconds, large over an image (SVC-117, REF-049)."""
    picture = Tile(
        source=source, delay=delay, x=(width - _LOOP_WIDTH) // 2, y=(SCENE_HEIGHT - _LOOP_HEIGHT) // 2,
        width=_LOOP_WIDTH, height=_LOOP_HEIGHT, fit=Fit.COVER, image=theme.NO_INCOMING_VIDEO,
    )  # fmt: skip
    return Scene(width=width, tiles=(_whole(image, width), picture))


def stream_without(icon: str, background: int) -> Scene:
    """A stream while there is nothing to send: an icon on a colour (REF-055)."""
    tile = Tile(x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, colour=background)
    size = 267  # 400 on a picture of 1920
    middle = Tile(
        x=(SCENE_WIDTH - size) // 2, y=(SCENE_HEIGHT - size) // 2, width=size, height=size, colour=None, image=icon,
        fit=Fit.CONTAIN,
    )  # fmt: skip
    return Scene(tiles=(tile, middle))


def _whole(image: str, width: int) -> Tile:
    return Tile(x=0, y=0, width=width, height=SCENE_HEIGHT, image=image, colour=0x0E1116)
