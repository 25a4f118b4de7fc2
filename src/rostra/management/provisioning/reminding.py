"""Reminders that are sent while nobody waits (SVC-206…SVC-209)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.db import connections

from rostra.configuration import orm
from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.audit.actor import by, current
from rostra.management.audit.noting import note_person
from rostra.management.provisioning import mailing

logger = structlog.get_logger("rostra.management.provisioning")


def all_of(templates: Iterable[int]) -> threading.Thread:
    """Remind the owners of everything that these templates made."""
    keys = list(templates)

    def work() -> None:
        for template in ConferenceSyncTemplate.objects.select_related("smtp_server").filter(pk__in=keys):
            mailing.remind_all(template)

    return _begin("LDAP sync templates", len(keys), work)


def some(model: Any, chosen: Iterable[int]) -> threading.Thread:
    """Remind the owners of these services or devices."""
    keys = list(chosen)

    def work() -> None:
        mailing.remind(orm.rows(model).filter(pk__in=keys).order_by("pk"))

    return _begin(str(orm.meta(model).verbose_name_plural), len(keys), work)


def _begin(what: str, count: int, work: Callable[[], None]) -> threading.Thread:
    note_person("Reminder emails requested", details={"Type": what, "Objects": count})
    who = current().user

    def carry_out() -> None:
        try:
            with by(user=who):
                work()
        except Exception:
            logger.exception("Reminders could not be sent")
        finally:
            connections.close_all()

    thread = threading.Thread(target=carry_out, name="reminders", daemon=True)
    thread.start()
    return thread
