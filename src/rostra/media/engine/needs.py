"""What is wanted of each far end: no better a picture than is shown of it anywhere.

More is asked for at once: when a layout shows somebody larger, and already when he begins to speak, because layouts
follow. Less is asked for when it has been enough for a while. Slides are never limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeGuard

from rostra.domain.scene import Scene
from rostra.media.engine import rungs
from rostra.media.engine.backplane_legs import BackplaneReceiver, BackplaneSender
from rostra.media.engine.leg import Leg
from rostra.media.messages import Quality

Size = tuple[int, int]
"""Pixels: width and height."""

UNSEEN: Final = 125_000
"""bit/s of who is shown nowhere: a small picture, so that something is there when he is."""
RESERVE: Final = 1.25
"""Far ends get so many times what we would send of that size ourselves."""
NEARLY: Final = 0.9
"""Share of a tile's width and height that a picture must have, or it is seen that it is enlarged."""
LASTING: Final = 5.0
"""Seconds that less must have been enough."""
FULL_HD_SCALE: Final = rungs.FULL_HD.height / rungs.LADDER[0].height
"""How much larger than their scene views are sent where Full HD is."""
VOICE: Final = -45.0
"""dBov from which on somebody speaks."""


def shown(views: Mapping[str, Scene], watching: Mapping[str, str], scale: float = 1.0) -> dict[str, Size]:
    """Sources to the largest size at which somebody is shown them. Pure.

    `scale`: how much larger than their scene the views are sent at most.
    """
    found: dict[str, Size] = {}
    for view in set(watching.values()):
        scene = views.get(view)
        for tile in scene.tiles if scene else ():
            if tile.source and tile.width > 0 and tile.height > 0 and not tile.frozen:
                size = round(tile.width * scale), round(tile.height * scale)
                found[tile.source] = max(found.get(tile.source, (0, 0)), size, key=_pixels)
    return found


def enough(size: Size | None) -> int | None:
    """bit/s of a picture that is shown at this size, or nowhere; None: the best there is. Pure."""
    if size is None:
        return UNSEEN
    for rung in reversed(rungs.LADDER[1:]):
        moves = rung.frame_rate == rungs.LADDER[0].frame_rate
        if moves and rung.width >= NEARLY * size[0] and rung.height >= NEARLY * size[1]:
            return int(RESERVE * rung.bitrate)
    return None


class Need:
    """What is asked of one source. Pure."""

    def __init__(self) -> None:
        self.bitrate: int | None = None
        """bit/s; None: as much as was agreed."""
        self._since: float | None = None

    def follow(self, now: float, wanted: int | None) -> int | None:
        """What to ask for where so much would be enough."""
        if wanted == self.bitrate:
            self._since = None
        elif wanted is None or (self.bitrate is not None and wanted > self.bitrate):
            self.bitrate, self._since = wanted, None
        elif self._since is None:
            self._since = now
        elif now - self._since >= LASTING:
            self.bitrate, self._since = wanted, None
        return self.bitrate


class Needs:
    """What is asked of all legs of a worker. `legs` is the engine's own table, looked at when asked."""

    def __init__(self, legs: Mapping[str, Leg]) -> None:
        self._legs = legs
        self._shown: dict[str, Size] = {}
        self._needs: dict[str, Need] = {}

    def compose(self, views: Mapping[str, Scene], watching: Mapping[str, str], scale: float) -> None:
        """What is shown from now on, see `shown`."""
        self._shown = shown(views, watching, scale)

    def poll(self, now: float, levels: Mapping[str, float]) -> None:
        """Ask; call it a few times a second."""
        largest = max(self._shown.values(), key=_pixels, default=None)
        passed_on = {leg.request.source for leg in self._legs.values() if _passes_on(leg)}
        needs: dict[str, Need] = {}
        for name, leg in self._legs.items():
            if isinstance(leg, BackplaneReceiver | BackplaneSender):
                continue
            needs[name] = self._needs.get(name) or Need()
            size = largest if levels.get(name, VOICE) > VOICE else self._shown.get(leg.shows)
            leg.need(needs[name].follow(now, None if leg.shows in passed_on else enough(size)))
        self._needs = needs

    def debug_state(self) -> dict[str, dict[str, float | None]]:
        """For each leg the bit/s that it is asked for (None: as much as was agreed), and of what it is sent that which
        `SendingRate.debug_state` says."""
        found: dict[str, dict[str, float | None]] = {}
        for name, need in self._needs.items():
            leg = self._legs.get(name)
            found[name] = {"need": need.bitrate} | (leg.sending.debug_state() if leg and leg.sending else {})
        return found


def _passes_on(leg: Leg) -> TypeGuard[BackplaneSender]:
    """Another node shows it as it comes; small pictures for others are made from whatever comes."""
    return isinstance(leg, BackplaneSender) and leg.request.quality is Quality.FULL


def _pixels(size: Size) -> int:
    return size[0] * size[1]
