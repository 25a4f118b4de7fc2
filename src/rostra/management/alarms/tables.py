"""Alarms in the status and history APIs (sheet 10, 3.1 and 3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from rostra.management.alarms.models import Alarm
from rostra.management.api.stored import ModelSource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.words import columns

_COMMON = "details instance level name node"
_UP = columns(_COMMON, boolean="acknowledged", integer="id identifier", datetime="time_raised")
_PAST = columns(_COMMON, integer="id identifier", datetime="time_lowered time_raised")


def up() -> QuerySet[Any]:
    """Alarms that are up."""
    return Alarm.objects.filter(time_lowered=None)


def _past() -> QuerySet[Any]:
    return Alarm.objects.exclude(time_lowered=None)


def _source(rows: Any, names: tuple[Column, ...], order: str) -> ModelSource:
    def represent(alarm: Any) -> Row:
        return {one.name: getattr(alarm, one.name) for one in names}

    return ModelSource(rows, represent, order)


TABLES = (
    Table(
        api="status",
        name="alarm",
        title="Alarms",
        summary="What is wrong now.",
        columns=_UP,
        source=_source(up, _UP, "-time_raised"),
        shown=("name", "level", "node", "instance", "time_raised", "acknowledged"),
    ),
    Table(
        api="history",
        name="alarm",
        title="Alarm history",
        summary="What was wrong and is right again.",
        columns=_PAST,
        source=_source(_past, _PAST, "-time_lowered"),
        shown=("name", "level", "node", "instance", "time_raised", "time_lowered", "details"),
    ),
)
