"""When a received picture goes to a leg as it came, and not composed and encoded anew. Pure.

It may where it fills the leg's whole picture, with nothing over it, in a codec, form, size and rate the leg takes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Final

from rostra.domain.scene import Scene, Tile
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import rungs
from rostra.media.engine.rungs import Rung

FITS: Final = 0.95
EXCESS: Final = 1.15
"""Shares of what a leg can take: below the first a picture may begin to go there as it comes, above the second it
ends."""
SHAPE: Final = 0.02
"""By how much the shapes of picture and scene may differ: that is less than a line of blocks."""
LARGER: Final = 1.05
"""How many more pixels than the best we would send may come."""
DWELL: Final = 1.0
"""Seconds for which it must have been possible."""
PAUSE: Final = 3.0
"""Seconds from one end of it to the next beginning; doubled each time it has not lasted."""
LONGEST_PAUSE: Final = 96.0
LASTED: Final = 20.0
"""Seconds after which it has proved itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arriving:
    """A picture as it is at hand."""

    source: str
    channel: str
    """Where it is published as it arrives."""
    row: CodecRow
    size: tuple[int, int]
    profile: str = ""
    """What its codec calls what was left out or used; empty: not known."""
    bitrate: float = 0.0
    """bit/s; 0: not known."""


@dataclasses.dataclass(frozen=True, slots=True)
class Taker:
    """What a leg takes as its main picture."""

    parameters: Mapping[str, str]
    """Its fmtp members."""
    limit: int | None
    """bit/s."""
    quality: str = "hd"
    """The best there may be, as of `rungs.pick`."""


def whole(scene: Scene, drawn: Callable[[str], bool]) -> str:
    """The source that alone makes up a scene; empty: there is more to see, or it is changed on its way.

    `drawn`: is there such an image?
    """
    tiles = [tile for tile in scene.tiles if _visible(tile, drawn)]
    if not tiles:
        return ""
    last = tiles[-1]  # what is below it is covered
    covering = (
        last.x <= 0 and last.y <= 0 and last.x + last.width >= scene.width and last.y + last.height >= scene.height
    )
    plain = not last.text and not last.frozen and not last.delay
    return last.source if covering and plain else ""


def _visible(tile: Tile, drawn: Callable[[str], bool]) -> bool:
    if tile.source or tile.text or tile.colour is not None:
        return True
    return bool(tile.image) and drawn(tile.image)


def passes(taker: Taker, row: CodecRow, arriving: Arriving, scene: tuple[int, int], *, already: bool) -> bool:
    """Can the leg, which is sent `row`, take a picture as it comes, in place of a scene of this size?

    `already`: it does, so that a little more is still no reason to end that.
    """
    parameters = taker.parameters
    if arriving.row.name != row.name or not row.passes(parameters) or not row.decodes(parameters, arriving.profile):
        return False
    width, height = arriving.size
    if row.sizes(parameters) or not math.isclose(width / height, scene[0] / scene[1], rel_tol=SHAPE):
        return False
    best = rungs.pick(parameters, None, taker.quality)
    if best.frame_rate < rungs.LADDER[0].frame_rate or width * height > LARGER * best.width * best.height:
        return False
    rate, blocks, _ = rungs.capability(parameters)
    came = Rung(width, height, best.frame_rate, 0).macroblocks
    if (blocks and came > blocks) or (rate and came * best.frame_rate > rate):
        return False
    if not taker.limit:
        return True
    return 0 < arriving.bitrate <= taker.limit * (EXCESS if already else FITS)


class Steady:
    """Which source a leg is sent as it came, without going to and fro."""

    def __init__(self) -> None:
        self.chosen = ""
        self._begun = 0.0
        self._wanted = ""
        self._since = 0.0
        self._not_before = -math.inf
        self._pause = PAUSE

    def choose(self, now: float, able: str) -> str:
        """`able`: the source that could be (empty: none). Ends at once, begins when it will last; empty: encode.

        From one source it goes straight to another.
        """
        if able != self._wanted:
            self._wanted, self._since = able, now
        if self.chosen and able:
            self.chosen = able
        elif self.chosen:
            self._end(now)
        if not self.chosen and able and now - self._since >= DWELL and now >= self._not_before:
            self.chosen, self._begun = able, now
        return self.chosen

    def failed(self, now: float) -> None:
        """Nothing came that way."""
        self._begun = now
        self._end(now)

    def _end(self, now: float) -> None:
        lasted = now - self._begun >= LASTED
        self._pause = PAUSE if lasted else min(2 * self._pause, LONGEST_PAUSE)
        self._not_before = now + (PAUSE if lasted else self._pause / 2)
        self.chosen = ""
