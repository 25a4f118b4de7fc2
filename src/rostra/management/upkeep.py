"""What the Management Node does again and again by itself: look for alarms, forget what is old."""

from __future__ import annotations

import asyncio
import datetime
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone

from rostra.configuration.models import GlobalSettings
from rostra.management.alarms import checks
from rostra.management.alarms.models import Alarm
from rostra.management.audit.models import AdministratorLog
from rostra.management.history.models import ConferenceRecord, PlatformEvent, RegistrationRecord

logger = structlog.get_logger("rostra.management.upkeep")

_PAUSE = 1.0
"""Seconds between looks for what is due."""
_TIDY = 600.0
"""Seconds between deletions of what is old."""
MOST_ENTRIES = 1_000_000
"""Newest entries of the administrator log that are kept, about 1 GB (DIAG-142)."""
_AT_ONCE = 10_000
"""Rows deleted in one go, so that others may write in between."""


async def run() -> None:
    """Until cancelled. What fails is logged and tried again."""
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(1, thread_name_prefix="upkeep")
    try:
        while True:
            await loop.run_in_executor(threads, once)
            await asyncio.sleep(_PAUSE)
    finally:
        threads.submit(connection.close)
        threads.shutdown(wait=False)


class _Tidied:
    at = -_TIDY


def once() -> None:
    """Do what is due now."""
    try:
        checks.run()
        if time.monotonic() - _Tidied.at >= _TIDY:
            _Tidied.at = time.monotonic()
            forget_old(timezone.now())
    except Exception:
        logger.exception("Upkeep failed")
    finally:
        connection.close_if_unusable_or_obsolete()


def forget_old(now: datetime.datetime) -> None:
    """Delete what is older than administrators want to keep, and what is too much."""
    days = GlobalSettings.objects.filter(pk=1).values_list("logs_max_age", flat=True).first() or 0
    newest = AdministratorLog.objects.order_by("-id").values_list("id", flat=True).first() or 0
    _delete(AdministratorLog.objects.filter(id__lte=newest - MOST_ENTRIES))
    if days:
        limit = now - datetime.timedelta(days=days)
        _delete(AdministratorLog.objects.filter(time__lt=limit))
        _delete(Alarm.objects.filter(time_lowered__lt=limit))
        _delete(PlatformEvent.objects.filter(time_changed__lt=limit))
        _delete(ConferenceRecord.objects.filter(end_time__lt=limit))
        _delete(RegistrationRecord.objects.filter(end_time__lt=limit))


def _delete(selected: Any) -> None:
    while keys := list(selected.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        for start in range(0, len(keys), 500):
            selected.model.objects.filter(pk__in=keys[start : start + 500]).delete()
