"""Write entries of the administrator log. An entry belongs to the transaction it is made in: no change, no entry."""

from __future__ import annotations

import contextlib
import datetime
import socket
from collections.abc import Generator, Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from rostra.management.audit import lines
from rostra.management.audit.actor import PLATFORM, Actor, current
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.values import Change, Followed, clip, merged

CONFIGURATION = "administrator.configuration"
_RECENT = 32
"""Entries of one request that later changes may add to."""
_BATCH = 500
_gathering: ContextVar[list[AdministratorLog] | None] = ContextVar("rostra_gathering", default=None)
_SYSTEM = socket.gethostname().partition(".")[0] or "mgmt"


def note(
    message: str,
    details: Mapping[str, object] | None = None,
    *,
    name: str,
    level: str = "INFO",
    system: str = "",
    time: datetime.datetime | None = None,
) -> None:
    """Something administrators should know of. `details`: pairs of the line, keys as in sheet 07 (`Last-Reported`).

    `system`: address of the node that tells, and `time`: when it happened; without them here and now.
    """
    pairs = list((details or {}).items())
    _write(_entry(current(), message, pairs, name=name, level=level, system=system, time=time))


def note_person(
    message: str,
    user: str | None = None,
    details: Mapping[str, object] | None = None,
    *,
    level: str = "INFO",
) -> None:
    """Something a person did or tried, for example `User logged in` (DIAG-146). `user`: default, who acts now."""
    actor = current()
    name = actor.user if user is None else user
    pairs: list[tuple[str, object]] = [("User", name), *(details or {}).items(), *_from(actor)]
    entry = _entry(actor, message, pairs, name=CONFIGURATION, level=level)
    entry.user = clip(name)[:255]
    _write(entry)


def note_change(message: str, followed: Followed, row: Any, kind: str, changes: list[Change]) -> None:
    """An object of the configuration was added, changed or deleted."""
    actor = current()
    key, title = str(row.pk)[:100], clip(str(row))
    recent = actor.recent.get((followed.name, key))
    if recent is not None and message == "Configuration changed" and _amend(recent, changes):
        return
    pairs: list[tuple[str, object]] = [("User", actor.user), ("Type", kind), ("ID", title), ("Way", actor.way)]
    entry = _entry(actor, message, [*pairs, *_from(actor)], name=CONFIGURATION, level="INFO")
    entry.resource, entry.object_id, entry.object_name = followed.name, key, title[:250]
    entry.changes = changes
    _write(entry)
    actor.recent.pop((followed.name, key), None)
    if message != "Configuration deleted":
        actor.recent[followed.name, key] = entry
        if len(actor.recent) > _RECENT:
            del actor.recent[next(iter(actor.recent))]


def _amend(entry: AdministratorLog, changes: list[Change]) -> bool:
    """Add to an entry of the same request; False when it was rolled back."""
    together = merged(entry.changes, changes)
    if entry.pk is None:  # it waits to be written
        entry.changes = together
        return True
    same = AdministratorLog.objects.filter(pk=entry.pk, line=entry.line)  # its number may be another's by now
    if not same.update(changes=together):
        return False
    entry.changes = together
    return True


def _from(actor: Actor) -> Iterable[tuple[str, object]]:
    if actor.address:
        yield "Remote-Address", actor.address
    if actor.port is not None:
        yield "Remote-Port", actor.port


def _entry(
    actor: Actor,
    message: str,
    pairs: Iterable[tuple[str, object]],
    *,
    name: str,
    level: str,
    system: str = "",
    time: datetime.datetime | None = None,
) -> AdministratorLog:
    when = time or timezone.now()
    said = [(key, clip(str(value))) for key, value in pairs]
    entry = AdministratorLog(
        time=when,
        level=level,
        name=name,
        message=message,
        user=clip(actor.user)[:255],
        address=actor.address,
        port=actor.port,
        way=actor.way or PLATFORM,
        line=lines.render(system or _SYSTEM, when, level, name, message, said, stored=when),
    )
    transaction.on_commit(partial(_log, level, name, message, said))
    return entry


@contextlib.contextmanager
def gathered() -> Generator[None]:
    """Write entries in batches, for much work that happens as a whole or not at all. Use it inside the transaction:
    entries of a part that is rolled back on its own would stay.
    """
    waiting: list[AdministratorLog] = []
    token = _gathering.set(waiting)
    try:
        yield
        AdministratorLog.objects.bulk_create(waiting)
    finally:
        _gathering.reset(token)


def _write(entry: AdministratorLog) -> None:
    waiting = _gathering.get()
    if waiting is None:
        AdministratorLog.objects.bulk_create([entry])  # cheaper than `save`: no signals, no look for an old row
        return
    waiting.append(entry)
    if len(waiting) >= _BATCH:
        AdministratorLog.objects.bulk_create(waiting)
        waiting.clear()


def _log(level: str, name: str, message: str, pairs: list[tuple[str, str]]) -> None:
    """The same to the log of the process."""
    logger: Any = structlog.get_logger(name)
    getattr(logger, level.lower())(message, **dict(pairs))
