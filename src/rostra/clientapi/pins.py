"""Limits wrong PINs per source address and alias (API-030)."""

from __future__ import annotations

from collections import deque

from rostra.domain.abuse import source_of

WRONG_PINS = 10
"""Wrong attempts within `WINDOW` after which all attempts are refused for `WINDOW`."""
WINDOW = 60.0
"""Seconds."""
MAX_PAIRS = 10_000
"""Pairs remembered; with more the longest unused is forgotten."""


class PinGuard:
    """Counts wrong PINs; time comes in as an argument."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], deque[float]] = {}

    def blocked(self, address: str, alias: str, now: float) -> bool:
        wrong = self._wrong.get((source_of(address), alias.casefold()))
        return wrong is not None and len(wrong) >= WRONG_PINS and now - wrong[-1] < WINDOW

    def wrong(self, address: str, alias: str, now: float) -> None:
        """A wrong PIN was given."""
        pair = (source_of(address), alias.casefold())
        times = self._wrong.pop(pair, None) or deque(maxlen=WRONG_PINS)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        times.append(now)
        self._wrong[pair] = times
        if len(self._wrong) > MAX_PAIRS:
            del self._wrong[next(iter(self._wrong))]

    def debug_state(self) -> dict[str, object]:
        return {"pairs": len(self._wrong)}
