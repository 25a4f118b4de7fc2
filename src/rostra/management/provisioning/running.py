"""Runs of templates, one after the other in a thread of their own, and the daily schedule (SVC-187…SVC-191)."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections import OrderedDict
from collections.abc import Iterable

import structlog
from django.db import connections
from django.utils import timezone

from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.alarms.raising import raise_alarm
from rostra.management.audit.actor import by
from rostra.management.audit.noting import note_person
from rostra.management.provisioning import following, models
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.syncing import ALARM, Sync

logger = structlog.get_logger("rostra.management.provisioning")

ACTOR = "LDAP sync"
"""Who the administrator log says changed what a run changed."""
HOUR = 1
"""Of the day in UTC at which templates are run by themselves (SVC-187)."""
LOOK = 20.0
"""Seconds between two looks whether runs are due."""
INTERRUPTED = "The Management Node was started again meanwhile"


class Queue:
    """Templates that wait to be run; a thread runs them while there are any."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, bool] = OrderedDict()
        """Keys of templates, and whether the schedule wants them."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, keys: Iterable[int], *, automatic: bool = False) -> None:
        """Run these soon; a template that waits already is not run twice."""
        with self._lock:
            for key in keys:
                if key in self._waiting:
                    continue
                self._waiting[key] = automatic
                SyncStatus.objects.update_or_create(configuration_id=key, defaults={"sync_status": models.WAITING})
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ldap sync", daemon=True)
                self._start(self._thread)

    def join(self, seconds: float) -> bool:
        """Wait until nothing waits or runs; False when it takes longer than `seconds`."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
            return not thread.is_alive()
        return True

    def _start(self, thread: threading.Thread) -> None:
        thread.start()

    def _next(self) -> tuple[int, bool] | None:
        with self._lock:
            if not self._waiting:
                self._thread = None
                return None
            return self._waiting.popitem(last=False)

    def _work(self) -> None:
        try:
            while (found := self._next()) is not None:
                key, automatic = found
                try:
                    run(key, automatic=automatic)
                except Exception as problem:
                    logger.exception("A synchronisation ended in an error")
                    _give_up(key, str(problem) or type(problem).__name__)
        finally:
            connections.close_all()


queue = Queue()


def run(key: int, *, automatic: bool = False) -> SyncStatus | None:
    """Run a template now; None when there is none (any more)."""
    template = (
        ConferenceSyncTemplate.objects.select_related("ldap_sync_source", "smtp_server", "ivr_theme")
        .filter(pk=key)
        .first()
    )
    if template is None:
        SyncStatus.objects.filter(configuration_id=key).delete()
        return None
    with by(user=ACTOR, way=ACTOR):
        return Sync(template, automatic=automatic).run()


def begin(templates: Iterable[ConferenceSyncTemplate]) -> None:
    """Somebody wants these to be run."""
    chosen = list(templates)
    for template in chosen:
        note_person("LDAP sync started", details={"Template": template.name})
    queue.add(template.pk for template in chosen)


def _give_up(key: int, reason: str) -> None:
    """A run ended that could not even say so."""
    SyncStatus.objects.filter(configuration_id=key).update(
        sync_status=models.FAILED, sync_last_error_description=reason, last_updated=timezone.now()
    )
    template = ConferenceSyncTemplate.objects.filter(pk=key).first()
    if template is not None:
        raise_alarm(ALARM, instance=template.name, details=reason)


def settle() -> None:
    """At the start of the process: what went on then does not any more, and what was left to delete goes."""
    going_on = SyncStatus.objects.filter(sync_status__in=models.GOING_ON)
    for key in list(going_on.values_list("configuration_id", flat=True)):
        _give_up(key, INTERRUPTED)
    with by(user=ACTOR, way=ACTOR):
        following.delete_orphans()


def last_slot(now: datetime.datetime) -> datetime.datetime:
    """The newest moment, not after `now`, at which templates are run by themselves."""
    today = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return today if today <= now else today - datetime.timedelta(days=1)


class Schedule:
    """Says which templates are due. A day that passed while the Management Node was off is made up for."""

    def __init__(self) -> None:
        self._since: datetime.datetime | None = None

    def due(self, now: datetime.datetime) -> list[int]:
        """Keys of the templates to run now; `now` is in UTC."""
        wanted = list(ConferenceSyncTemplate.objects.filter(enable_automatic_sync=True).values_list("pk", flat=True))
        since = self._since or self._newest(wanted) or now
        self._since = since
        if since >= last_slot(now):
            return []
        self._since = now
        return wanted

    def _newest(self, keys: list[int]) -> datetime.datetime | None:
        found = SyncStatus.objects.filter(configuration_id__in=keys, last_automatic__isnull=False)
        return found.order_by("-last_automatic").values_list("last_automatic", flat=True).first()


async def keep_running() -> None:
    """Run what is due until cancelled."""
    schedule = Schedule()

    def once() -> None:
        try:
            queue.add(schedule.due(timezone.now()), automatic=True)
        finally:
            connections.close_all()

    def first() -> None:
        try:
            settle()
        finally:
            connections.close_all()

    work = first
    while True:
        try:
            await asyncio.to_thread(work)
            work = once
        except Exception:
            logger.exception("Synchronisation could not be looked after")
        await asyncio.sleep(LOOK)
