"""Automatic backups: when one is due, making it, and sending it elsewhere (NODE-144, NODE-145)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import structlog
from django.utils import timezone

from rostra.configuration.models import AutoBackup
from rostra.configuration.secretfield import reveal
from rostra.management.alarms.raising import lower_alarm, raise_alarm
from rostra.management.audit import noting
from rostra.management.backups import jobs, keeping, sending
from rostra.management.backups.models import SystemBackup
from rostra.management.backups.sending import Target
from rostra.management.repeating import repeat

logger = structlog.get_logger("rostra.management.backups")

LOG = "administrator.system.backup"
MINUTE = 2
"""Of the hour; the daily backup is at 01:02 UTC unless another hour is configured."""
ALARM = "autobackup_upload_failed"
LOOK = 20.0
"""Seconds between two looks whether one is due."""


def last_slot(now: datetime.datetime, start_hour: int, interval: int) -> datetime.datetime:
    """The newest moment, not after `now`, at which a backup is made: from `start_hour` on every `interval` hours, and
    each day anew.
    """
    hours = list(range(start_hour, 24, interval))
    today = now.replace(minute=MINUTE, second=0, microsecond=0)
    past = [slot for hour in hours if (slot := today.replace(hour=hour)) <= now]
    return past[-1] if past else today.replace(hour=hours[-1]) - datetime.timedelta(days=1)


class Schedule:
    """Makes the backups that are due. `tick` is called from time to time, in a thread.

    A slot that passed while the Management Node was off is made up for; that before automatic backups were enabled
    is not. What failed is tried again at the next one.
    """

    def __init__(self, send: Callable[[Target, Path], None] = sending.send) -> None:
        self._send = send
        self._since: datetime.datetime | None = None
        """The slot that was dealt with last; None: not known yet."""

    def tick(self, now: datetime.datetime) -> SystemBackup | None:
        """Make a backup if one is due; returns it."""
        wanted = AutoBackup.objects.filter(pk=1).first()
        if wanted is None or not wanted.autobackup_enabled or not wanted.autobackup_passphrase:
            self._since = now
            return None
        slot = last_slot(now, wanted.autobackup_start_hour, wanted.autobackup_interval)
        if self._since is None:
            self._since = self._newest() or now
        if self._since >= slot:
            return None
        try:
            with jobs.alone():
                self._since = now
                made = keeping.create(reveal(wanted, "autobackup_passphrase"), "automatic")
        except jobs.Busy:
            return None  # soon again
        except Exception as problem:
            reason = str(problem) or type(problem).__name__
            noting.note("Automatic system backup failed", {"Reason": reason}, name=LOG, level="ERROR")
            return None
        noting.note("Created automatic system backup", {"Filename": made.filename}, name=LOG)
        self._upload(wanted, made)
        return made

    def _newest(self) -> datetime.datetime | None:
        row = SystemBackup.objects.filter(type="automatic").order_by("-date").first()
        return None if row is None else row.date

    def _upload(self, wanted: AutoBackup, made: SystemBackup) -> None:
        if not wanted.autobackup_upload_url:
            return
        target = Target(
            wanted.autobackup_upload_url,
            wanted.autobackup_upload_username,
            reveal(wanted, "autobackup_upload_password"),
        )
        file = keeping.path(made.filename)
        try:
            if file is not None:
                self._send(target, file)
        except sending.NotSent as problem:
            details = {"Filename": made.filename, "Reason": str(problem)}
            noting.note("Automatic system backup could not be uploaded", details, name=LOG, level="ERROR")
            raise_alarm(ALARM, details=str(problem))
        else:
            noting.note("Uploaded automatic system backup", {"Filename": made.filename}, name=LOG)
            lower_alarm(ALARM)


async def keep_making() -> None:
    """Make the backups that are due until cancelled."""
    schedule = Schedule()
    await repeat(lambda: schedule.tick(timezone.now()), LOOK, "Automatic backups could not be looked after")
