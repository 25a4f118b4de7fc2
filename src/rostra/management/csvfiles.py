"""CSV files of services, in the form of the specification's sheet 03 (NODE-179...NODE-197), from the register.

One row per element of the resource's row relation (an alias), repeating the rest. A file is imported whole or,
with one error or more, not at all.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpResponse

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource
from rostra.management import csvpairs
from rostra.management.api import wire
from rostra.management.api.errors import messages
from rostra.management.api.writing import write
from rostra.management.audit.actor import CSV, by
from rostra.management.audit.noting import gathered

_PER_KBIT = 1000
_RATES = ("max_callrate_in", "max_callrate_out")
"""Files have bit/s where the API has kbit/s (sheet 10, open point 4)."""
_RATE_RANGE = range(384000, 4096001)


@dataclasses.dataclass(frozen=True)
class RowProblem:
    """What is wrong with a row of a file; `line` counts from 1."""

    line: int
    message: str


_Objects = dict[tuple[str, str], tuple[int, dict[str, Any]]]
"""By key, and place where a row has one: the line and the object."""


class Rejected(Exception):
    """Nothing of the file was imported."""

    def __init__(self, problems: list[RowProblem]) -> None:
        super().__init__(f"{len(problems)} rows cannot be imported")
        self.problems = problems


def columns(resource: Resource) -> list[str]:
    """Names of the columns in their fixed order."""
    if resource.csv is not None:
        return list(resource.csv)
    return [field.name for field in resource.fields if not wire.is_read_only(field)]


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
    fields = dict(_fields(resource, names))
    named = {field.name for field in fields.values() if field.is_relation}
    found = found.order_by("pk").select_related(*named) if named else found.order_by("pk")
    for row in found.prefetch_related(*([relation] if relation else [])):
        for part in (getattr(row, relation).all() if relation else ()) or (None,):
            writer.writerow([_cell(resource, row, part, name, fields.get(name)) for name in names])
    return text.getvalue()


def response(resource: Resource, rows: Any = None) -> HttpResponse:
    """A download of `rows` (default: all)."""
    return HttpResponse(
        export(resource, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{resource.name}.csv"'},
    )


def load(resource: Resource, content: bytes) -> int:
    """Import a file; returns how many objects it created or overwrote. Raises Rejected."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Rejected([RowProblem(1, f"This is not CSV in UTF-8: {problem}")]) from None
    names = columns(resource)
    start = 0
    if lines and _is_header(lines[0], resource, names):
        known = {*names, *(field.name for field in resource.fields if wire.is_read_only(field))}
        unknown = [name for name in lines[0] if name not in known]
        if unknown:
            raise Rejected([RowProblem(1, f"There is no column {', '.join(unknown)}.")])
        names, start = lines[0], 1
    problems: list[RowProblem] = []
    objects: _Objects = {}
    for number, cells in enumerate(lines[start:], start + 1):
        if not any(cells):
            continue
        try:
            _take(resource, names, cells, number, objects)
        except ValidationError as problem:
            problems.append(RowProblem(number, _sentence(problem)))
    with transaction.atomic(), by(way=CSV), gathered():
        for (_, where), (number, body) in objects.items():
            try:
                with transaction.atomic():
                    if resource.csv_each:
                        csvpairs.store(resource, body, csvpairs.place(resource, where), _listed(resource))
                    else:
                        _store(resource, body)
            except ValidationError as problem:
                problems.append(RowProblem(number, _sentence(problem)))
        if problems:
            raise Rejected(sorted(problems, key=lambda problem: problem.line))
    return len(objects)


def _is_header(cells: list[str], resource: Resource, names: list[str]) -> bool:
    """Whether a first line names columns, perhaps with a mistake: the key's, and most others."""
    known = sum(cell in names for cell in cells)
    return resource.csv_key in cells and 2 * known > len(cells)


def _take(
    resource: Resource,
    names: list[str],
    cells: list[str],
    number: int,
    objects: _Objects,
) -> None:
    """Read a row into `objects`: rows with one key make one object, with the values of the last (NODE-192)."""
    if len(cells) > len(names):
        raise ValidationError(f"There are {len(cells)} columns; {len(names)} are known.")
    values = dict(zip(names, (cell.strip() for cell in cells), strict=False))
    key = values.get(resource.csv_key, "")
    if not key:
        raise ValidationError({resource.csv_key: "This field cannot be blank."})
    body: dict[str, Any] = {}
    problems = _unknown_names(resource, values)
    for column, field in _fields(resource, names):
        try:
            value = _value(field, values.get(column, ""))
        except ValidationError as problem:
            problems[column] = list(map(str, problem.messages))
            continue
        if value is not None:
            body[field.name] = value
    if problems:
        raise ValidationError(problems)
    where = values.get(csvpairs.column(resource), "") if resource.csv_each else ""
    if resource.csv_rows:
        earlier = objects[key, where][1][resource.csv_rows] if (key, where) in objects else []
        body[resource.csv_rows] = [*earlier, *_part(resource.csv_rows, names, values)]
    objects[key, where] = (number, body)


