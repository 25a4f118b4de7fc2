"""How large a regular expression becomes once it is compiled. Pure."""

from __future__ import annotations

import re

MOST = 10_000
"""Repetitions, those within others multiplied."""
_LEAST = re.compile(r"\{\s*([0-9]+)", re.ASCII)
_DIGITS = 6


def is_too_large(pattern: str) -> bool:
    """Would `pattern` take more memory than it is worth? Engines write out what has to be there: `(a{999}){999}`."""
    product = 1
    for digits in _LEAST.findall(pattern):
        if len(digits) > _DIGITS:
            return True
        product *= max(1, int(digits))
        if product > MOST:
            return True
    return False
