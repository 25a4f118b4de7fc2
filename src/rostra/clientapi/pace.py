"""One client must not keep a node busy alone: who asks very fast is answered more slowly, and refused at last. Pure."""

from __future__ import annotations

RATE = 40.0
"""Requests a second that are answered at once, in the long run."""
BURST = 120
"""Requests at once; a client that joins, trickles its candidates and acts on a long roster stays far below."""
LONGEST = 2.0
"""Seconds that an answer is held back at most; below what clients wait for (API-013)."""


class Pace:
    """Of one client, or of one source; time comes in as an argument."""

    def __init__(self, rate: float = RATE, burst: int = BURST) -> None:
        self._rate, self._burst = rate, burst
        self._until = 0.0
        """When what was asked so far would have been answered at that rate."""

    def delay(self, now: float) -> float | None:
        """Seconds to hold back the request that has come; None: refuse it."""
        behind = max(self._until, now) + 1 / self._rate - now - self._burst / self._rate
        if behind > LONGEST:
            return None
        self._until = max(self._until, now) + 1 / self._rate
        return max(0.0, behind)
