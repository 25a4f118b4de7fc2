"""What templates own follows them: renamed with them, deleted with them (SVC-194)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save, pre_delete, pre_save

from rostra.configuration import orm
from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.alarms.raising import lower_alarm
from rostra.management.audit.noting import gathered
from rostra.management.provisioning.kinds import KINDS
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.stored import batched, give_way
from rostra.management.provisioning.syncing import ALARM

_BEFORE = "_provisioning_before"
_AT_ONCE = 50
"""Objects that are deleted in one go, so that others may write in between."""


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
    delete_owned(instance.name)
    SyncStatus.objects.filter(configuration_id=instance.pk).delete()
    lower_alarm(ALARM, instance=instance.name)
