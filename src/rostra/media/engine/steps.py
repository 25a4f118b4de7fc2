"""From an estimate, which never stands still, to the limit that is obeyed, which moves seldom. Pure.

Down at once. Up by what has lasted: within a picture size after a moment, to a larger picture after a longer one,
and after the longer the more often a rise had to be taken back. For each limit may need an encoder of its own where
the picture is shared, and who says otherwise every second would have new ones made all the time.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Final

PER_DOUBLING: Final = 8
"""Limits that are obeyed in each doubling: legs with nearly the same share an encoder."""
UP, BIGGER, LONGEST = 1.0, 3.0, 32.0
"""Seconds that more must have lasted: of the same size, for a larger picture, and for what was often taken back."""
REGRET: Final = 15.0
"""Seconds within which a rise that is taken back should not have been."""
AGAIN: Final = 4.0
"""Seconds after a fall in which the next one goes further, to one of `FEW` limits in each doubling."""
FEW: Final = 2
_NOTHING: Final = 0
MARGIN: Final = 0.88
"""Share of the estimate that must be enough for a larger picture."""


def step(bitrate: int, per_doubling: int = PER_DOUBLING) -> int:
    """The next lower limit of those that are obeyed."""
    base = 1 << max(3, int(bitrate).bit_length() - 1)
    return base + max(0, bitrate - base) * per_doubling // base * base // per_doubling


class _Patience:
    """How long more must have lasted before there is a rise of one kind."""

    def __init__(self, least: float) -> None:
        self._least = self.seconds = least
        self._rose = self._regretted = float("-inf")

    def rise(self, now: float) -> None:
        if now - self._regretted > 4 * REGRET:
            self.seconds = self._least
        self._rose = now

    def fall(self, now: float) -> None:
        if now - self._rose < max(REGRET, self.seconds):
            self.seconds = min(LONGEST, 2 * self.seconds)
            self._rose, self._regretted = float("-inf"), now


class Steps:
    """The limit of one leg."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """bit/s; None: there is none."""
        self._more: collections.deque[tuple[float, int | None]] = collections.deque()
        """What there was since there was more than the limit all the time."""
        self._up, self._bigger = _Patience(UP), _Patience(BIGGER)
        self._fell = float("-inf")

    def follow(self, now: float, bitrate: int | None, size: Callable[[int | None], int]) -> bool:
        """Follow an estimate; True: the limit has changed. `size`: pixels a second of what a limit would give."""
        wanted = step(bitrate) if bitrate is not None else None
        if not _less(self.limit, wanted):
            self._more.clear()
            return self._fall(now, wanted, size)
        self._more.append((now, wanted))
        while now - self._more[1 if len(self._more) > 1 else 0][0] > LONGEST:
            self._more.popleft()
        return self._grow(now, size) or self._rise(now, size)

    def _fall(self, now: float, wanted: int | None, size: Callable[[int | None], int]) -> bool:
        if wanted is None or not _less(wanted, self.limit):
            return False
        (self._bigger if size(wanted) < size(self.limit) else self._up).fall(now)
        self.limit = step(wanted, FEW) if now - self._fell < AGAIN else wanted
        self._fell = now
        return True

    def _grow(self, now: float, size: Callable[[int | None], int]) -> bool:
        lasting = self._lasting(now, self._bigger.seconds)
        enough = step(int(MARGIN * lasting)) if lasting else None
        if lasting == _NOTHING or size(enough) <= size(self.limit):
            return False
        self._bigger.rise(now)
        self.limit = lasting
        self._more.clear()
        return True

    def _rise(self, now: float, size: Callable[[int | None], int]) -> bool:
        lasting = self._lasting(now, self._up.seconds)
        if lasting == _NOTHING or not _less(self.limit, lasting) or size(lasting) > size(self.limit):
            return False
        self._up.rise(now)
        self.limit = lasting
        return True

    def _lasting(self, now: float, seconds: float) -> int | None:
        """What there was at least for so long; `_NOTHING`: not for so long."""
        if now - self._more[0][0] < seconds:
            return _NOTHING
        since = [value for when, value in self._more if now - when <= seconds]
        least = [value for value in since if value is not None]
        return min(least) if least else None


def _less(one: int | None, other: int | None) -> bool:
    return one is not None and (other is None or one < other)
