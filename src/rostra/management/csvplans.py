"""What a file of many objects changes: planned in memory, compared with what there is in batches, written in bulk.

An object at a time, as the API writes them, takes some milliseconds each; files have tens of thousands.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.configuration.secretfield import SecretField, reveal
from rostra.configuration.validation import of_many
from rostra.management.api import wire
from rostra.management.audit import following
from rostra.management.audit.actor import CSV, by
from rostra.management.audit.noting import gathered
from rostra.management.csvreading import (
    Described,
    Progress,
    Reading,
    Rejected,
    RowProblem,
    default,
    listed,
    prefix,
    problems_of,
    silent,
)

_CHUNK = 400
"""Keys in one question to the database."""
_STEP = 200
"""Objects between two words about progress."""
PLANNED = frozenset({"conference", "device"})
"""Resources that this can do: without relations but their rows, and unique by their key alone."""

Row = Any


@dataclasses.dataclass(slots=True)
class Written:
    """A row that is added, or changed."""

    line: int
    row: Row
    before: Row | None = None
    """A copy of a row that is there already."""

    def differences(self, fields: Sequence[Any]) -> list[Any]:
        """Fields that it has other values in."""
        if self.before is None:
            return list(fields)
        return [field for field in fields if getattr(self.row, field.attname) != getattr(self.before, field.attname)]


@dataclasses.dataclass(slots=True)
class Planned(Written):
    """An object of the file with what belongs to it."""

    parts: list[Written] = dataclasses.field(default_factory=list[Written])
    gone: list[Row] = dataclasses.field(default_factory=list[Row])
    """Rows that belong to it no longer."""


class Plan:
    """What a file changes. `problems`: why it cannot."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.fields = listed(resource)
        self.part = wire.related(resource, resource.csv_rows) if resource.csv_rows else None
        self.part_key = prefix(resource.csv_rows).rstrip("_") if resource.csv_rows else ""
        self.part_fields: list[Any] = []
        self.objects: list[Planned] = []
        self.problems: list[RowProblem] = []
        self._related: dict[tuple[str, Any], Row] = {}

    def is_changed(self, planned: Planned) -> bool:
        """Does an object that is there differ from what the file says?"""
        parts = any(part.before is None or part.differences(self.part_fields) for part in planned.parts)
        return bool(parts or planned.gone or planned.differences(self.fields))

    # ---- making it

    def fill(self, reading: Reading, progress: Progress) -> None:
        """Plan every object that a file describes."""
        if self.part is not None:
            names = {name for one in reading.objects.values() for part in one.parts for name in part.values}
            self.part_fields = [field for field in self.part.fields if field.name in names]
        there = self._there([key for key, _place in reading.objects])
        total = len(reading.objects)
        with of_many():
            for number, ((key, _place), described) in enumerate(reading.objects.items()):
                if number % _STEP == 0:
                    progress(number, total)
                try:
                    self.objects.append(self._object(there.get(key), described))
                except ValidationError as problem:
                    self.problems += problems_of(described.line, problem)
        self._compare()

    def _there(self, keys: list[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        rows = orm.rows(self.resource.model)
        if self.resource.csv_rows:
            rows = rows.prefetch_related(self.resource.csv_rows)
        named = [field.name for field in self.fields if field.is_relation]
        rows = rows.select_related(*named) if named else rows
        for chunk in _chunks(keys):
            for row in rows.filter(**{f"{self.resource.csv_key}__in": chunk}):
                found[getattr(row, self.resource.csv_key)] = row
        return found

    def _object(self, known: Row | None, described: Described) -> Planned:
        resource = self.resource
        before = None if known is None else copy.copy(known)
        row: Any = resource.model() if known is None else known
        if resource.csv_only:
            field, value = resource.csv_only
            if before is not None and getattr(row, field) != value:
                raise ValidationError(_("%(name)s exists already and is of another kind.") % {"name": row})
            setattr(row, field, value)
        for field in self.fields:
            if field.name in described.body:
                self._assign(row, field, described.body[field.name], before)
            elif before is None or field.name not in resource.fixed:  # goes back to its default (NODE-193)
                setattr(row, field.attname, default(resource, field))
        names = {field.name for field in self.fields}
        row.clean_fields(exclude={field.name for field in resource.fields if field.name not in names})
        row.clean()
        planned = Planned(described.line, row, before)
        if self.part is not None:
            self._parts(planned, described)
        return planned

    def _assign(self, row: Row, field: Any, value: Any, before: Row | None) -> None:
        if field.is_relation:
            setattr(row, field.name, self._row_at(field, value))
            return
        same = isinstance(field, SecretField) and before is not None and reveal(before, field.name) == value
        setattr(row, field.attname, getattr(before, field.attname) if same else value)

    def _row_at(self, field: Any, address: str) -> Row:
        """The row with an address; one object for all that refer to it."""
        if (field.name, address) not in self._related:
            other = wire.target(field)
            self._related[field.name, address] = wire.find(other, wire.key_of(other, address)).get()
        return self._related[field.name, address]

    def _parts(self, planned: Planned, described: Described) -> None:
        """Rows that belong to the object: those it has already keep their row (NODE-191)."""
        relation = str(self.resource.csv_rows)
        row = planned.row
        have = {} if planned.before is None else {str(part).lower(): part for part in getattr(row, relation).all()}
        wanted = {part.values.get(self.part_key, "").lower(): part for part in described.parts}
        for folded, described_part in wanted.items():
            part = have.pop(folded, None)
            before = None if part is None else copy.copy(part)
            if part is None:
                part = self._new_part(row)
            for name, value in described_part.values.items():
                setattr(part, name, value)
            try:
                part.clean_fields(exclude={*self._parent_of_parts})
                part.clean()
            except ValidationError as problem:
                named = [
                    dataclasses.replace(one, column=f"{prefix(relation)}{one.column}" if one.column else "")
                    for one in problems_of(described_part.line, problem)
                ]
                self.problems += named
            planned.parts.append(Written(described_part.line, part, before))
        planned.gone = list(have.values())

    @property
    def _parent_of_parts(self) -> tuple[str]:
        field: Any = orm.meta(self.resource.model).get_field(str(self.resource.csv_rows))
        return (field.field.name,)

    def _new_part(self, row: Row) -> Row:
        (parent,) = self._parent_of_parts
        part: Any = orm.meta(row).get_field(str(self.resource.csv_rows)).related_model()  # type: ignore[operator]
        setattr(part, f"{parent}_id", row.pk)
        part._state.fields_cache[parent] = row  # noqa: SLF001 - assigning wants a row that is stored
        return part

    # ---- comparing with all the others

    def _compare(self) -> None:
        """Texts that must be nobody else's, whatever their case."""
        if self.part is not None:
            gone = {row.pk for one in self.objects for row in one.gone}
            parts = [part for one in self.objects for part in one.parts]
            self._unique(self.part, self.part_key, parts, gone, f"{prefix(str(self.resource.csv_rows))}{self.part_key}")
        elif _any_case(self.resource.model, self.resource.csv_key):
            self._unique(self.resource, self.resource.csv_key, self.objects, set(), self.resource.csv_key)

    def _unique(self, resource: Resource, name: str, rows: Sequence[Written], gone: set[Any], column: str) -> None:
        field = orm.meta(resource.model).get_field(name)
        said = f"{orm.meta(resource.model).verbose_name} with this {field.verbose_name} already exists."  # type: ignore[union-attr]
        owners: dict[str, Written] = {}
        for one in rows:
            folded = getattr(one.row, name).lower()
            if folded in owners:
                self.problems.append(RowProblem(one.line, said, column))
            else:
                owners[folded] = one
        for chunk in _chunks(list(owners)):
            folded_rows = orm.rows(resource.model).annotate(folded=Lower(name)).filter(folded__in=chunk)
            for key, text in folded_rows.values_list("pk", name):
                one = owners.get(text.lower())
                if one is not None and one.row.pk != key and key not in gone:
                    self.problems.append(RowProblem(one.line, said, column))

    # ---- carrying it out

    def carry_out(self, progress: Progress = silent) -> None:
        """Write everything, or nothing: raises Rejected when somebody else was faster."""
        try:
            with transaction.atomic(), by(way=CSV), gathered():
                self._write(progress)
        except IntegrityError:
            problem = _("Somebody has changed the same objects meanwhile. Import the file again.")
            raise Rejected([RowProblem(0, problem)]) from None

    def _write(self, progress: Progress) -> None:
        total = len(self.objects)
        for row in [row for one in self.objects for row in one.gone]:
            row.delete()
        added = [one.row for one in self.objects if one.before is None]
        _create(self.resource.model, added, total, progress)
        for one in self.objects:
            _change(one, self.fields)
        (parent,) = self._parent_of_parts if self.part is not None else ("",)
        for one in self.objects:
            for part in one.parts:
                if part.before is None:
                    setattr(part.row, parent, one.row)
                else:
                    _change(part, self.part_fields)
        if self.part is not None:
            parts = [part.row for one in self.objects for part in one.parts if part.before is None]
            _create(self.part.model, parts, total, silent)


def plan(resource: Resource, reading: Reading, progress: Progress = silent) -> Plan:
    """What a file would change; reads only."""
    made = Plan(resource)
    made.fill(reading, progress)
    return made


def _create(model: type[models.Model], rows: list[Row], total: int, progress: Progress) -> None:
    for start in range(0, len(rows), _STEP):
        progress(start, total)
        chunk = orm.rows(model).bulk_create(rows[start : start + _STEP])
        for row in chunk:
            following.note_bulk(row)


def _change(one: Written, fields: Sequence[Any]) -> None:
    if one.before is None:
        return
    differing = one.differences(fields)
    if differing:
        values = {field.name: field.pre_save(one.row, add=False) for field in differing if not field.is_relation}
        values |= {field.name: getattr(one.row, field.name) for field in differing if field.is_relation}
        orm.rows(type(one.row)).filter(pk=one.row.pk).update(**values)
        following.note_bulk(one.row, one.before)


def _chunks(keys: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _any_case(model: type[models.Model], name: str) -> bool:
    """Is a field unique whatever the case?"""
    constraints: Iterable[Any] = orm.meta(model).constraints
    return any(
        isinstance(expression, Lower) and expression.get_source_expressions()[0].name == name
        for constraint in constraints
        for expression in getattr(constraint, "expressions", ())
    )
