"""CSV files of services, in the form of the specification's sheet 03 (NODE-179...NODE-197), from the register.

One row per element of the resource's row relation (an alias), repeating the rest. A file is imported whole or,
with one error or more, not at all.

Values are written as they are, also those a spreadsheet takes for formulas: what is exported imports unchanged
(NODE-187), and an alias such as +4721000000 begins like one.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpResponse

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.configuration.sealing import PREFIX
from rostra.management import csvpairs, csvplans
from rostra.management.api import wire
from rostra.management.api.writing import write
from rostra.management.audit.actor import CSV, by
from rostra.management.audit.noting import gathered
from rostra.management.csvreading import (
    PER_KBIT,
    RATE_RANGE,
    RATES,
    Described,
    Progress,
    Reading,
    Rejected,
    RowProblem,
    columns,
    default,
    fields,
    is_part,
    listed,
    prefix,
    problems_of,
    read,
    silent,
)

__all__ = ["Outcome", "Rejected", "RowProblem", "columns", "export", "load", "preview", "response"]

SAMPLES = 20
"""Objects that a preview shows in full."""
CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """An object that a file adds or changes."""

    line: int
    name: str
    what: str
    changes: tuple[tuple[str, str, str], ...]
    """Field, before, after."""


@dataclasses.dataclass(slots=True)
class Outcome:
    """What a file does, or would do."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    samples: list[Sample] = dataclasses.field(default_factory=list[Sample])
    problems: list[RowProblem] = dataclasses.field(default_factory=list[RowProblem])

    @property
    def count(self) -> int:
        """Objects that the file describes."""
        return self.created + self.changed + self.unchanged

    def add(self, what: str, line: int, name: str, changes: Callable[[], tuple[tuple[str, str, str], ...]]) -> None:
        """Count an object; the first ones are samples."""
        setattr(self, what, getattr(self, what) + 1)
        if what != UNCHANGED and len(self.samples) < SAMPLES:
            self.samples.append(Sample(line, name, what, changes()))


