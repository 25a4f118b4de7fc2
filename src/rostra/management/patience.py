"""How long one statement of a web request may keep the database: who waits longer is told to come back.

What the platform does by itself (migrations, restores, imports, synchronisation) takes its time: it runs in threads
of its own, and only those of requests are bounded. PostgreSQL looks after the time itself, waiting for locks included.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import structlog
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.views.defaults import server_error

from rostra.management.api.errors import respond

logger = structlog.get_logger("rostra.management.patience")

SECONDS = 60.0
"""Most time of one statement."""
_STEPS = 1_000_000
"""Of SQLite's machine, between two looks at the clock: some hundredths of a second."""
BUSY = "The database is busy; try again."


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
    if not isinstance(sys.exception(), OperationalError):
        return server_error(request)
    logger.error("The database did not answer", path=request.path)
    if request.path.startswith("/api/"):
        return respond({"error": BUSY}, 503, Retry_After="1")
    return HttpResponse(gettext(BUSY), status=503, content_type="text/plain", headers={"Retry-After": "1"})


def _limit(connection: Any, **_: Any) -> None:
    if not _bound.is_on:
        return
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(lambda: time.monotonic() > _bound.end, _STEPS)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(SECONDS * 1000))])


def _timed(execute: Any, sql: Any, values: Any, many: Any, context: Any) -> Any:
    """SQLite also works while rows are fetched, up to the next statement."""
    _bound.end = time.monotonic() + SECONDS
    return execute(sql, values, many, context)
