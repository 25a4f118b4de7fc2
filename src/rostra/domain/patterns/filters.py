"""Filters and functions of patterns. To ours an absent value is an empty text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import jinja2.filters as stock
from jinja2 import Undefined

from rostra.domain.expansion import is_too_large
from rostra.domain.patterns.limits import MOST, PatternProblem, Withheld, spend

REGEX_SECONDS = 0.2
"""Most time that one replacement by a regular expression takes."""
_REGEX_TEXT = 4096
_REGEX_LENGTH = 1000
_WIDTHS = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")
_WIDEST = 999
_PLACES = 20


def text(value: Any) -> str:
    """A value as text; an absent one is empty."""
    return "" if value is None or isinstance(value, Undefined) else str(value)


def regex_problem(find: str) -> str | None:
    """Why `find` is not a regular expression; None when it is one."""
    import regex  # only those need it who use the filter

    if len(find) > _REGEX_LENGTH:
        return "This regular expression is too long."
    if is_too_large(find):
        return "This regular expression repeats too much."
    try:
        regex.compile(find, regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError, ValueError) as problem:
        return f"This is not a regular expression: {problem}."
    return None


def regex_replace(value: Any, find: str, replacement: str) -> str:
    """Every match of `find` replaced, whatever the case of letters (SVC-154)."""
    import regex

    given = text(value)
    if len(given) > _REGEX_TEXT or len(replacement) > _REGEX_LENGTH:
        raise PatternProblem("This text is too long for pex_regex_replace.")
    problem = regex_problem(find)
    if problem:
        raise PatternProblem(problem)
    try:
        return regex.sub(find, replacement, given, flags=regex.IGNORECASE, timeout=REGEX_SECONDS)
    except TimeoutError:
        raise PatternProblem("The regular expression takes too long.") from None
    except (regex.error, IndexError) as wrong:
        raise PatternProblem(f"The replacement does not fit the regular expression: {wrong}.") from None


def reverse(value: Any) -> str:
    return text(value)[::-1]


def clean_phone_number(value: Any) -> str:
    """Only what is dialled (SVC-156)."""
    return "".join(character for character in text(value) if character in "+0123456789")


def strlen(value: Any) -> int:
    return len(text(value))


def head(value: Any, maxlength: int) -> str:
    return text(value)[: _count(maxlength)]


def tail(value: Any, maxlength: int) -> str:
    count = _count(maxlength)
    return text(value)[-count:] if count else ""


def digest(value: Any) -> str:
    """The same decimal digits for the same text, always: those of its SHA-256 (SVC-162, POL-091)."""
    return str(int.from_bytes(hashlib.sha256(text(value).encode(errors="replace")).digest()))


def base64_of(value: Any) -> str:
    return base64.b64encode(text(value).encode(errors="replace")).decode()


def require_min_length(value: Any, length: int) -> Any:
    """`value` itself, if it is that long (SVC-164). Raises Withheld."""
    if len(text(value)) < _count(length):
        raise Withheld(f"shorter than {length} characters")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise PatternProblem("A length has to be a whole number, 0 or more.")
    return value


def replace(value: Any, old: str, new: str, count: int | None = None) -> str:
    """As Jinja has it, within limits."""
    given, old, new = str(value), str(old), str(new)
    found = given.count(old) if count is None else min(given.count(old), max(0, count))
    spend(len(given) + found * max(0, len(new) - len(old)))
    return given.replace(old, new, -1 if count is None else count)


def join(value: Any, d: Any = "") -> str:
    """As Jinja has it, within limits."""
    parts, between = [str(part) for part in value], str(d)
    spend(sum(map(len, parts)) + len(between) * max(0, len(parts) - 1))
    return between.join(parts)


def formatted(value: Any, *arguments: Any, **named: Any) -> str:
    """As Jinja has it, within limits."""
    for widths in _WIDTHS.findall(str(value)):
        if any(width == "*" or (width and (len(width) > 3 or int(width) > _WIDEST)) for width in widths):
            raise PatternProblem("A field of this format is too wide.")
    return stock.do_format(str(value), *arguments, **named)


def rounded(value: Any, precision: int = 0, method: Any = "common") -> Any:
    """As Jinja has it, within limits."""
    if abs(precision) > _PLACES:
        raise PatternProblem(f"Round to {_PLACES} places at most.")
    return stock.do_round(value, precision, method)


STOCK: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": stock.do_capitalize,
    "default": stock.do_default,
    "first": stock.do_first,
    "float": stock.do_float,
    "format": formatted,
    "int": stock.do_int,
    "join": join,
    "last": stock.do_last,
    "lower": stock.do_lower,
    "replace": replace,
    "round": rounded,
    "striptags": stock.do_striptags,
    "trim": stock.do_trim,
    "truncate": stock.do_truncate,
    "upper": stock.do_upper,
}
"""The filters of Jinja that patterns may use (SVC-148)."""
OWN: dict[str, Callable[..., Any]] = {
    "pex_base64": base64_of,
    "pex_clean_phone_number": clean_phone_number,
    "pex_hash": digest,
    "pex_head": head,
    "pex_regex_replace": regex_replace,
    "pex_require_min_length": require_min_length,
    "pex_reverse": reverse,
    "pex_strlen": strlen,
    "pex_tail": tail,
}
FILTERS = STOCK | OWN
METHODS = frozenset({"capitalize", "endswith", "lower", "lstrip", "rstrip", "split", "startswith", "strip", "upper"})
"""Methods of text that patterns may call."""
