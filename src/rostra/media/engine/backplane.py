"""What crosses backplanes, as rules: payload types, names of channels, and how a wanted stream is come by. Pure.

Between workers a stream is passed on as it came wherever that serves: FULL pictures always, small ones when the
source is small or they arrived small already. Only what is wanted smaller than anything at hand is encoded here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Final

from rostra.domain.media import MediaKind
from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine.rungs import Rung
from rostra.media.messages import Quality

PAYLOAD_TYPES: Final[Mapping[str, int]] = {row.name: row.payload_type for row in codecs.ROWS if row.encoder}
"""Codec to RTP payload type: fixed between workers, so that a stream may change its codec without a word."""
SOUND: Final[CodecRow] = next(row for row in codecs.ROWS if row.kind is MediaKind.AUDIO)
"""In which codec mixes cross."""
SMALL: Final[CodecRow] = next(row for row in codecs.ROWS if row.kind is MediaKind.VIDEO)
"""In which codec small pictures are made."""

SMALL_PIXELS: Final = 320 * 180
SMALL_FRAME_RATE: Final = 15
SMALL_BITRATE: Final = 128_000
FAT: Final = 3 * SMALL_BITRATE
"""bit/s, sound included, above which a picture is not small, whatever its size."""
"""Bit/s (PLAT-056: 64 to 192 kbit/s)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Forward:
    """Pass on what is on a channel."""

    channel: str
    row: CodecRow


@dataclasses.dataclass(frozen=True, slots=True)
class Encode:
    """Encode the picture of a source by itself, or (no rung) a mix of groups; shared by all who want the same."""

    view: str
    """Name of the hidden view or mix."""
    row: CodecRow
    rung: Rung | None = None
    source: str = ""
    groups: int = 0
    whole: bool = False
    """Nothing is cropped: slides."""


Way = Forward | Encode | None
"""How a stream is come by; None: not at present."""


def channel(source: str, quality: Quality, row: CodecRow) -> str:
    """Where the encoded pictures of a source are published as they arrive."""
    return f"{source}/{quality}/{row.name}"


def picture_way(
    source: str,
    quality: Quality,
    at_hand: Mapping[Quality, CodecRow],
    size: tuple[int, int] | None,
    *,
    fat: bool = False,
) -> Way:
    """How to send the picture of a source: `at_hand` are the streams of it that arrive, `size` of what is decoded.

    `fat`: it comes at a rate that a small picture does not need (PLAT-056), so it is made small though its size is.
    """
    for found in (Quality.THUMBNAIL, Quality.FULL) if quality is Quality.THUMBNAIL else (Quality.FULL,):
        if found in at_hand and (found is quality or (_is_small(size) and not fat)):
            return Forward(channel(source, found, at_hand[found]), at_hand[found])
    if quality is Quality.THUMBNAIL and Quality.FULL in at_hand and size:
        rung = small_rung(size)
        return Encode(f"~source:{rung.width}x{rung.height}:{source}", SMALL, rung, source)
    return None


def mix_way(groups: int) -> Way:
    """How to send a mix of groups of sound: encoded once for all who are to hear the same."""
    return Encode(f"~mix:{groups}", SOUND, groups=groups) if groups else None


def small_rung(size: tuple[int, int]) -> Rung:
    """The size and rate of a small picture of a source, in its shape."""
    width, height = size
    scale = min(1.0, math.sqrt(SMALL_PIXELS / (width * height)))
    return Rung(_even(width * scale), _even(height * scale), SMALL_FRAME_RATE, SMALL_BITRATE)


def _even(length: float) -> int:
    return max(16, 2 * round(length / 2))


def _is_small(size: tuple[int, int] | None) -> bool:
    return size is not None and size[0] * size[1] <= SMALL_PIXELS
