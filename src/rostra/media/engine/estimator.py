"""How fast the path to a far end takes what it is sent, from what the far end reports. Pure: time comes in.

Two signs of too much are looked at: packets wait in a queue on the way, which by itself would drain, and packets get
lost. A loss that stays the same however little is sent is no sign of too much: it is the path's own, and what was
taken back for it is given back. After too much the rate goes below what arrived, so that the queue drains; then up
again, quickly while far from where it was too much last, slowly near to that.

An estimate of None means that nothing was ever too much: what was agreed is sent.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Final

FLOOR: Final = 96_000
"""bit/s: the least that is sent, sound included."""
SHORT, STANDING = 0.015, 0.05
"""Seconds that packets wait, all of them, before no more is sent, and before that counts as a queue."""
LONG: Final = 0.15
"""A queue of so many seconds needs more room to drain."""
LOSSY: Final = 0.1
"""Share lost, beyond the path's own, above which less is sent."""
DOUBTFUL: Final = 0.03
"""Share lost above which no more is sent."""
DRAINING: Final = 0.005
"""Seconds by which a queue gets shorter between two reports, if it does."""
MOST: Final = 0.5
"""Share lost that is no path's own."""
FEW, MANY = 12, 30
"""Packets below which, or with which, there is something to be said of shares."""
FREE: Final = 1.3
"""With so many times what would be sent at most there is no limit any more."""
PATIENCE: Final = 0.7
"""Seconds until what was taken back can show."""
HALF: Final = 0.5
"""Share of the estimate that a queue leaves of it while less than that is sent: little arrives then anyhow."""
WINDOW, RECENT = 1.0, 0.5
"""Seconds over which shares lost are taken, and rates."""
EPISODE: Final = 2.0
"""Seconds between two signs of the same excess."""
SPEED, CREEP = 1.25, 0.07
"""Growth a second far from the last excess (a factor), and near it (a share of that rate)."""
NEAR, PROVED = 1.35, 1.08
"""Up to so many times the last excess the estimate grows slowly, until so many times that have really arrived,"""
LEAP: Final = 2.0
"""Seconds of growth that one report is good for at most."""
MEMORY: Final = 10.0
"""or seconds have passed since."""
PROBE: Final = 1.6
"""The estimate grows quickly up to so many times what is sent, or may be: more would not be proved."""
SILENCE: Final = 3.0
"""Seconds without a report, while we send, that are a sign of too much as well."""


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """What was reported since the last look."""

    arrived: int
    """Packets."""
    lost: int
    bits: int
    """That arrived."""
    span: float
    """Seconds over which they arrived."""
    queue: float | None = None
    """Seconds that the packet that waited least has waited; None: not known."""
    age: float = 0.0
    """Seconds since the end of that span."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Cut:
    """What was when less was sent for loss."""

    sent: float
    arrived: float


class Base:
    """The least of a figure over the last 10 to 20 s: the delay of a path without a queue."""

    SPAN = 10.0

    def __init__(self) -> None:
        self._least = self._older = float("inf")
        self._since: float | None = None

    def above(self, now: float, value: float) -> float:
        """How far a value is above the base."""
        if self._since is None or now - self._since > self.SPAN:
            self._older, self._least, self._since = self._least, value, now
        self._least = min(self._least, value)
        return value - min(self._least, self._older)


class Estimate:
    """The estimate for one path."""

    def __init__(self, *, prompt: bool = True) -> None:
        """`prompt`: reports come several times a second, so that it is a sign when they stay out."""
        self._prompt = prompt
        self.bitrate: int | None = None
        """bit/s of all that is sent, headers of RTP included; None: not limited."""
        self.share = 0.0
        """Share of packets lost lately."""
        self._heard: collections.deque[tuple[float, Heard]] = collections.deque()
        self._report: float | None = None
        self._every = 0.0
        """Seconds between the last two reports."""
        self.cut_at = float("-inf")
        """When less was sent last."""
        self._excess: float | None = None
        """bit/s that the path took when there was too much last."""
        self.queue = 0.0
        """Seconds that packets wait on the way."""
        self._standing = 0
        """Reports in a row of a queue that does not drain."""
        self._draining = False
        self._own = self._learned = 0.0
        """Share of loss that is the path's own, now and at most."""
        self._cuts: list[_Cut] = []

    def look(self, now: float, heard: Heard | None, sent: float, ceiling: int, allowed: int = 0) -> None:
        """Take a report, or that there was none.

        `sent`: bit/s at present, and `allowed`: those that may be sent; `ceiling`: what would be sent at most.

        Call it a few times a second.
        """
        if heard is None or heard.arrived + heard.lost == 0:
            self._unheard(now, sent)
            return
        if heard.span >= WINDOW and now - heard.age - heard.span < self.cut_at - RECENT:
            return  # much of it was at another rate
        self._every = now - self._report if self._report is not None else 0.0
        self._report = now
        self._heard.append((now, heard))
        while len(self._heard) > 1 and now - self._heard[0][0] > max(WINDOW, heard.span) and self._packets > MANY:
            self._heard.popleft()
        self._follow(heard.queue)
        if self._standing >= 2:
            self._draining = True
            if now - self.cut_at >= PATIENCE:
                self._back(now, sent, max(sent, allowed), 0.7 if self.queue > LONG else 0.85)
        elif self._beyond > LOSSY and self.queue <= STANDING:
            if now - self.cut_at >= PATIENCE and self._packets >= FEW:
                self._back_for_loss(now, sent)
        elif self.queue <= SHORT:
            self._up(now, max(sent, allowed), ceiling, certain=heard.queue is not None)

    @property
    def arriving(self) -> float:
        """bit/s that have arrived lately."""
        latest = self._heard[-1][0] if self._heard else 0.0
        recent = [one for when, one in self._heard if latest - when < RECENT]
        span = sum(one.span for one in recent)
        return sum(one.bits for one in recent) / span if span > 0 else 0.0

    @property
    def _packets(self) -> int:
        return sum(one.arrived + one.lost for _, one in self._heard)

    @property
    def _beyond(self) -> float:
        """Share lost beyond the path's own."""
        return self.share - 1.25 * self._own

    def _follow(self, queue: float | None) -> None:
        """How long packets wait, and how many get lost."""
        before, self.queue = self.queue, queue or 0.0
        full = self.queue > STANDING and self.queue > before - DRAINING
        self._standing = self._standing + 1 if full else 0
        self.share = sum(one.lost for _, one in self._heard) / self._packets
        if self.share < 1.5 * self._own:
            self._own = min(self._learned, self._own + 0.05 * (self.share - self._own))

    def _back(self, now: float, sent: float, allowed: float, factor: float) -> None:
        took, before = self.arriving or sent, self.bitrate or allowed
        if self._excess and now - self.cut_at < EPISODE:  # what comes while a queue is full of old packets tells less
            took = max(took, 0.9 * self._excess)
        self._excess, self.cut_at = took, now
        least = HALF * before if sent < HALF * before else FLOOR
        self.bitrate = int(max(FLOOR, least, factor * min(took, before)))
        self._forget()

    def _back_for_loss(self, now: float, sent: float) -> None:
        before, took = self.bitrate or sent, self.arriving
        self.cut_at = now
        # the first may have come while the path changed: the second is what is compared with
        first = self._cuts[1] if len(self._cuts) > 1 else None
        if first and before < 0.85 * first.sent and took < 1.1 * first.arrived * before / first.sent:
            self._own = self._learned = min(self.share, MOST)
            self.bitrate, self._excess = int(self._cuts[0].sent), None
            self._cuts.clear()
            self._forget()
            return
        self._cuts.append(_Cut(before, took))
        self._excess = took
        less = 0.9 * took if self.share > MOST else max(0.9 * took, before * (1 - self.share / 2))
        self.bitrate = max(FLOOR, int(min(less, 0.95 * before)))
        self._forget()

    def _forget(self) -> None:
        """What was sent at another rate says nothing of this one."""
        while len(self._heard) > 1:
            self._heard.popleft()

    def _up(self, now: float, sent: float, ceiling: int, *, certain: bool) -> None:
        """`certain`: that there is no queue."""
        if self._beyond > DOUBTFUL and not certain:
            return
        if self._beyond <= DOUBTFUL:
            self._cuts.clear()
        if self.bitrate is None:
            return
        if self._draining and self._excess:
            self._draining = False
            self.bitrate = max(self.bitrate, int(0.9 * self._excess))
        passed = min(LEAP, self._every)
        if self._excess and (self.arriving > PROVED * self._excess or now - self.cut_at > MEMORY):
            self._excess = None
        if self._excess or self._beyond > DOUBTFUL:
            grown = self.bitrate + CREEP * max(self._excess or 0, 4 * FLOOR) * passed
            grown = min(grown, max(self.bitrate, NEAR * self._excess)) if self._excess else grown
        else:
            grown = self.bitrate * SPEED**passed
        if grown > PROBE * sent:  # not proved: it grows all the same, but slowly
            grown = self.bitrate + (grown - self.bitrate) / 4
        self.bitrate = int(grown) if grown < FREE * ceiling else None

    def _unheard(self, now: float, sent: float) -> None:
        if self._report is None or not self._prompt:
            return
        if not sent:
            self._report = now
        elif now - self._report > max(SILENCE, 3 * self._every):
            self._report, self._excess = now, None
            self.bitrate = max(FLOOR, int(0.7 * (self.bitrate or sent)))
