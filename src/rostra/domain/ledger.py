"""What of a node's capacity is booked: every call's tokens, and a reservation for each conference (POL-116, POL-124).

Booking decides and books in one step, so two calls cannot both take the last token. Pure but for being a ledger.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator, Mapping

from rostra.domain.capacity import Figures

NOTICES = 4
"""Calls that may be told at the same time that there is no room for them."""
_EXACT = 1e-6
"""Parts of a token that are but the rounding of sums."""


class Ledger:
    """Tokens of one node.

    What is booked has a price; what it takes of the node is that price, or, once the node has been measured, what
    calls of that price were found to take (`Figures.charge`). So as many calls of each kind fit as the node says, and
    full means full.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.figures: Figures | None = None
        """What was measured."""
        self._calls: dict[str, dict[str, int]] = {}
        self._reserved: dict[str, int] = {}
        self._notices: set[str] = set()

    def measured(self, figures: Figures) -> None:
        """From now on the node is as large as this. What is booked stays, also if it is more."""
        self.capacity, self.figures = figures.tokens, figures

    @property
    def used(self) -> int:
        """Tokens in use and reserved, as they are taken of the node; a part of one is as good as free."""
        return math.floor(self._taken(self._prices()) + _EXACT)

    @property
    def idle(self) -> bool:
        """Nothing is booked."""
        return not self._calls

    def _prices(self) -> Iterator[int]:
        for calls in self._calls.values():
            yield from calls.values()
        yield from self._reserved.values()

    def _taken(self, prices: Iterator[int]) -> float:
        if self.figures is None:
            return float(sum(prices))
        counted = collections.Counter(prices)
        return sum(count * self.figures.charge(price) for price, count in counted.items() if price)

    def _fits(self, old: Mapping[str, int], new: Mapping[str, int]) -> bool:
        """Is there room for `new` prices instead of `old` ones? Less than before always fits."""
        more = self._taken(iter(new.values())) - self._taken(iter(old.values()))
        return more <= 0 or self._taken(self._prices()) + more <= self.capacity + _EXACT

    @property
    def calls(self) -> int:
        """Those that cost something: who only controls a conference is none."""
        return sum(tokens > 0 for calls in self._calls.values() for tokens in calls.values())

    def tokens(self, conference: str) -> int:
        """The prices of what is in use and reserved for one conference."""
        return sum(self._calls.get(conference, {}).values()) + self._reserved.get(conference, 0)

    def book(self, conference: str, call: str, tokens: int, reservation: int) -> bool:
        """Take what a call needs, and the reservation with the first call of a conference; False: there is no room.

        Booking a call again changes what it needs, or, when that does not fit, nothing.
        """
        old = {"call": self._calls.get(conference, {}).get(call, 0)}
        new = {"call": tokens}
        if conference not in self._reserved:
            new["reservation"] = reservation
        if not self._fits(old, new):
            return False
        self._reserved.setdefault(conference, reservation)
        self._calls.setdefault(conference, {})[call] = tokens
        return True

    def notice(self, conference: str, call: str) -> bool:
        """Carry a call that is only told that there is no room; False: too many are being told already.

        It takes nothing of what calls have (POL-125): the share of the processor that they do not get is enough for a
        few.
        """
        if len(self._notices - {call}) >= NOTICES:
            return False
        self._notices.add(call)
        self._reserved.setdefault(conference, 0)
        self._calls.setdefault(conference, {})[call] = 0
        return True

    def reserve(self, conference: str, tokens: int) -> bool:
        """Raise the reservation of a conference that has calls here; False: there is no room. Without calls (any more)
        it needs none.
        """
        if conference not in self._calls:
            return True
        before = self._reserved.get(conference, 0)
        if not self._fits({"": before}, {"": max(tokens, before)}):
            return False
        self._reserved[conference] = max(tokens, before)
        return True

    def release(self, conference: str, call: str) -> None:
        """Give back what a call had; with the last one of a conference its reservation. Unknown ones are fine."""
        calls = self._calls.get(conference, {})
        if calls.pop(call, None) is not None:
            self._notices.discard(call)
        if not calls:
            self._calls.pop(conference, None)
            self._reserved.pop(conference, None)
