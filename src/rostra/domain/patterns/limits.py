"""What a pattern may cost: the size of every value, and of all values of one rendering together."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sized
from contextvars import ContextVar
from typing import Any

MOST = 64 * 1024
"""Characters of a value, or elements of a list."""
ALL = 2 * 1024 * 1024
"""Characters of all values that one rendering makes."""
_BITS = 1024
"""Of a number."""


class PatternProblem(ValueError):
    """A pattern that is none, or that cannot be rendered with these values; the text says why."""


class Withheld(Exception):
    """`pex_require_min_length` found too little: the object is not to be made."""


_spent: ContextVar[list[int] | None] = ContextVar("rostra_pattern_spent", default=None)


@contextlib.contextmanager
def rendering() -> Generator[None]:
    """One rendering, which has ALL to spend."""
    token = _spent.set([0])
    try:
        yield
    finally:
        _spent.reset(token)


def spend(size: int) -> None:
    """A value of so many characters is about to be made. Raises PatternProblem."""
    if size > MOST:
        raise PatternProblem(f"A value would become longer than {MOST} characters.")
    spent = _spent.get()
    if spent is not None:
        spent[0] += size
        if spent[0] > ALL:
            raise PatternProblem("This takes too much work.")


def checked(value: Any) -> Any:
    """`value`, unless it is too large: then raises PatternProblem."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise PatternProblem("A number becomes too large.")
    if isinstance(value, Sized):
        spend(len(value))
    return value
