"""Imports that are going on: each in a thread of its own, with its file, looked after by who began it.

Kept in memory: an import that a restart of the Management Node interrupts has changed nothing, and is begun again.
"""

from __future__ import annotations

import contextvars
import dataclasses
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection

from rostra.configuration.resources import Resource
from rostra.management import csvfiles, state

logger = structlog.get_logger("rostra.management.csv")

CHECKING, CHECKED, IMPORTING, DONE, FAILED = "checking", "checked", "importing", "done", "failed"
MOST = 16
"""Imports that are remembered."""
KEPT = 3600.0
"""Seconds a file waits to be confirmed."""
_PREFIX = "csv-import-"


class Busy(Exception):
    """Too many imports are going on."""


@dataclasses.dataclass
class Job:
    """One file, from its upload until it is imported."""

    token: str
    user: Any
    """Key of the account that began it."""
    page: str
    """Label of the model whose list it is for."""
    resource: Resource
    filename: str
    file: Path
    phase: str = CHECKING
    done: int = 0
    total: int = 0
    outcome: csvfiles.Outcome | None = None
    """What a checked file would change, or why it cannot be imported."""
    count: int = 0
    """Objects imported."""
    since: float = dataclasses.field(default_factory=time.monotonic)
    ended: threading.Event = dataclasses.field(default_factory=threading.Event)
    """Of the phase that works."""

    @property
    def works(self) -> bool:
        return self.phase in (CHECKING, IMPORTING)

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // self.total) if self.total else 0

    def progress(self, done: int, total: int) -> None:
        """So much of so much is done."""
        self.done, self.total = done, total


_jobs: dict[str, Job] = {}
_lock = threading.Lock()


def begin(user: Any, page: str, resource: Resource, upload: UploadedFile) -> Job:
    """Keep an uploaded file and start checking it. Raises Busy."""
    _forget_old()
    with tempfile.NamedTemporaryFile(prefix=_PREFIX, dir=settings.FILE_UPLOAD_TEMP_DIR, delete=False) as file:
        for piece in upload.chunks():
            file.write(piece)
    job = Job(secrets.token_urlsafe(16), user, page, resource, str(upload.name)[:100], Path(file.name))
    with _lock:
        _jobs[job.token] = job
    _start(job, CHECKING, _check)
    return job


def find(token: str, user: Any) -> Job | None:
    """The import that this user began."""
    job = _jobs.get(token)
    return job if job is not None and job.user == user else None


def confirm(job: Job) -> bool:
    """Start importing a checked file; False when it is not (any more) to be confirmed."""
    with _lock:
        if job.phase != CHECKED or job.outcome is None or job.outcome.problems:
            return False
        job.phase = IMPORTING
    _start(job, IMPORTING, _import)
    return True


def discard(job: Job) -> None:
    """Forget an import that does not work."""
    with _lock:
        if job.works:
            return
        _jobs.pop(job.token, None)
    job.file.unlink(missing_ok=True)


def _start(job: Job, phase: str, work: Callable[[Job], None]) -> None:
    job.phase, job.done, job.total = phase, 0, 0
    job.ended.clear()
    context = contextvars.copy_context()  # who acts
    threading.Thread(target=context.run, args=(_run, job, work), name=f"csv {phase}", daemon=True).start()


def _run(job: Job, work: Callable[[Job], None]) -> None:
    try:
        work(job)
    except Exception:
        logger.exception("An import failed", file=job.filename)
        job.phase = FAILED
    finally:
        connection.close()
        job.ended.set()


def _check(job: Job) -> None:
    job.outcome = csvfiles.preview(job.resource, job.file.read_bytes(), job.progress)
    job.phase = CHECKED


def _import(job: Job) -> None:
    try:
        job.count = csvfiles.load(job.resource, job.file.read_bytes(), job.progress)
    except csvfiles.Rejected as rejected:  # something has changed since it was checked
        job.outcome = csvfiles.Outcome(problems=rejected.problems)
        job.phase = CHECKED
        return
    state.announce()
    job.phase = DONE
    job.file.unlink(missing_ok=True)


def _forget_old() -> None:
    """Make room. Raises Busy."""
    now = time.monotonic()
    with _lock:
        idle = sorted((job for job in _jobs.values() if not job.works), key=lambda job: job.since)
        excess = max(0, len(_jobs) + 1 - MOST)
        if excess > len(idle):
            raise Busy
        over = [job for number, job in enumerate(idle) if number < excess or now - job.since > KEPT]
        for job in over:
            del _jobs[job.token]
        known = {job.file for job in _jobs.values()}
    for file in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{_PREFIX}*"):  # also those of an earlier run
        if file not in known and time.time() - file.stat().st_mtime > KEPT / 60:
            file.unlink(missing_ok=True)
    for job in over:
        job.file.unlink(missing_ok=True)
