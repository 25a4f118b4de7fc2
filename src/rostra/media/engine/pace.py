"""How often a far end may say what others are told of: one that says it all the time would keep everybody else's news
from being heard. Pure.
"""

from __future__ import annotations

from typing import Final

PER_SECOND: Final = 20.0
"""Nobody presses keys or moves a camera faster,"""
AT_ONCE: Final = 40.0
"""but for what the network has held up."""


class Pace:
    """Of one far end and one kind of thing. Times are those of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._left = AT_ONCE
        self._last = float("-inf")

    def allows(self, now: float) -> bool:
        """One more? What is not allowed is forgotten."""
        self._left = min(AT_ONCE, self._left + (now - self._last) * PER_SECOND)
        self._last = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
