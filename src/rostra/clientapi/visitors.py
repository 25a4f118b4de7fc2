"""Who asks without a token: how fast, and whether aliases are tried. Counted by source: nobody is a client yet."""

from __future__ import annotations

import time

from rostra.clientapi.pace import Pace
from rostra.domain.abuse import Shield, source_of

RATE = 50.0
"""Requests a second of one source that are answered at once: a company may come to a meeting all together."""
BURST = 500
MOST_SOURCES = 10_000
"""Sources remembered; with more the longest unused is forgotten."""


class Visitors:
    """Of one node."""

    def __init__(self, shield: Shield) -> None:
        self._shield = shield
        self._paces: dict[str, Pace] = {}

    def heard(self, address: str) -> bool:
        """False: too many aliases were tried from there, and nothing else is in order."""
        return self._shield.new(address, time.monotonic(), proven=True)

    def delay(self, address: str) -> float | None:
        """Seconds to hold back a request; None: refuse it."""
        source = source_of(address)
        pace = self._paces.pop(source, None) or Pace(RATE, BURST)
        self._paces[source] = pace
        if len(self._paces) > MOST_SOURCES:
            del self._paces[next(iter(self._paces))]
        return pace.delay(time.monotonic())

    def nobody_there(self, address: str, alias: str) -> None:
        """An alias was asked for that leads nowhere."""
        self._shield.wrong_alias(address, alias, time.monotonic(), proven=True)