def _unknown_names(resource: Resource, values: dict[str, str]) -> dict[str, list[str]]:
    """Columns that name an object of a kind this system does not have have to be blank."""
    known = {column for column, _ in _fields(resource, list(values))} | {csvpairs.column(resource)}
    read_only = {field.name for field in resource.fields if wire.is_read_only(field)}
    return {
        name: [f"There is nothing named {value}."]
        for name, value in values.items()
        if value and name not in known | read_only and not _is_part(resource, name)
    }


def _is_part(resource: Resource, name: str) -> bool:
    return resource.csv_rows is not None and name.startswith(_prefix(resource.csv_rows))


def _fields(resource: Resource, names: list[str]) -> Iterator[tuple[str, Any]]:
    """Columns and the fields they hold; that of a relation may be called `<field>_name`."""
    for field in resource.fields:
        for column in (field.name, f"{field.name}_name") if field.is_relation else (field.name,):
            if column in names and not wire.is_read_only(field) and not isinstance(field, UploadField):
                yield column, field


def _listed(resource: Resource) -> list[Any]:
    """Fields that a file of this resource can give."""
    return [field for _, field in _fields(resource, columns(resource))]


def _part(relation: str, names: list[str], values: dict[str, str]) -> list[dict[str, str]]:
    """The element of the row relation in this row: columns `alias_alias`, `alias_description`."""
    prefix = _prefix(relation)
    part = {name.removeprefix(prefix): values.get(name, "") for name in names if name.startswith(prefix)}
    return [part] if any(part.values()) else []


def _prefix(relation: str) -> str:
    return relation.removesuffix("es") + "_"


def _value(field: Any, text: str) -> Any:
    """The value of a cell; None for a blank one, which means the default (NODE-182)."""
    if text == "":
        return None
    if field.is_relation:
        found = orm.rows(field.related_model).filter(**{wire.target(field).csv_key: text}).first()
        if found is None:
            raise ValidationError(f"There is no {orm.meta(field.related_model).verbose_name} named {text}.")
        return wire.uri(wire.target(field), found)
    value = wire.understand(field, text)
    if field.name in _RATES:
        if value not in _RATE_RANGE:
            raise ValidationError("Use 384000 to 4096000 bit/s.")
        return value // _PER_KBIT
    return value


def _store(resource: Resource, body: dict[str, Any]) -> None:
    row = orm.rows(resource.model).filter(**{resource.csv_key: body[resource.csv_key]}).first()
    own = dict(body)
    if resource.csv_only:
        field, value = resource.csv_only
        if row is not None and getattr(row, field) != value:
            raise ValidationError(f"{row} exists already and is of another kind.")
        own[field] = value
    relation = resource.csv_rows
    if row is not None and relation:
        # An alias the service has already keeps its row.
        known = {
            str(part).lower(): wire.uri(wire.related(resource, relation), part) for part in getattr(row, relation).all()
        }
        for part in own[relation]:
            address = known.get(part[_prefix(relation).rstrip("_")].lower())
            part.update({"resource_uri": address} if address else {})
    listed = {field.name for field in _listed(resource)}
    if row is not None:  # what the file has a column for and leaves blank goes back to its default (NODE-193)
        for field in resource.fields:
            left_out = field.name in listed and field.name not in own and field.name not in resource.fixed
            if left_out and not wire.is_read_only(field):
                setattr(row, field.attname, field.get_default())
    write(resource, row or resource.model(), own)


def _cell(resource: Resource, row: models.Model, part: Any, name: str, field: Any) -> str:
    """What a column says of a row; `field` is what it holds, None for one that is about `part`."""
    if field is not None:
        value = getattr(row, field.name)
        if value is not None and field.is_relation:
            value = getattr(value, wire.target(field).csv_key)
        elif value is not None and name in _RATES:
            value = min(max(value * _PER_KBIT, _RATE_RANGE.start), _RATE_RANGE.stop - 1)
    elif part is None:
        value = None
    elif resource.csv_rows and _is_part(resource, name):
        value = getattr(part, name.removeprefix(_prefix(resource.csv_rows)))
    else:  # the place of an object, or a relation this system does not have
        value = str(part) if resource.csv_each and name == csvpairs.column(resource) else None
    return "" if value is None else str(value)


def _sentence(problem: ValidationError) -> str:
    return "; ".join(
        text if name == "__all__" else f"{name}: {text}" for name, texts in messages(problem).items() for text in texts
    )
