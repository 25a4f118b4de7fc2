"""Registrations that are over: kept from what nodes tell of them (sheet 10, history `registration_alias`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import structlog
from django.db import models

from rostra.domain import history as domain
from rostra.fabric.outbox import Record
from rostra.management.directory import Directory, protocol
from rostra.management.history.absences import Run
from rostra.management.history.models import RegistrationRecord
from rostra.management.history.receiving import followers, moment, text
from rostra.management.registrations import with_scheme

logger = structlog.get_logger("rostra.management.history")

MOST = 10_000
"""The newest are kept."""


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events; the end may be told before the beginning, or alone."""
    told = [
        (record, event)
        for record, event in events
        if isinstance(event, domain.RegistrationAdded | domain.RegistrationDeleted)
    ]
    if not told:
        return
    keys = {event.id[:100] for _, event in told}
    rows = {row.registration_id: row for row in RegistrationRecord.objects.filter(registration_id__in=keys)}
    for record, event in told:
        try:
            _take(rows, record, event, directory)
        except (ValueError, OverflowError, OSError) as problem:
            logger.warning("An event makes no sense", node=record.node, problem=str(problem))
    RegistrationRecord.objects.bulk_update([row for row in rows.values() if row.pk], _CHANGING, batch_size=200)
    RegistrationRecord.objects.bulk_create([row for row in rows.values() if not row.pk], batch_size=200)


_CHANGING = (
    *("holder", "boot", "presumed", "alias", "protocol", "username", "remote_address", "node", "vendor"),
    *("is_natted", "start_time", "end_time"),
)


def _take(
    rows: dict[str, RegistrationRecord],
    record: Record,
    event: domain.RegistrationAdded | domain.RegistrationDeleted,
    directory: Directory,
) -> None:
    when, key = moment(event.time), event.id[:100]
    row = rows.get(key) or RegistrationRecord(registration_id=key, start_time=when)
    row.holder, row.boot = record.node[:64], record.boot[:64]
    row.alias, row.protocol = text(with_scheme(event.alias, event.protocol)), protocol(event.protocol)
    row.node = text(directory.address(record.node))
    if isinstance(event, domain.RegistrationAdded):
        row.start_time = when
        row.username, row.remote_address = text(event.username), text(event.remote_address)
        row.vendor, row.is_natted = text(event.vendor), event.is_natted
    else:
        row.presumed = False
        row.end_time = max(when, row.start_time)
    rows[key] = row


def open_runs() -> set[Run]:
    """Runs with registrations that have no end of their own yet."""
    rows = RegistrationRecord.objects.filter(models.Q(end_time=None) | models.Q(presumed=True))
    return set(rows.order_by().values_list("holder", "boot").distinct())


def end_lost(runs: Iterable[Run], heard: Mapping[Run, float], now: float) -> int:
    """End the registrations of vanished runs at the time each was last heard; returns how many."""
    return sum(
        RegistrationRecord.objects.filter(holder=node, boot=boot, end_time=None).update(
            end_time=moment(heard.get((node, boot), now)), presumed=True
        )
        for node, boot in runs
    )


def reopen(runs: Iterable[Run]) -> int:
    """Take back the presumed ends of runs that are there after all; returns how many."""
    return sum(
        RegistrationRecord.objects.filter(holder=node, boot=boot, presumed=True).update(end_time=None, presumed=False)
        for node, boot in runs
    )


def forget_old() -> int:
    """Keep the newest; returns how many others were deleted."""
    ended = RegistrationRecord.objects.exclude(end_time=None)
    oldest = ended.order_by("-end_time", "-pk").values_list("end_time", flat=True)[MOST - 1 : MOST]
    last = next(iter(oldest), None)
    return ended.filter(end_time__lt=last).delete()[0] if last else 0


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
