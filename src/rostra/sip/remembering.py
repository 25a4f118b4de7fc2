"""Texts that come again and again are read once: addresses and paths stand several times in every message of a call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

KEPT = 4096
"""Texts of each kind."""
LONGEST = 300
"""Characters of what is kept: with `KEPT`, a bound of memory."""

Value = TypeVar("Value")


def remembered(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """A reader of text whose results do not change."""
    kept = functools.lru_cache(KEPT)(read)

    @functools.wraps(read)
    def reading(text: str) -> Value:
        return kept(text) if len(text) <= LONGEST else read(text)

    return reading
