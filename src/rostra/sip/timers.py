"""Virtual time: a queue of things to do later. Seconds of any monotonic clock, given from outside."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Callable

Action = Callable[[float], None]

LEAST_ROOM = 1024
"""Entries, with those that were cancelled, before these are let go for the first time."""


@dataclasses.dataclass(slots=True, eq=False)
class Timer:
    """One entry; `cancel` may be called at any time."""

    when: float
    action: Action | None

    def cancel(self) -> None:
        self.action = None


class Timers:
    """All timers of one engine."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._room = LEAST_ROOM

    def __len__(self) -> int:
        return sum(1 for _, _, timer in self._heap if timer.action is not None)

    def set(self, when: float, action: Action) -> Timer:
        timer = Timer(when, action)
        if len(self._heap) >= self._room:
            self._tidy()
        heapq.heappush(self._heap, (when, next(self._order), timer))
        return timer

    def _tidy(self) -> None:
        """Let go of what was cancelled, or far ends that set late timers anew would fill the memory."""
        self._heap = [entry for entry in self._heap if entry[2].action is not None]
        heapq.heapify(self._heap)
        self._room = max(LEAST_ROOM, 2 * len(self._heap))

    def next(self) -> float | None:
        """When the earliest is due; None without any."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do everything due by `now`, in order, each at its own time."""
        while (when := self.next()) is not None and when <= now:
            timer = heapq.heappop(self._heap)[2]
            action, timer.action = timer.action, None
            if action is not None:
                action(when)
