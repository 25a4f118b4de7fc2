"""Backups that are made while nobody waits, and the rule that one is made or restored at a time."""

from __future__ import annotations

from django.utils.translation import gettext

from rostra.management import jobs
from rostra.management.jobs import Busy, Request, table

__all__ = ["JOBS", "TABLE", "Busy", "Request", "alone", "begin", "request"]

JOBS = jobs.Jobs("backup", lambda: gettext("A backup is being made or restored; try again when it is done."))
alone, begin, request = JOBS.alone, JOBS.begin, JOBS.request
TABLE = table(
    JOBS, "backup_request", "Backup requests", "Backups that were asked for, and how it goes with them."
)  # fmt: skip
