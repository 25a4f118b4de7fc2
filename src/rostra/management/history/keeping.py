"""What becomes of rows of history with time: calls of vanished nodes end, old conferences go, contacts are noted."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

import msgspec
from django.db import models, transaction

from rostra.domain.history import LOST
from rostra.fabric.peers import NodeReport
from rostra.management.history import registered
from rostra.management.history.absences import Run
from rostra.management.history.models import ConferenceRecord, NodeContact, ParticipantRecord, PlatformEvent
from rostra.management.history.receiving import moment, settle

MOST_CONFERENCES = 10_000
"""The newest are kept with all that belongs to them (sheet 10, 1.8)."""
_SURPLUS = 500
"""Conferences over that before the old ones are deleted."""
_EVENT_DAYS = 100


def open_runs() -> set[Run]:
    """Runs with calls or registrations that have no end of their own yet."""
    rows = ParticipantRecord.objects.filter(models.Q(end_time=None) | models.Q(presumed=True))
    return registered.open_runs() | set(rows.order_by().values_list("node", "boot").distinct())


def end_lost(runs: Iterable[Run], heard: Mapping[Run, float], now: float) -> int:
    """End the calls of vanished runs with a reason, at the time a run was last heard, and registrations with them;
    returns how many calls.
    """
    runs, ended = list(runs), 0
    registered.end_lost(runs, heard, now)
    for node, boot in runs:
        with transaction.atomic():
            rows = list(ParticipantRecord.objects.filter(node=node, boot=boot, end_time=None))
            for row in rows:
                row.end_time = max(row.start_time, moment(heard.get((node, boot), now)))
                row.duration = round((row.end_time - row.start_time).total_seconds())
                row.disconnect_reason = LOST
                row.presumed = True
            fields = ["end_time", "duration", "disconnect_reason", "presumed"]
            ParticipantRecord.objects.bulk_update(rows, fields, batch_size=200)
            settle({row.conference_id for row in rows if row.conference_id})  # type: ignore[attr-defined]
            ended += len(rows)
    return ended


def reopen(runs: Iterable[Run]) -> int:
    """Take back the presumed ends of runs that are there after all; returns how many calls."""
    runs, reopened = list(runs), 0
    registered.reopen(runs)
    for node, boot in runs:
        with transaction.atomic():
            rows = ParticipantRecord.objects.filter(node=node, boot=boot, presumed=True)
            conferences = set(rows.order_by().values_list("conference", flat=True))
            reopened += rows.update(end_time=None, duration=0, disconnect_reason="", presumed=False)
            settle(conferences - {None})
    return reopened


def forget_old(now: float) -> int:
    """Keep the newest conferences and registrations; returns how many other conferences were deleted."""
    registered.forget_old()
    PlatformEvent.objects.filter(time_changed__lt=moment(now) - datetime.timedelta(days=_EVENT_DAYS)).delete()
    ended = ConferenceRecord.objects.exclude(end_time=None).order_by("-end_time")
    surplus = ended.count() - MOST_CONFERENCES
    if surplus < _SURPLUS:
        return 0
    old = list(ended.values_list("pk", flat=True)[MOST_CONFERENCES:])
    for start in range(0, len(old), 200):
        ConferenceRecord.objects.filter(pk__in=old[start : start + 200]).delete()
    return surplus


def note_contacts(reports: Mapping[str, NodeReport], now: float) -> None:
    """Remember that these nodes were heard just now, and when their configuration last moved."""
    known = NodeContact.objects.in_bulk(list(reports))
    rows: list[NodeContact] = []
    for node, report in reports.items():
        row = known.get(node) or NodeContact(node=node, position=-1)
        if row.position != report.position or row.last_updated is None:
            row.last_updated = moment(now) if report.position else None
        row.boot, row.position, row.last_reported = report.boot[:64], report.position, moment(now)
        row.report = msgspec.to_builtins(report)
        rows.append(row)
    NodeContact.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["node"],
        update_fields=["boot", "position", "last_reported", "last_updated", "report"],
    )


def last_heard(runs: Iterable[Run]) -> dict[Run, float]:
    """When runs were last heard, as far as it was noted."""
    nodes = {node for node, _ in runs}
    return {(row.node, row.boot): row.last_reported.timestamp() for row in NodeContact.objects.filter(node__in=nodes)}
