"""Finding entries of the administrator log: by text, person, object, way and time."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from rostra.configuration.validation import pattern_problem
from rostra.management.audit import lines
from rostra.management.audit.models import AdministratorLog

_LONGEST = 250
"""Characters of a condition."""
_SPECIAL = re.compile(r"[\\^$*+?\[\](){}|]")
"""What makes a text a regular expression; a full stop alone does not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Search:
    """What to look for; empty members match everything."""

    text: str = ""
    """Part of the line, or a regular expression (DIAG-130)."""
    user: str = ""
    resource: str = ""
    object: str = ""
    """Key of an object, or part of its name."""
    way: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Search:
        """From the parameters of an address; times are UTC, those that are none do not count."""
        plain = {
            field.name: values.get(field.name, "").replace("\0", "").strip()[:_LONGEST]
            for field in dataclasses.fields(cls)
            if field.name not in ("since", "until")
        }
        return cls(**plain, since=_moment(values.get("since", "")), until=_moment(values.get("until", "")))

    @property
    def problem(self) -> str:
        """What is wrong with the text; it is taken literally then."""
        return (pattern_problem(lines.pattern(self.text)) or "") if _SPECIAL.search(self.text) else ""

    def newest(self, count: int, before: int | None = None) -> tuple[list[Any], str]:
        """The newest entries, older than `before`, and what is wrong with the text, which is taken literally then."""
        problem = self.problem
        if not problem:
            try:
                return list(_older(self.entries(), before)[:count]), ""
            except DatabaseError:  # also from the search in it
                problem = gettext("This regular expression takes too long.")
        return list(_older(self.entries(literal=True), before)[:count]), problem

    def entries(self, *, literal: bool = False) -> QuerySet[Any]:
        """The entries, newest first. Reading them raises DatabaseError for an expression that takes too long."""
        rows = AdministratorLog.objects.order_by("-id")
        if self.text and not literal and _SPECIAL.search(self.text) and not self.problem:
            rows = rows.filter(line__iregex=lines.pattern(self.text))
        elif self.text:
            rows = rows.filter(line__icontains=self.text)
        if self.user:
            rows = rows.filter(user__icontains=self.user)
        if self.resource:
            rows = rows.filter(resource=self.resource)
        if self.object:
            own = rows.filter(object_id=self.object) if self.object.isdecimal() and self.resource else None
            rows = own if own is not None else rows.filter(object_name__icontains=self.object)
        if self.way:
            rows = rows.filter(way=self.way)
        if self.since:
            rows = rows.filter(time__gte=self.since)
        if self.until:
            rows = rows.filter(time__lt=self.until)
        return rows


def _older(rows: QuerySet[Any], before: int | None) -> QuerySet[Any]:
    return rows if before is None else rows.filter(id__lt=before)


def _moment(text: str) -> datetime.datetime | None:
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
