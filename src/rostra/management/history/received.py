"""Which of a run's numbered events have arrived: a set of whole numbers that mostly follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Received:
    """Kept as ascending ranges that do not touch, so it stays small whatever is late, doubled or lost for good."""

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._ranges = [(first, last) for first, last in ranges]

    @property
    def ranges(self) -> list[list[int]]:
        return [[first, last] for first, last in self._ranges]

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._ranges)

    def take(self, number: int) -> bool:
        """Add `number`; False when it was there already."""
        if number in self:
            return False
        first = last = number
        others: list[tuple[int, int]] = []
        for low, high in self._ranges:
            if high == number - 1:
                first = low
            elif low == number + 1:
                last = high
            else:
                others.append((low, high))
        self._ranges = sorted([*others, (first, last)])
        return True
