"""How good a call's media is, from what was lost of it (sheet 10, `call_quality`). Pure."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence

WINDOW = 20.0
"""Seconds that are judged together."""


class Quality(enum.IntEnum):
    """Of one window, or of a call."""

    UNKNOWN = 0
    GOOD = 1
    OK = 2
    BAD = 3
    TERRIBLE = 4

    @property
    def word(self) -> str:
        """As status and history write it."""
        return f"{int(self)}_{self.name.lower()}"


def judge(loss: float) -> Quality:
    """Of a window that lost so many percent."""
    limits = ((1.0, Quality.GOOD), (3.0, Quality.OK), (10.0, Quality.BAD))
    return next((quality for limit, quality in limits if loss < limit), Quality.TERRIBLE)


def known(value: int) -> Quality:
    """What somebody told; what we do not know of is unknown."""
    return Quality(value) if value in tuple(Quality) else Quality.UNKNOWN


def overall(windows: Sequence[int]) -> Quality:
    """Of a call: what most of its windows were, the worse of equals; unknown without one that is known."""
    counts = Counter(quality for quality in map(known, windows) if quality is not Quality.UNKNOWN)
    return max(counts, key=lambda quality: (counts[quality], quality), default=Quality.UNKNOWN)


def buckets(windows: Sequence[int]) -> list[int]:
    """How many windows there were of each quality, unknown first."""
    counts = Counter(map(known, windows))
    return [counts[quality] for quality in Quality]


def loss(packets: int, lost: int, *, sending: bool) -> float:
    """Percent lost of what was sent: of `packets` sent, or of those received and those that were not."""
    total = packets if sending else packets + lost
    return min(100.0, 100 * max(0, lost) / total) if total > 0 else 0.0
