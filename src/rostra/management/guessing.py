"""Who keeps presenting wrong secrets is not heard for a while. Pure but for the lock: time is an argument."""

from __future__ import annotations

import threading
from collections import OrderedDict

ATTEMPTS = 10
"""Wrong ones from one address within WINDOW."""
WINDOW = 60.0
"""Seconds; also how long the address is not heard then."""
_REMEMBERED = 10_000


class Guessing:
    """Counts failures by address."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def held_back(self, address: str, now: float) -> bool:
        """Is `address` not to be heard now?"""
        with self._lock:
            return len(self._recent(address, now)) >= ATTEMPTS

    def failed(self, address: str, now: float) -> None:
        with self._lock:
            recent = self._recent(address, now)
            recent.append(now)
            self._failures[address] = recent[-ATTEMPTS:]
            self._failures.move_to_end(address)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def _recent(self, address: str, now: float) -> list[float]:
        return [then for then in self._failures.get(address, []) if now - then < WINDOW]
