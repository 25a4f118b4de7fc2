"""How long one statement of a web request may keep the database: who waits longer is told to come back.

What the platform does by itself (migrations, restores, imports, synchronisation) takes its time: it runs in threads
of its own, and only those of requests are bounded. PostgreSQL looks after the time itself, waiting for locks included.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext, gettext_noop
from django.views.defaults import server_error

from rostra.management.api.errors import respond

logger = structlog.get_logger("rostra.management.patience")

SECONDS = 60.0
"""Most time of one statement."""
_STEPS = 1_000_000
"""Of SQLite's machine, between two looks at the clock: some hundredths of a second."""
NO_ANSWER = (OperationalError, InterfaceError)
"""What is raised when the database does not do its part: it takes too long, or is not there."""
BUSY = gettext_noop("The database is busy; try again.")
AWAY = gettext_noop("The database cannot be reached; try again.")
FULL = gettext_noop("The disk of the database is full, so nothing was changed; make room on it.")
_AT_WORK = frozenset({"57014", "25P03", "55P03", "40001", "40P01"})
"""Codes of PostgreSQL for what took too long, or was in the way of another; else, and without one, it is not there."""
_DISK_FULL = "53100"
"""The same for a disk."""


class _Bound(threading.local):
    is_on = False
    end = math.inf


_bound = _Bound()


def install() -> None:
    """Have connections that are opened within `bounded` observe it."""
    connection_created.connect(_limit, dispatch_uid="patience")


@contextlib.contextmanager
def bounded() -> Generator[None]:
    """Statements on connections that this thread opens meanwhile take SECONDS at most, else OperationalError."""
    _bound.is_on = True
    try:
        if connection.vendor == "sqlite":
            with connection.execute_wrapper(_timed):
                yield
        else:
            yield
    finally:
        _bound.is_on, _bound.end = False, math.inf


def bound_requests(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware; the outermost, as those within read sessions."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        with bounded():
            return get_response(request)

    return handle


def failed(request: HttpRequest) -> HttpResponse:
    """The answer to a request that raised: 503 when the database did not do its part, else 500."""
    problem = sys.exception()
    return unanswered(request, problem) if isinstance(problem, NO_ANSWER) else server_error(request)


def unanswered(request: HttpRequest, problem: BaseException) -> HttpResponse:
    """The answer to a request to which the database gave none (`NO_ANSWER`)."""
    logger.error("The database did not answer", path=request.path, problem=str(problem))
    if _is_full(problem):
        sentence, seconds = FULL, "60"
    else:
        sentence, seconds = (AWAY, "5") if _is_away(problem) else (BUSY, "1")
    if request.path.startswith("/api/"):
        return respond({"error": sentence}, 503, Retry_After=seconds)
    return HttpResponse(gettext(sentence), status=503, content_type="text/plain", headers={"Retry-After": seconds})


def _is_away(problem: BaseException) -> bool:
    return connection.vendor == "postgresql" and getattr(problem.__cause__, "sqlstate", None) not in _AT_WORK


def _is_full(problem: BaseException) -> bool:
    cause = problem.__cause__
    return (
        getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == _DISK_FULL
    )


def _limit(connection: Any, **_: Any) -> None:
    if not _bound.is_on:
        return
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(lambda: time.monotonic() > _bound.end, _STEPS)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            most = str(int(SECONDS * 1000))
            cursor.execute(f"SELECT {_TIMEOUTS}", [most, most])


_TIMEOUTS = ", ".join(
    f"set_config('{name}', %s, false)" for name in ("statement_timeout", "idle_in_transaction_session_timeout")
)
"""A request that waits for something else within a transaction keeps others from writing just as well."""


def _timed(execute: Any, sql: Any, values: Any, many: Any, context: Any) -> Any:
    """SQLite also works while rows are fetched, up to the next statement."""
    _bound.end = time.monotonic() + SECONDS
    return execute(sql, values, many, context)
