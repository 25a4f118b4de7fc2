"""How often Python looks for objects that hold each other.

Its defaults suit short programs. A node keeps what belongs to calls for half a minute after they have ended, and would
look through all of it again and again: a quarter of the time of a SIP call. A media worker makes so few objects that it
would hardly ever look, while small ones hold pipelines.
"""

from __future__ import annotations

import asyncio
import gc

YOUNG = 10_000
"""New objects after which the young ones are looked through,"""
OLDER = 20
"""and how many times that is done before the older ones are."""


def settle() -> None:
    """Call it once a process has loaded what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)


class Sweep:
    """Looks through everything some seconds after something was given up, once for all that was meanwhile."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._due: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Something was given up."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(self._seconds, self._now)

    def _now(self) -> None:
        self._due = None
        gc.collect()
