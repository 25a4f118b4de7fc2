"""From an estimate, which never stands still, to the limit that is obeyed, which moves seldom. Pure.

Down at once. Up by what has lasted: within a picture size after a moment, to a larger picture after a longer one,
and after the longer the more often a larger picture had to be taken back.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Final

PER_DOUBLING: Final = 8
"""Limits that are obeyed in each doubling: legs with nearly the same share an encoder."""
UP, BIGGER, LONGEST = 1.0, 3.0, 32.0
"""Seconds that more must have lasted: of the same size, for a larger picture, and for one that was often taken back."""
REGRET: Final = 15.0
"""Seconds within which a larger picture that is taken back should not have been."""
_NOTHING: Final = 0
MARGIN: Final = 0.88
"""Share of the estimate that must be enough for a larger picture."""


def step(bitrate: int) -> int:
    """The next lower limit of those that are obeyed."""
    base = 1 << max(3, int(bitrate).bit_length() - 1)
    return base + max(0, bitrate - base) * PER_DOUBLING // base * base // PER_DOUBLING


class Steps:
    """The limit of one leg."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """bit/s; None: there is none."""
        self._more: collections.deque[tuple[float, int | None]] = collections.deque()
        """What there was since there was more than the limit all the time."""
        self._grown = float("-inf")
        self._patience = BIGGER

    def follow(self, now: float, bitrate: int | None, size: Callable[[int | None], int]) -> bool:
        """Follow an estimate; True: the limit has changed. `size`: pixels a second of what a limit would give."""
        wanted = step(bitrate) if bitrate is not None else None
        if not _less(self.limit, wanted):
            changed = _less(wanted, self.limit)
            if changed and size(wanted) < size(self.limit) and now - self._grown < REGRET:
                self._patience = min(LONGEST, 2 * self._patience)
                self._grown = float("-inf")
            self.limit = wanted
            self._more.clear()
            return changed
        self._more.append((now, wanted))
        while now - self._more[1 if len(self._more) > 1 else 0][0] > LONGEST:
            self._more.popleft()
        return self._bigger(now, size) or self._up(now, size)

    def _bigger(self, now: float, size: Callable[[int | None], int]) -> bool:
        lasting = self._lasting(now, self._patience)
        enough = step(int(MARGIN * lasting)) if lasting else None
        if lasting == _NOTHING or size(enough) <= size(self.limit):
            return False
        if now - self._grown > 4 * REGRET:
            self._patience = BIGGER
        self._grown, self.limit = now, lasting
        self._more.clear()
        return True

    def _up(self, now: float, size: Callable[[int | None], int]) -> bool:
        lasting = self._lasting(now, UP)
        if lasting == _NOTHING or not _less(self.limit, lasting) or size(lasting) > size(self.limit):
            return False
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
