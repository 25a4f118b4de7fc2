"""Raise and lower alarms. Both may be called again and again, from any thread, in a transaction or not."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from rostra.management.alarms.catalogue import KINDS, WARNING
from rostra.management.alarms.models import Alarm
from rostra.management.audit.noting import note

_LONGEST = 1000
"""Characters kept of details."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """An alarm that should be up."""

    name: str
    node: str = ""
    """IP address of the node it concerns."""
    instance: str = ""
    """Tells alarms of one kind apart."""
    details: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.name, self.node[:100], self.instance[:250]


def raise_alarm(
    name: str,
    *,
    node: str = "",
    instance: str = "",
    details: str = "",
    time: datetime.datetime | None = None,
    source: str = "",
) -> bool:
    """Raise an alarm of the kind `name` (see `catalogue`); True when it was not up before.

    One that is up already gets the new details. Raises KeyError for an unknown kind.
    """
    kind = KINDS[name]
    wanted = Wanted(name, node, instance, details.replace("\0", "")[:_LONGEST])
    if _update(wanted):
        return False
    try:
        with transaction.atomic():
            Alarm.objects.create(
                **_key(wanted),
                identifier=kind.identifier,
                level=kind.level,
                details=wanted.details,
                time_raised=time or timezone.now(),
                source=source,
            )
    except IntegrityError:  # somebody else raised it in the meantime
        return False
    _note("Alarm raised", wanted, "WARNING" if kind.level == WARNING else "ERROR")
    return True


def lower_alarm(name: str, *, node: str = "", instance: str = "", time: datetime.datetime | None = None) -> bool:
    """Lower an alarm; False when it was not up. Raises KeyError for an unknown kind."""
    wanted = Wanted(KINDS[name].name, node, instance)
    return _lower(wanted, time or timezone.now())


def settle(names: Iterable[str], wanted: Iterable[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """Of the kinds `names`, have exactly `wanted` up; returns what was raised and what was lowered for that.

    What nodes raised themselves stays. Raises KeyError for an unknown kind.
    """
    meant = {one.key: one for one in wanted}
    raised = [
        one
        for one in meant.values()
        if raise_alarm(one.name, node=one.node, instance=one.instance, details=one.details)
    ]
    up = Alarm.objects.filter(name__in=list(names), time_lowered=None, source="")
    gone = [
        Wanted(row.name, row.node, row.instance, row.details)
        for row in up
        if (row.name, row.node, row.instance) not in meant
    ]
    return raised, [one for one in gone if _lower(one, timezone.now())]


def lower_of(node: str, run: str) -> None:
    """Lower what earlier runs of `node` (its fabric id) raised; `run` is its present one."""
    left = Alarm.objects.filter(time_lowered=None, source__startswith=f"{node}:").exclude(source=f"{node}:{run}")
    for row in left:
        _lower(Wanted(row.name, row.node, row.instance), timezone.now())


def _key(wanted: Wanted) -> dict[str, str]:
    return dict(zip(("name", "node", "instance"), wanted.key, strict=True))


def _update(wanted: Wanted) -> bool:
    """Is it up? Then give it the new details."""
    row = Alarm.objects.filter(**_key(wanted), time_lowered=None).first()
    if row is not None and row.details != wanted.details:
        Alarm.objects.filter(pk=row.pk).update(details=wanted.details)
    return row is not None


def _lower(wanted: Wanted, time: datetime.datetime) -> bool:
    lowered = Alarm.objects.filter(**_key(wanted), time_lowered=None).update(time_lowered=time) > 0
    if lowered:
        _note("Alarm lowered", wanted, "INFO")
    return lowered


def _note(text: str, wanted: Wanted, level: str) -> None:
    pairs = {"Alarm": wanted.name, "Node": wanted.node, "Instance": wanted.instance, "Details": wanted.details}
    note(text, {key: value for key, value in pairs.items() if value}, name="administrator.alarm", level=level)
