"""Where snapshots are while they are fetched."""

from __future__ import annotations

import datetime
import re
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from rostra.environment import Environment
from rostra.management.audit import noting
from rostra.management.jobs import Jobs, table
from rostra.management.snapshots import contents
from rostra.management.snapshots.contents import Progress, Span

KEPT = 2
"""Newest files that stay: whoever asked for one fetches it at once."""
FULL = 28 * 24
"""Hours that a full snapshot reaches back (NODE-169)."""
_NAME = re.compile(r"diagnostic_snapshot_[0-9TZ]{16}_[0-9a-f]{8}\.tar\.gz")
TYPE = "application/gzip"

JOBS = Jobs("snapshot", lambda: gettext("A snapshot is being made; try again when it is done."))
TABLE = table(
    JOBS,
    "snapshot_request",
    "Snapshot requests",
    "Diagnostic snapshots that were asked for, and how it goes with them.",
)


def span(limit: int | None, end: int | None = None, *, metrics: bool = False) -> Span:
    """From so many hours ago until `end` hours ago."""
    now = timezone.now()
    hours = FULL if limit is None else limit
    ago = datetime.timedelta(hours=1)
    return Span(begin=now - hours * ago, end=now - (end or 0) * ago, metrics=metrics)


def make(wanted: Span, progress: Progress = lambda _what, _done, _total: None) -> Path:
    """Make a snapshot, and let old ones go; returns the file. Call within `JOBS.alone`. Raises OSError."""
    own: Environment = settings.ROSTRA
    place = _directory()
    for old in sorted(place.glob("diagnostic_snapshot_*"), key=_age)[: -(KEPT - 1) or None]:
        old.unlink(missing_ok=True)
    file = place / f"diagnostic_snapshot_{timezone.now():%Y%m%dT%H%M%SZ}_{secrets.token_hex(4)}.tar.gz"
    part = file.with_suffix(".part")
    try:
        contents.write(part, wanted, own, progress)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    details: dict[str, Any] = {"Filename": file.name, "Size": file.stat().st_size}
    noting.note_person("Created diagnostic snapshot", details=details)
    return file


def path(filename: str) -> Path | None:
    """The file of that name; None when there is none."""
    file = _directory() / filename if _NAME.fullmatch(filename) else None
    return file if file is not None and file.is_file() else None


def _directory() -> Path:
    own: Environment = settings.ROSTRA
    found = own.management_home / "snapshots"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _age(file: Path) -> float:
    return file.stat().st_mtime
