"""Where requests wait that begin something, while there are more than can be taken at once. Pure.

A rush is taken by and by, as long as it is over soon. When one wait follows the other without an end in sight, only a
few wait at a time, and whoever came before them is refused: those who are served have not waited long, and there is
always somebody to serve. Those who ask little go first.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import NamedTuple

from rostra.sip.flow import Flow

RUSH = 1_000
"""Requests that may wait while it may be a rush,"""
STANDING = 50
"""and once it is none: more than are taken in one turn."""
LATE = 0.1
"""Seconds that the first of them has waited when it is no longer served in time;"""
PATIENCE = 0.6
"""so many seconds of that, and it is no rush."""


class Waiting(NamedTuple):
    """A datagram that waits."""

    data: bytes
    flow: Flow
    since: float


class Room:
    """Of one node. Requests go by numbers that their repetitions share; time is seconds of any clock."""

    def __init__(self) -> None:
        self._few: collections.OrderedDict[int, Waiting] = collections.OrderedDict()
        self._many: collections.OrderedDict[int, Waiting] = collections.OrderedDict()
        self._late: float | None = None
        """Since when the first has always waited for too long."""
        self.standing = False
        """It is no rush."""

    def __len__(self) -> int:
        return len(self._few) + len(self._many)

    def __contains__(self, request: int | None) -> bool:
        return request in self._few or request in self._many

    def enter(self, request: int, waiting: Waiting, *, light: bool) -> None:
        """`light`: of somebody who asks little."""
        (self._few if light else self._many)[request] = waiting

    def next(self) -> Waiting | None:
        """Whose turn it is; None: nobody waits."""
        for waiting in (self._few, self._many):
            if waiting:
                return waiting.popitem(last=False)[1]
        return None

    def surplus(self, now: float) -> Iterator[Waiting]:
        """Those who wait for nothing. Ask at the end of each turn."""
        self._judge(now)
        most = STANDING if self.standing else RUSH
        for waiting in (self._many, self._few):
            while waiting and len(self) > most:
                yield waiting.popitem(last=False)[1]

    def _judge(self, now: float) -> None:
        first = next(iter((self._many or self._few).values()), None)
        if first is None:
            self._late, self.standing = None, False
        elif now - first.since < LATE:
            self._late = None
        elif self._late is None:
            self._late = now
        elif now - self._late >= PATIENCE:
            self.standing = True
