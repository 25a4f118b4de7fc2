"""What is in a diagnostic snapshot (NODE-167, NODE-169): a tar of JSON and logs. Bounded, whatever the platform's size.

Left out are accounts and roles of administrators, and every value that lets somebody in: passwords, keys, PINs,
tokens, passwords in addresses, and the part of an RTMP address that names a stream.
"""

from __future__ import annotations

import dataclasses
import datetime
import io
import re
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import structlog
from django.utils import timezone

from rostra import machine, release
from rostra.configuration import orm
from rostra.configuration.resources import Resource, area_of, register
from rostra.environment import Environment
from rostra.management import declared
from rostra.management.accounts.permissions import ADMINISTRATORS
from rostra.management.api import wire
from rostra.management.api.reading import represent
from rostra.management.api.tables import Filter, Table
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.values import is_secret
from rostra.management.history.models import LoadHour

logger = structlog.get_logger("rostra.management.snapshots")

MOST_ROWS = 5_000
"""Of a resource or table: the newest."""
MOST_LOG = 64 * 1024 * 1024
"""Bytes of a log: its end."""
HIDDEN = "********"
_STREAM = re.compile(rb"(rtmps?://[^/\s\"]+)/[^\s\"]*")
_PASSWORD = re.compile(rb"(://[^/\s\"@:]*):[^/\s\"@]+@")

Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """Which time logs and history are wanted of."""

    begin: datetime.datetime
    end: datetime.datetime
    metrics: bool = False
    """Also the load of nodes and locations by the hour."""


def write(file: Path, span: Span, environment: Environment, progress: Progress) -> None:
    """Make the snapshot. What cannot be read is named in it, and does not keep the rest out. Raises OSError."""
    parts = list(_parts(span, environment))
    problems: dict[str, str] = {}
    with tarfile.open(file, "x:gz", compresslevel=6) as archive:
        for number, (name, read) in enumerate(parts):
            progress(name, number, len(parts))
            try:
                content = read()
            except Exception as problem:
                logger.warning("Left out of a snapshot", part=name, problem=str(problem), exc_info=True)
                problems[name] = f"{type(problem).__name__}: {problem}"
            else:
                _add(archive, name, content)
        _add(archive, "snapshot.json", _json(_about(span, environment, problems)))


def _parts(span: Span, environment: Environment) -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "logs/administrator.log", lambda: _log(span)
    for log in sorted(environment.home.glob("**/*.log")):
        name = f"logs/{log.relative_to(environment.home).as_posix().replace('/', '-')}"
        yield name, lambda log=log: _tail(log)
    for resource in register:
        if area_of(resource) != ADMINISTRATORS:
            yield f"configuration/{resource.name}.json", lambda one=resource: _json(_configuration(one))
    for table in declared.tables():
        yield f"{table.api}/{table.name}.json", lambda one=table: _json(_table(one, span))
    if span.metrics:
        yield "metrics/load.json", lambda: _json(_load(span))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(content), int(timezone.now().timestamp()), 0o600
    archive.addfile(member, io.BytesIO(content))


def _json(value: Any) -> bytes:
    return _hidden(msgspec.json.format(msgspec.json.encode(value), indent=1))


def _hidden(text: bytes) -> bytes:
    """Without what addresses within may give away."""
    hidden = HIDDEN.encode()
    return _PASSWORD.sub(rb"\1:" + hidden + b"@", _STREAM.sub(rb"\1/" + hidden, text))


def _about(span: Span, environment: Environment, problems: dict[str, str]) -> dict[str, Any]:
    disk = shutil.disk_usage(environment.home)
    return {
        "version": release.VERSION,
        "build": release.build(),
        "made": timezone.now(),
        "from": span.begin,
        "to": span.end,
        "processor": machine.processor(),
        "memory_kb": machine.memory(),
        "disk_bytes": disk.total,
        "disk_free_bytes": disk.free,
        "not_readable": problems,
    }


def _configuration(resource: Resource) -> dict[str, Any]:
    secrets = {field.name for field in resource.fields if is_secret(field)}
    rows = wire.fetched(resource, orm.rows(resource.model).order_by("-pk"))
    found = [wire.represent(resource, row, embed=False) for row in rows[:MOST_ROWS]]
    objects = [{name: HIDDEN if value and name in secrets else value for name, value in one.items()} for one in found]
    return {"total_count": rows.count(), "objects": objects}


def _table(table: Table, span: Span) -> dict[str, Any]:
    filters: list[Filter] = []
    order: tuple[str, ...] = ()
    ended = next((name for name in ("end_time", "time_changed", "time_lowered") if name in table.filterable), "")
    column = table.column(ended) if ended else None
    if table.api == "history" and column is not None:
        filters = [
            Filter(column, "gte", span.begin.isoformat()),
            Filter(column, "lte", span.end.isoformat()),
        ]
        order = (f"-{ended}",)
    rows, total = table.source.page(filters, order, 0, MOST_ROWS)
    return {"total_count": total, "objects": [represent(table, row) for row in rows]}


def _log(span: Span) -> bytes:
    """The newest lines that there is room for, in the order they were written."""
    entries = AdministratorLog.objects.filter(time__gte=span.begin, time__lte=span.end).order_by("-id")
    kept = _newest(line.encode(errors="replace") for line in entries.values_list("line", flat=True).iterator())
    return _hidden(b"".join(line + b"\n" for line in reversed(kept)))


def _newest(lines: Iterable[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    room = MOST_LOG
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _tail(log: Path) -> bytes:
    with log.open("rb") as content:
        content.seek(max(0, log.stat().st_size - MOST_LOG))
        return _hidden(content.read(MOST_LOG))


def _load(span: Span) -> dict[str, Any]:
    rows = LoadHour.objects.filter(hour__gte=span.begin, hour__lte=span.end).order_by("-hour")
    return {"total_count": rows.count(), "objects": [*rows.values()[: MOST_ROWS * 4]]}
