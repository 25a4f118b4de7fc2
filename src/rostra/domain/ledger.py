"""What of a node's capacity is booked: every call's tokens, and a reservation for each conference (POL-116, POL-124).

Booking decides and books in one step, so two calls cannot both take the last token. Pure but for being a ledger.
"""

from __future__ import annotations

from collections.abc import Mapping


class Ledger:
    """Tokens of one node."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._calls: dict[str, dict[str, int]] = {}
        self._reserved: dict[str, int] = {}

    @property
    def used(self) -> int:
        return sum(sum(calls.values()) for calls in self._calls.values()) + sum(self._reserved.values())

    @property
    def calls(self) -> int:
        """Those that cost something: who only controls a conference is none."""
        return sum(tokens > 0 for calls in self._calls.values() for tokens in calls.values())

    def tokens(self, conference: str) -> int:
        """In use and reserved for one conference."""
        return sum(self._calls.get(conference, {}).values()) + self._reserved.get(conference, 0)

    def book(self, conference: str, call: str, tokens: int, reservation: int) -> bool:
        """Take what a call needs, and the reservation with the first call of a conference; False: there is no room.

        Booking a call again changes what it needs, or, when that does not fit, nothing.
        """
        calls: Mapping[str, int] = self._calls.get(conference, {})
        more = tokens - calls.get(call, 0)
        if conference not in self._reserved:
            more += reservation
        if more > 0 and self.used + more > self.capacity:
            return False
        self._reserved.setdefault(conference, reservation)
        self._calls.setdefault(conference, {})[call] = tokens
        return True

    def reserve(self, conference: str, tokens: int) -> bool:
        """Raise the reservation of a conference that has calls here; False: there is no room. Without calls (any more)
        it needs none.
        """
        if conference not in self._calls:
            return True
        more = tokens - self._reserved.get(conference, 0)
        if more > 0 and self.used + more > self.capacity:
            return False
        self._reserved[conference] = max(tokens, self._reserved.get(conference, 0))
        return True

    def release(self, conference: str, call: str) -> None:
        """Give back what a call had; with the last one of a conference its reservation. Unknown ones are fine."""
        calls = self._calls.get(conference, {})
        calls.pop(call, None)
        if not calls:
            self._calls.pop(conference, None)
            self._reserved.pop(conference, None)
