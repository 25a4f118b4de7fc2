"""How much a leg is sent: what the path to it takes, by what is reported, and what its far end says that it takes."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from rostra.media.engine import rungs
from rostra.media.engine.estimator import Estimate, Heard
from rostra.media.engine.rungs import Rung
from rostra.media.engine.steps import Steps

logger = structlog.get_logger("rostra.media")

TRIED, UNTRIED = 1.3, 1.5
"""A bound of so many times what is sent stands for so many times itself."""
TRYING = 3.0
"""Seconds in which the receiver may find out, unless it says less."""
USED = 0.7
"""A picture in which little moves takes less than such a share of what it may: then the receiver cannot know more."""
HEADERS = 0.95
"""Share of what is sent that is left beside the headers of RTP."""


class SendingRate:
    """The rate of one leg. Pure but for its log."""

    def __init__(self, leg: str, *, prompt: bool) -> None:
        """`prompt`: see `Estimate`."""
        self._leg = leg
        self._steps = Steps()
        self.estimate = Estimate(prompt=prompt)
        self._trying = float("-inf"), 0
        """When more than the bound was last worth trying, and what that was."""
        self.bound: int | None = None
        """bit/s that the far end says it takes; None: it says nothing."""

    @property
    def limit(self) -> int | None:
        """bit/s of all that it is sent, in steps; None: whatever was agreed."""
        return self._steps.limit

    def look(
        self, now: float, heard: Heard | None, sent: float, best: Callable[[int | None], Rung], beside: int = 0
    ) -> bool:
        """Take what was reported; True: the limit has changed. `best`: the main picture that a limit would give.

        Call it a few times a second. `sent`: bit/s at present; 0: nothing. `beside`: those that are sent at most
        beside the picture and the sound.
        """
        before = self._steps.limit
        if before is None and self.bound is None and self.estimate.bitrate is None:
            self.estimate.look(now, heard, sent, 0)  # most legs, most of the time: nothing more to think about
            if self.estimate.bitrate is None:
                return False
            heard = None
        most, now_most = (
            int((best(limit).bitrate + rungs.SOUND + beside) / HEADERS) for limit in (None, self._steps.limit)
        )
        self.estimate.look(now, heard, sent, most, now_most)
        bounds = [int(value * HEADERS) for value in (self.estimate.bitrate, self._meant(now, sent)) if value]
        if not self._steps.follow(now, min(bounds, default=None), lambda limit: _size(best(limit))):
            return False
        tell = logger.debug if _size(best(before)) == _size(best(self.limit)) else logger.info
        tell(
            "Another rate is sent", leg=self._leg, bitrate=self.limit, before=before, estimate=self.estimate.bitrate,
            bound=self.bound, lost=round(self.estimate.share, 3),
        )  # fmt: skip
        return True

    def _meant(self, now: float, sent: float) -> float | None:
        """Receivers that estimate say half as much again as they get at most: then it is not the path that limits."""
        if self.bound is None:
            return None
        if self.bound > TRIED * sent:
            self._trying = now, self.bound
        since, bound = self._trying
        meant = self.bound * UNTRIED if now - since < TRYING and self.bound >= bound else self.bound
        if self.limit and self.bound > TRIED * sent and sent < USED * self.limit:
            return max(meant, UNTRIED * self.limit)
        return meant

    def debug_state(self) -> dict[str, float | None]:
        """bit/s that the path is thought to take, that the far end says it takes, and that are obeyed, None where there
        is no limit; the share of packets lost lately, and the seconds that they wait on the way."""
        return {
            "estimate": self.estimate.bitrate,
            "bound": self.bound,
            "limit": self.limit,
            "lost": round(self.estimate.share, 3),
            "queue": round(self.estimate.queue, 3),
        }


def lower(one: int | None, other: int | None) -> int | None:
    """The lower of two limits, either of which may not be there."""
    return min((value for value in (one, other) if value), default=None)


def _size(rung: Rung) -> int:
    return rung.width * rung.height * rung.frame_rate
