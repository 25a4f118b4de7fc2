r"""Regular expressions that are configured for aliases: Perl's dialect, for the whole alias, in bounded time. Pure.

They are of Perl's kind, ignore case and know POSIX classes (`[[:digit:]]`); in a replacement `\1` stands for a group
and all else for itself (REF-077…REF-088).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from rostra.domain.expansion import is_too_large

SECONDS = 0.05
"""About the most time that one alias is matched for: what takes longer does not match."""
DECISION = 0.2
"""The most for one decision, however many expressions it asks: all else that the process does waits for it."""
LONGEST = 2000
"""Characters of an alias that is matched."""
_PATTERN = 1000
"""Characters of an expression."""
_GROUP = re.compile(r"\\(?:([1-9][0-9]{0,2})|g<([A-Za-z_0-9]+)>)", re.ASCII)
_BRACE = re.compile(r"(\\(?:[pPNxgko]\{[^}]*\}|.))|\{(?!(?:\d+(?:,\d*)?|,\d+)\})", re.ASCII | re.DOTALL)
"""What is escaped, or a brace that begins no repetition."""


class TooSlow(Exception):
    """The expression would take too long for this alias."""


class Budget:
    """What one decision may spend on its expressions."""

    def __init__(self, clock: Callable[[], float], seconds: float = DECISION) -> None:
        """`clock` counts seconds, best those of the processor."""
        self.clock = clock
        self.left = seconds

    @property
    def spent(self) -> bool:
        return self.left <= 0.0


@functools.lru_cache(maxsize=1024)
def problem(pattern: str) -> str | None:
    """Why `pattern` is no expression; None when it is one."""
    if len(pattern) > _PATTERN:
        return "This regular expression is too long."
    if is_too_large(pattern):
        return "This regular expression is too large."
    import regex  # takes long, and few commands need it

    try:
        _compiled(pattern)
    except (regex.error, RecursionError, OverflowError, ValueError) as wrong:
        return f"This is not a regular expression: {wrong}."
    return None


def replacement_problem(pattern: str, replacement: str) -> str | None:
    r"""Why `replacement` cannot follow `pattern`: it names groups (`\3`) that the pattern lacks. None when it can."""
    if not pattern or problem(pattern):
        return None
    groups, names = int(_compiled(pattern).groups), _compiled(pattern).groupindex
    for digits, name in _GROUP.findall(replacement):
        if name and name not in names and not (name.isdecimal() and int(name) <= groups):
            return f"The pattern has no group {name}."
        if digits and _group(digits, groups) is None:
            return f"The pattern has {groups} groups, so there is no \\{digits}."
    return None


def match(pattern: str, text: str, budget: Budget | None = None) -> Any | None:
    """The match of the whole of `text`, for `expand`; None: it does not match.

    `budget`: what it may take is taken from there. Raises TooSlow, also where nothing of it is left.
    """
    if budget is None:
        return _match(pattern, text, SECONDS)
    if budget.spent:
        raise TooSlow(pattern)
    began = budget.clock()
    try:
        return _match(pattern, text, min(SECONDS, budget.left))
    finally:
        budget.left -= budget.clock() - began


def _match(pattern: str, text: str, seconds: float) -> Any | None:
    if len(text) > LONGEST or problem(pattern):
        return None
    try:
        return _compiled(pattern).fullmatch(text, timeout=seconds)
    except TimeoutError:
        raise TooSlow(pattern) from None


def expand(found: Any, replacement: str) -> str | None:
    """The replacement with the groups of a match in it; those that took no part are empty (REF-085…REF-088).

    None: it names a group that there is not.
    """
    groups = len(found.groups())

    def group(name: re.Match[str]) -> str:
        if name[2]:
            return found[int(name[2]) if name[2].isdecimal() else name[2]] or ""
        known = _group(name[1], groups)
        if known is None:
            raise IndexError(name[1])
        return (found[known[0]] or "") + known[1]

    try:
        return _GROUP.sub(group, replacement)
    except IndexError:
        return None


def _group(digits: str, groups: int) -> tuple[int, str] | None:
    r"""The group that `\` and these digits name, and the digits that belong to what follows: `\10` of 3 groups is `\1`
    and a zero."""
    for length in range(len(digits), 0, -1):
        if 0 < int(digits[:length]) <= groups:
            return int(digits[:length]), digits[length:]
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    """A brace that repeats nothing stands for itself, as in Perl; the engine would match approximately by it."""
    import regex

    return regex.compile(_BRACE.sub(lambda found: found[1] or r"\{", pattern), regex.IGNORECASE)