def export(resource: Resource, rows: Any = None) -> str:
    """The file with `rows` (default: all), with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    names = columns(resource)
    writer.writerow(names)
    relation = resource.csv_rows or resource.csv_each
    found = orm.rows(resource.model) if rows is None else rows
    if resource.csv_only:
        found = found.filter(**dict([resource.csv_only]))
    held = dict(fields(resource, names))
    named = {field.name for field in held.values() if field.is_relation}
    found = found.order_by("pk").select_related(*named) if named else found.order_by("pk")
    for row in found.prefetch_related(*([relation] if relation else [])):
        for part in (getattr(row, relation).all() if relation else ()) or (None,):
            writer.writerow([_cell(resource, row, part, name, held.get(name)) for name in names])
    return text.getvalue()


def response(resource: Resource, rows: Any = None) -> HttpResponse:
    """A download of `rows` (default: all)."""
    return HttpResponse(
        export(resource, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{resource.name}.csv"'},
    )


def preview(resource: Resource, content: bytes, progress: Progress = silent) -> Outcome:
    """What importing a file would do. Writes nothing."""
    reading = read(resource, content, progress)
    if resource.name in csvplans.PLANNED:
        return _told(csvplans.plan(resource, reading, progress), reading)
    try:
        outcome = _one_by_one(resource, reading, progress, keep=False)
    except Rejected as rejected:
        return Outcome(problems=rejected.problems)
    return outcome


def load(resource: Resource, content: bytes, progress: Progress = silent) -> int:
    """Import a file; returns how many objects it created or overwrote. Raises Rejected."""
    reading = read(resource, content, progress)
    if resource.name not in csvplans.PLANNED:
        return _one_by_one(resource, reading, progress, keep=True).count
    plan = csvplans.plan(resource, reading, progress)
    if reading.problems or plan.problems:
        raise Rejected([*reading.problems, *plan.problems])
    plan.carry_out(progress)
    return len(plan.objects)


def _told(plan: csvplans.Plan, reading: Reading) -> Outcome:
    outcome = Outcome(problems=Rejected([*reading.problems, *plan.problems]).problems)
    for one in plan.objects:
        what = CREATED if one.before is None else CHANGED if plan.is_changed(one) else UNCHANGED
        outcome.add(what, one.line, str(one.row), lambda one=one: _differences(plan, one))
    return outcome


def _differences(plan: csvplans.Plan, one: csvplans.Planned) -> tuple[tuple[str, str, str], ...]:
    found = [
        (str(field.verbose_name), "" if one.before is None else _shown(field, one.before), _shown(field, one.row))
        for field in one.differences(plan.fields)
        if one.before is not None or getattr(one.row, field.attname) not in (None, "", default(plan.resource, field))
    ]
    if plan.part is not None:
        label = str(orm.meta(plan.part.model).verbose_name_plural)
        before = [str(part.before) for part in one.parts if part.before is not None] + [str(row) for row in one.gone]
        after = [str(part.row) for part in one.parts]
        if before != after:
            found.append((label, ", ".join(before), ", ".join(after)))
        for field in plan.part_fields:
            found += [
                (f"{part.row}: {field.verbose_name}", _shown(field, part.before), _shown(field, part.row))
                for part in one.parts
                if part.before is not None and field in part.differences([field]) and field.name != plan.part_key
            ]
    return tuple(found)


def _shown(field: Any, row: models.Model) -> str:
    value = getattr(row, field.name)
    if value is None:
        return ""
    text = str(value)
    return "•••" if text.startswith(PREFIX) or "password" in field.name else text


class _Undone(Exception):
    """Ends a transaction of which nothing stays."""


def _one_by_one(resource: Resource, reading: Reading, progress: Progress, *, keep: bool) -> Outcome:
    """Write as the API does; what is only wanted to know is undone. Raises Rejected."""
    outcome = Outcome(problems=list(reading.problems))
    try:
        with transaction.atomic(), by(way=CSV), gathered():
            for number, described in enumerate(reading.objects.values()):
                if number % 100 == 0:
                    progress(number, len(reading.objects))
                try:
                    with transaction.atomic():
                        what, changes = _store(resource, described)
                except ValidationError as problem:
                    outcome.problems += problems_of(described.line, problem)
                else:
                    name = str(described.body[resource.csv_key])
                    outcome.add(what, described.line, name, lambda changes=changes: changes)
            if outcome.problems or not keep:
                raise _Undone
    except _Undone:
        if outcome.problems:
            raise Rejected(outcome.problems) from None
    return outcome


Changes = tuple[tuple[str, str, str], ...]


def _store(resource: Resource, described: Described) -> tuple[str, Changes]:
    body = described.body
    if resource.csv_each:
        return csvpairs.store(resource, body, csvpairs.place(resource, described.place), listed(resource)), ()
    row = orm.rows(resource.model).filter(**{resource.csv_key: body[resource.csv_key]}).first()
    told = [field for field in listed(resource) if field.name not in resource.hidden]
    before = {field: _shown(field, row) for field in told} if row is not None else {}
    names = {field.name for field in listed(resource)}
    if row is not None:  # what the file has a column for and leaves blank goes back to its default (NODE-193)
        for field in resource.fields:
            left_out = field.name in names and field.name not in body and field.name not in resource.fixed
            if left_out and not wire.is_read_only(field):
                setattr(row, field.attname, field.get_default())
    made = write(resource, row or resource.model(), body)
    after = {field: _shown(field, made) for field in told}
    changes = tuple(
        (str(field.verbose_name), before.get(field, ""), text)
        for field, text in after.items()
        if before.get(field, "") != text
    )
    return (CREATED if row is None else CHANGED if changes else UNCHANGED), changes


def _cell(resource: Resource, row: models.Model, part: Any, name: str, field: Any) -> str:
    """What a column says of a row; `field` is what it holds, None for one that is about `part`."""
    if field is not None:
        value = getattr(row, field.name)
        if value is not None and field.is_relation:
            value = getattr(value, wire.target(field).csv_key)
        elif value is not None and name in RATES:
            value = min(max(value * PER_KBIT, RATE_RANGE.start), RATE_RANGE.stop - 1)
    elif part is None:
        value = None
    elif resource.csv_rows and is_part(resource, name):
        value = getattr(part, name.removeprefix(prefix(resource.csv_rows)))
    else:  # the place of an object, or a relation this system does not have
        value = str(part) if resource.csv_each and name == csvpairs.column(resource) else None
    return "" if value is None else str(value)
