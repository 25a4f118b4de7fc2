"""When far ends are asked for key frames: as soon as something comes of which nothing can be shown, and again. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PAUSES: Final = (3, 5, 10)
"""Polls between two requests; the last one goes on: a request may be lost, and so may its answer."""


SPACING: Final = 0.35
"""Seconds between two requests to one sender at least: browsers disregard one that comes within 0.3 s of another."""


class Spaced:
    """Lets through one request of many in a row."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def allows(self, now: float) -> bool:
        """Whether a request at this time (seconds) shall go out."""
        if now - self._last < SPACING:
            return False
        self._last = now
        return True


class Asking:
    """Counts the requests for each source that is missing."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[int, int]] = {}
        """How often each was asked for, and the polls until it is again."""

    def due(self, missing: Collection[str]) -> list[str]:
        """Those of the missing sources to ask for now; call it at each poll, with all that are missing."""
        asked: list[str] = []
        waiting: dict[str, tuple[int, int]] = {}
        for source in missing:
            times, left = self._waiting.get(source, (0, 0))
            if left == 0:
                asked.append(source)
                left = PAUSES[min(times, len(PAUSES) - 1)]
                times += 1
            waiting[source] = times, left - 1
        self._waiting = waiting
        return asked
