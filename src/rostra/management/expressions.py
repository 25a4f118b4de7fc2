"""Regular expressions that clients send: they are searched for a while only, and others are served meanwhile.

Python's own engine cannot be interrupted and lets nothing else of the process run: one expression such as `(a+)+$`
would stop the whole Management Node.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import regex
from django.db.backends.signals import connection_created

from rostra.domain.expansion import is_too_large

SECONDS = 2.0
"""Most time that the searches of one request take together."""
_PAUSE = 0.1
"""Seconds without a search after which the next ones are another request's."""
_SHORTEST = 0.01


class TooSlow(Exception):
    """The expressions of this request take too long."""


class _Spent(threading.local):
    seconds = 0.0
    last = 0.0


_spent = _Spent()


def search(pattern: str, text: str) -> bool:
    """Is `pattern` somewhere in `text`? Raises TooSlow, and regex.error for what is no expression."""
    begin = time.monotonic()
    if begin - _spent.last > _PAUSE:
        _spent.seconds = 0.0
    left = SECONDS - _spent.seconds
    try:
        if left <= 0 or is_too_large(pattern):
            raise TooSlow
        compiled: Any = regex.compile(pattern)
        found = compiled.search(text, timeout=max(left, _SHORTEST), concurrent=True)
        return found is not None
    except TimeoutError:
        raise TooSlow from None
    finally:
        _spent.last = time.monotonic()
        _spent.seconds += _spent.last - begin


def install() -> None:
    """Have SQLite search so from now on: Django's own function is replaced on every new connection."""
    connection_created.connect(_replace, dispatch_uid="expressions")


def _replace(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("REGEXP", 2, _matches, deterministic=True)


def _matches(pattern: str | None, value: Any) -> bool | None:
    if pattern is None or value is None:
        return None
    return search(pattern, str(value))
