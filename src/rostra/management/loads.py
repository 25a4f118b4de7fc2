"""How loaded nodes and locations were: the last hour in memory, four weeks by the hour in the database (DIAG-087,
DIAG-090).
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence

from rostra.domain.capacity import Load, location_load
from rostra.fabric.survey import Seen, Snapshot
from rostra.management import status_rows
from rostra.management.directory import Directory
from rostra.management.history.models import LoadHour
from rostra.management.history.receiving import moment

PERIOD = 30.0
"""Seconds between samples."""
RECENT = 3600.0
"""Seconds for which samples are kept one by one."""
KEPT = datetime.timedelta(days=28)
"""For which there are hours."""

NODE, LOCATION = "worker_vm", "system_location"
Subject = tuple[str, int]
"""NODE or LOCATION, and a number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """Load at a moment, or on average over the hour that began then."""

    time: float
    """Unix seconds."""
    percent: float
    used: float = 0.0
    """Tokens, which are audio-only connections."""
    capacity: float = 0.0
    """Tokens."""


def measure(directory: Directory, seen: Mapping[str, Seen], now: float) -> dict[Subject, Sample]:
    """The figures that status has (pure), but for nodes and locations of which nothing is heard: these are gaps."""
    view = status_rows.View(Snapshot(time=now, seen=dict(seen)), directory)
    loads = {key: status_rows.load(view, key, node) for key, node in directory.nodes.items()}
    alive = {key for key in directory.nodes if key in seen and seen[key].alive}
    found = {(NODE, directory.nodes[key].id): _sample([loads[key]], now) for key in alive}
    for number in directory.locations:
        there = [key for key, node in directory.nodes.items() if node.location == number]
        if not there or not alive.isdisjoint(there):
            found[LOCATION, number] = _sample([loads[key] for key in there], now)
    return found


def _sample(loads: Sequence[Load], now: float) -> Sample:
    used, capacity = sum(one.used for one in loads), sum(one.capacity for one in loads)
    return Sample(now, location_load(loads), used, capacity)


class Loads:
    """Takes samples in the thread of history; anybody may read."""

    def __init__(self) -> None:
        self._recent: dict[Subject, tuple[Sample, ...]] = {}

    def take(self, seen: Mapping[str, Seen], now: float) -> None:
        """One sample of everything."""
        samples = measure(Directory.load(), seen, now)
        self.remember(samples, now)
        store(samples, now)

    def remember(self, samples: Mapping[Subject, Sample], now: float) -> None:
        """Keep samples until they are too old. Readers see each series whole: a tuple is replaced, never changed."""
        kept = {
            subject: tuple(sample for sample in (*self._recent.get(subject, ()), *new) if now - sample.time < RECENT)
            for subject in self._recent.keys() | samples.keys()
            for new in [[samples[subject]] if subject in samples else []]
        }
        self._recent = {subject: series for subject, series in kept.items() if series}

    def recent(self, kind: str, number: int) -> tuple[Sample, ...]:
        """Samples of the last hour, oldest first."""
        return self._recent.get((kind, number), ())


def store(samples: Mapping[Subject, Sample], now: float) -> None:
    """Add samples to their hour, and forget hours that are too old."""
    hour = moment(now).replace(minute=0, second=0, microsecond=0)
    known = {(row.kind, row.number): row for row in LoadHour.objects.filter(hour=hour)}
    rows: list[LoadHour] = []
    for (kind, number), sample in samples.items():
        row = known.get((kind, number)) or LoadHour(kind=kind, number=number, hour=hour)
        row.samples += 1
        row.load += round(sample.percent)
        row.used += round(sample.used)
        row.capacity += round(sample.capacity)
        rows.append(row)
    LoadHour.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["kind", "number", "hour"],
        update_fields=["samples", "load", "used", "capacity"],
    )
    if not known:
        LoadHour.objects.filter(hour__lt=hour - KEPT).delete()


def hours(kind: str, number: int, since: datetime.datetime) -> list[Sample]:
    """Averages of the hours since then, oldest first."""
    rows = LoadHour.objects.filter(kind=kind, number=number, hour__gte=since, samples__gt=0).order_by("hour")
    return [
        Sample(row.hour.timestamp(), row.load / row.samples, row.used / row.samples, row.capacity / row.samples)
        for row in rows
    ]
