"""Files that are made while nobody waits: what was asked for, and how it goes with it."""

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

from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table

logger = structlog.get_logger("rostra.management.jobs")

_KEPT = 20
"""Finished requests that are remembered, until the next start."""


class Busy(Exception):
    """One is being made already; the text says so."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was asked for."""

    id: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    state: str = "pending"
    """`pending`, `in_progress`, `completed` or `failed`."""
    message: str = ""
    """How far it is, or why it failed."""
    download_uri: str = ""


Progress = Callable[[str, int, int], None]
Work = Callable[[Progress], str]
"""Takes whom to tell how far it is, returns where the result can be fetched."""


class Jobs:
    """Of one kind: one at a time. `busy` gives the text for who comes meanwhile."""

    def __init__(self, kind: str, busy: Callable[[], str]) -> None:
        self._kind = kind
        self._busy = busy
        self._one = threading.Lock()
        self._lock = threading.Lock()
        self.requests: OrderedDict[str, Request] = OrderedDict()

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """No other is made during the block. Raises Busy."""
        if not self._one.acquire(blocking=False):
            raise Busy(self._busy())
        try:
            yield
        finally:
            self._one.release()

    def begin(self, work: Work) -> Request:
        """Carry out `work` in a thread of its own; returns what tells how it goes."""
        now = timezone.now()
        request = Request(id=str(uuid.uuid4()), created_at=now, updated_at=now)
        self.keep(request)
        threading.Thread(target=self._carry_out, args=(request, work), name=self._kind, daemon=True).start()
        return request

    def request(self, key: str) -> Request | None:
        """How it goes with a request; None: there is none (any more)."""
        with self._lock:
            return self.requests.get(key)

    def keep(self, asked: Request) -> None:
        """Remember how a request stands now."""
        with self._lock:
            self.requests[asked.id] = asked
            while len(self.requests) > _KEPT:
                self.requests.popitem(last=False)

    def rows(self) -> list[Row]:
        """What is remembered, as rows of a table."""
        with self._lock:
            return [msgspec.structs.asdict(one) for one in self.requests.values()]

    def _carry_out(self, asked: Request, work: Work) -> None:
        def progress(what: str, done: int, total: int) -> None:
            self._change(asked, state="in_progress", message=f"{what} ({done} of {total})")

        try:
            with self.alone():
                self._change(asked, state="completed", message="", download_uri=work(progress))
        except Exception as problem:
            logger.exception("A file could not be made", kind=self._kind)
            self._change(asked, state="failed", message=str(problem) or type(problem).__name__)
        finally:
            connections.close_all()

    def _change(self, asked: Request, **values: Any) -> None:
        self.keep(msgspec.structs.replace(asked, **values, updated_at=timezone.now()))


def table(jobs: Jobs, name: str, title: str, summary: str) -> Table:
    """The table of the status API that tells of them."""
    return Table(
        api="status",
        name=name,
        title=title,
        summary=summary,
        columns=(
            Column("created_at", "datetime", "When it was asked for."),
            Column("download_uri", "string", "Where the file is fetched once it is there."),
            Column("message", "string", "How far it is, or why it failed."),
            Column("state", "string", "pending, in_progress, completed or failed."),
            Column("updated_at", "datetime", "When it changed last."),
        ),
        source=MemorySource(jobs.rows),
        default_order=("created_at",),
    )
