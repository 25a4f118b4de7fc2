"""What templates own follows them: renamed with them, deleted with them (SVC-194)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import structlog
from django.db import connections, transaction
from django.db.models.signals import post_save, pre_delete, pre_save

from rostra.configuration import orm
from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.alarms.raising import lower_alarm
from rostra.management.audit.actor import by, current
from rostra.management.audit.noting import gathered
from rostra.management.provisioning.kinds import KINDS
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.stored import batched, give_way
from rostra.management.provisioning.syncing import ALARM

logger = structlog.get_logger("rostra.management.provisioning")

_BEFORE = "_provisioning_before"
_AT_ONCE = 100
"""Objects that are deleted in one go, so that others may write in between."""
MOST_AT_ONCE = 500
"""Objects that go in the transaction that deletes their template; more go right after it."""


def follow() -> None:
    """From now on."""
    for signal, receiver in ((pre_save, _saving), (post_save, _saved), (pre_delete, _deleting)):
        signal.connect(receiver, sender=ConferenceSyncTemplate, dispatch_uid="provisioning")


def owned(template: ConferenceSyncTemplate) -> dict[str, int]:
    """How many objects of each kind a template made."""
    return {kind.counted: orm.rows(kind.model).filter(sync_tag=template.name).count() for kind in KINDS}


def delete_owned(name: str) -> dict[str, int]:
    """Delete what the template `name` made, and nothing else; returns how many of each kind (SVC-193)."""
    found: dict[str, int] = {}
    for kind in KINDS:
        keys = list(orm.rows(kind.model).filter(sync_tag=name).values_list("pk", flat=True))
        for chunk in batched(keys, _AT_ONCE):
            with transaction.atomic(), gathered():
                orm.rows(kind.model).filter(pk__in=chunk, sync_tag=name).delete()
            give_way()
        found[kind.counted] = len(keys)
    return found


def _saving(instance: ConferenceSyncTemplate, **_: Any) -> None:
    before = ConferenceSyncTemplate.objects.filter(pk=instance.pk).values_list("name", flat=True).first()
    setattr(instance, _BEFORE, before)


def _saved(instance: ConferenceSyncTemplate, **_: Any) -> None:
    before = getattr(instance, _BEFORE, None)
    if before is None or before == instance.name:
        return
    for kind in KINDS:
        orm.rows(kind.model).filter(sync_tag=before).update(sync_tag=instance.name)
    lower_alarm(ALARM, instance=before)


def _deleting(instance: ConferenceSyncTemplate, **_: Any) -> None:
    if sum(owned(instance).values()) <= MOST_AT_ONCE:
        delete_owned(instance.name)
    else:
        who, name = current().user, instance.name
        transaction.on_commit(lambda: _later(name, who))
    SyncStatus.objects.filter(configuration_id=instance.pk).delete()
    lower_alarm(ALARM, instance=instance.name)


def _later(name: str, who: str) -> None:
    """Delete what the template `name` made, as `who`, while nobody waits."""

    def work() -> None:
        try:
            with by(user=who):
                delete_orphans([name])
        except Exception:
            logger.exception("What a deleted template made could not be deleted; the next start tries again")
        finally:
            connections.close_all()

    threading.Thread(target=work, name="delete synced objects", daemon=True).start()


def delete_orphans(names: Iterable[str] | None = None) -> None:
    """Delete what templates made that are not there any more: those called `names`, or all."""
    if names is None:
        names = {tag for kind in KINDS for tag in orm.rows(kind.model).values_list("sync_tag", flat=True).distinct()}
    known = set(ConferenceSyncTemplate.objects.values_list("name", flat=True))
    for name in set(names) - known - {""}:
        delete_owned(name)
