"""Where requests wait that begin something, while there are more than can be taken at once. Pure.

A rush is taken by and by, as long as it is over soon. When one wait follows the other without an end in sight, only a
few wait at a time, and whoever came before them is refused: those who are served have not waited long, and there is
always somebody to serve. Those who ask little go first, and before all others those of them whom the node knows.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Final, NamedTuple

from rostra.sip.flow import Flow

RUSH = 1_000
"""Requests that may wait while it may be a rush,"""
STANDING = 50
"""and once it is none: more than are taken in one turn."""
LATE = 0.1
"""Seconds that the first of them has waited when it is no longer served in time;"""
PATIENCE = 0.6
"""so many seconds of that, and it is no rush."""

OURS: Final = 0
"""Who asks little, and is registered here or a configured system;"""
FEW: Final = 1
"""others who ask little;"""
MANY: Final = 2
"""and all the rest."""


class Waiting(NamedTuple):
    """A datagram that waits."""

    data: bytes
    flow: Flow
    since: float


class Room:
    """Of one node. Requests go by numbers that their repetitions share; time is seconds of any clock."""

    def __init__(self) -> None:
        self._queues = tuple(collections.OrderedDict[int, Waiting]() for _ in (OURS, FEW, MANY))
        self._late: float | None = None
        """Since when the first has always waited for too long."""
        self.standing = False
        """It is no rush."""

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def __contains__(self, request: int | None) -> bool:
        return any(request in queue for queue in self._queues)

    def enter(self, request: int, waiting: Waiting, rank: int) -> None:
        """`rank`: OURS, FEW or MANY."""
        self._queues[rank][request] = waiting

    def next(self) -> Waiting | None:
        """Whose turn it is; None: nobody waits."""
        for queue in self._queues:
            if queue:
                return queue.popitem(last=False)[1]
        return None

    def surplus(self, now: float) -> Iterator[Waiting]:
        """Those who wait for nothing. Ask at the end of each turn."""
        self._judge(now)
        most = STANDING if self.standing else RUSH
        surplus = len(self) - most
        for queue in reversed(self._queues):
            while queue and surplus > 0:
                surplus -= 1
                yield queue.popitem(last=False)[1]

    def _judge(self, now: float) -> None:
        first = next((next(iter(queue.values())) for queue in reversed(self._queues) if queue), None)
        if first is None:
            self._late, self.standing = None, False
        elif now - first.since < LATE:
            self._late = None
        elif self._late is None:
            self._late = now
        elif now - self._late >= PATIENCE:
            self.standing = True
