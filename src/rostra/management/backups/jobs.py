"""Backups that are made while nobody waits, and the rule that one is made or restored at a time."""

from __future__ import annotations

import contextlib
import datetime
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Generator
from typing import Any

import msgspec
import structlog
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext

from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table

logger = structlog.get_logger("rostra.management.backups")

_KEPT = 20
"""Finished requests that are remembered, until the next start."""


class Busy(Exception):
    """A backup is being made or restored already."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was asked for."""

    id: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    state: str = "pending"
    """`pending`, `in_progress`, `completed` or `failed`."""
    message: str = ""
    """How far it is, or why it failed."""
    download_uri: str = ""


_one = threading.Lock()
_requests: OrderedDict[str, Request] = OrderedDict()
_lock = threading.Lock()

Progress = Callable[[str, int, int], None]
Work = Callable[[Progress], str]
"""Takes whom to tell how far it is, returns where the result can be fetched."""


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Nobody else makes or restores a backup during the block. Raises Busy."""
    if not _one.acquire(blocking=False):
        raise Busy(gettext("A backup is being made or restored; try again when it is done."))
    try:
        yield
    finally:
        _one.release()


def begin(work: Work) -> Request:
    """Carry out `work` in a thread of its own; returns what tells how it goes."""
    now = timezone.now()
    request = Request(id=str(uuid.uuid4()), created_at=now, updated_at=now)
    _keep(request)
    threading.Thread(target=_carry_out, args=(request, work), name="backup", daemon=True).start()
    return request


def request(key: str) -> Request | None:
    """How it goes with a request; None: there is none (any more)."""
    with _lock:
        return _requests.get(key)


def _carry_out(asked: Request, work: Work) -> None:
    def progress(what: str, done: int, total: int) -> None:
        _change(asked, state="in_progress", message=f"{what} ({done} of {total})")

    try:
        with alone():
            _change(asked, state="completed", message="", download_uri=work(progress))
    except Exception as problem:
        logger.exception("A backup could not be made")
        _change(asked, state="failed", message=str(problem) or type(problem).__name__)
    finally:
        connections.close_all()


def _change(asked: Request, **values: Any) -> None:
    _keep(msgspec.structs.replace(asked, **values, updated_at=timezone.now()))


def _keep(asked: Request) -> None:
    with _lock:
        _requests[asked.id] = asked
        while len(_requests) > _KEPT:
            _requests.popitem(last=False)


def _rows() -> list[Row]:
    with _lock:
        return [msgspec.structs.asdict(one) for one in _requests.values()]


TABLE = Table(
    api="status",
    name="backup_request",
    title="Backup requests",
    summary="Backups that were asked for, and how it goes with them.",
    columns=(
        Column("created_at", "datetime", "When it was asked for."),
        Column("download_uri", "string", "Where the file is fetched once it is there."),
        Column("message", "string", "How far it is, or why it failed."),
        Column("state", "string", "pending, in_progress, completed or failed."),
        Column("updated_at", "datetime", "When it changed last."),
    ),
    source=MemorySource(_rows),
    default_order=("created_at",),
)
