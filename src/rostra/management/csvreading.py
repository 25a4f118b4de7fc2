"""From the bytes of a CSV file to the objects it describes, with everything that is wrong with it."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource
from rostra.configuration.secretfield import SecretField
from rostra.management import csvpairs
from rostra.management.api import wire
from rostra.management.api.errors import messages

LARGEST = 50 * 1024 * 1024
"""Bytes of a file that can be imported."""
MOST_ROWS = 200_000
"""Rows of a file that can be imported."""
MOST_PROBLEMS = 1000
"""Problems after which a file is read no further."""
RATES = ("max_callrate_in", "max_callrate_out")
"""Files have bit/s where the API has kbit/s (sheet 10, open point 4)."""
RATE_RANGE = range(384000, 4096001)
PER_KBIT = 1000

Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


def silent(_done: int, _total: int) -> None:
    """Nobody wants to know."""


@dataclasses.dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row of a file."""

    line: int
    """Counted from 1; 0 when it is not one of them."""
    message: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.column}: {self.message}" if self.column else self.message


class Rejected(Exception):
    """Nothing of the file was imported."""

    def __init__(self, problems: list[RowProblem]) -> None:
        super().__init__(f"{len(problems)} rows cannot be imported")
        self.problems = sorted(problems, key=lambda problem: problem.line)


@dataclasses.dataclass(slots=True)
class Part:
    """An element of the row relation: an alias."""

    line: int
    values: dict[str, str]


@dataclasses.dataclass(slots=True)
class Described:
    """An object of a file."""

    line: int
    """Of its last row."""
    body: dict[str, Any]
    """Values as the API takes them; what is blank is left out."""
    place: str = ""
    """Where a row has one (`conference_name`)."""
    parts: list[Part] = dataclasses.field(default_factory=list[Part])


@dataclasses.dataclass(slots=True)
class Reading:
    """What a file says."""

    objects: dict[tuple[str, str], Described] = dataclasses.field(default_factory=dict[Any, Any])
    """By key and place."""
    problems: list[RowProblem] = dataclasses.field(default_factory=list[RowProblem])


def columns(resource: Resource) -> list[str]:
    """Names of the columns in their fixed order; secrets are among them only where that order has them (NODE-207).

    A file may name others in its header.
    """
    if resource.csv is not None:
        return list(resource.csv)
    return [field.name for field in resource.fields if not (wire.is_read_only(field) or is_secret(resource, field))]


def is_secret(resource: Resource, field: Any) -> bool:
    """Does nobody read what a field holds?"""
    return isinstance(field, SecretField) or field.name in resource.write_only


def fields(resource: Resource, names: list[str]) -> Iterator[tuple[str, Any]]:
    """Columns and the fields they hold; that of a relation may be called `<field>_name`."""
    for field in resource.fields:
        for column in (field.name, f"{field.name}_name") if field.is_relation else (field.name,):
            if column in names and not wire.is_read_only(field) and not isinstance(field, UploadField):
                yield column, field


def listed(resource: Resource) -> list[Any]:
    """Fields that a file of this resource can give."""
    return [field for _column, field in fields(resource, columns(resource))]


def prefix(relation: str) -> str:
    """Of the columns about an element of the row relation: `alias_`."""
    return relation.removesuffix("es") + "_"


def is_part(resource: Resource, name: str) -> bool:
    """Is a column about an element of the row relation?"""
    return resource.csv_rows is not None and name.startswith(prefix(resource.csv_rows))


def default(resource: Resource, field: Any) -> Any:
    """What a blank cell means."""
    return resource.csv_defaults.get(field.name, field.get_default())


def problems_of(line: int, problem: ValidationError) -> list[RowProblem]:
    """A problem for each column."""
    return [
        RowProblem(line, text, "" if name == "__all__" else name)
        for name, texts in messages(problem).items()
        for text in texts
    ]


def read(resource: Resource, content: bytes, progress: Progress = silent) -> Reading:
    """The objects of a file. Never raises for what the file says."""
    reading = Reading()
    if len(content) > LARGEST:
        limit = LARGEST // (1024 * 1024)
        reading.problems.append(RowProblem(0, _("The file is larger than %(limit)d MB.") % {"limit": limit}))
        return reading
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        reading.problems.append(RowProblem(line, _("This is not text in UTF-8. Save the file in that encoding.")))
        return reading
    _Reader(resource, reading, progress).run(text)
    return reading


class _Reader:
    def __init__(self, resource: Resource, reading: Reading, progress: Progress) -> None:
        self._resource = resource
        self._reading = reading
        self._progress = progress
        self._names = columns(resource)
        self._fields: list[tuple[str, Any]] = []
        self._related: dict[tuple[str, str], str | None] = {}

    def run(self, text: str) -> None:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        total = text.count("\n") + 1
        count, line, begun = 0, 1, False
        try:
            for cells in rows:
                if any(cells) and not (not begun and self._is_header(cells, line)):
                    count += 1
                    self._row(cells, line)
                begun = begun or any(cells)
                line = rows.line_num + 1
                if count % 500 == 0:
                    self._progress(line, total)
                if count > MOST_ROWS:
                    limit = _("The file has more than %(limit)d rows.") % {"limit": MOST_ROWS}
                    self._reading.problems.append(RowProblem(line, limit))
                if count > MOST_ROWS or len(self._reading.problems) >= MOST_PROBLEMS:
                    return
        except csv.Error as problem:
            self._reading.problems.append(RowProblem(line, _("This is not CSV: %(why)s.") % {"why": problem}))

    def _is_header(self, cells: list[str], line: int) -> bool:
        """Whether a first line names columns, perhaps with a mistake: the key's, and most others. Takes it if so."""
        known = sum(cell in self._names for cell in cells)
        if self._resource.csv_key not in cells or 2 * known <= len(cells):
            return False
        resource = self._resource
        also = (f.name for f in resource.fields if wire.is_read_only(f) or is_secret(resource, f))
        every = {*self._names, *also}
        for name in cells:
            if name not in every:
                self._reading.problems.append(RowProblem(line, _("There is no such column."), name[:100]))
        self._names = cells
        self._fields = []
        return True

    def _row(self, cells: list[str], line: int) -> None:
        try:
            self._take(cells, line)
        except ValidationError as problem:
            self._reading.problems += problems_of(line, problem)

    def _take(self, cells: list[str], line: int) -> None:
        """Rows with one key make one object, with the values of the last (NODE-192)."""
        resource, names = self._resource, self._names
        if len(cells) > len(names):
            told = {"count": len(cells), "known": len(names)}
            raise ValidationError(_("There are %(count)d columns; %(known)d are known.") % told)
        self._fields = self._fields or list(fields(resource, names))
        values = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        key = values.get(resource.csv_key, "")
        if not key:
            raise ValidationError({resource.csv_key: _("This field cannot be blank.")})
        body: dict[str, Any] = {}
        problems = self._unknown(values)
        for column, field in self._fields:
            text = values.get(column, "")
            if text == "":  # the default (NODE-182)
                continue
            try:
                body[field.name] = self._value(field, text)
            except ValidationError as problem:
                problems[column] = list(map(str, problem.messages))
        if problems:
            raise ValidationError(problems)  # type: ignore[arg-type] - by name, as Django's forms do
        place = values.get(csvpairs.column(resource), "") if resource.csv_each else ""
        described = Described(line, body, place)
        earlier = self._reading.objects.get((key, place))
        if resource.csv_rows:
            described.parts = [*(earlier.parts if earlier else []), *self._parts(values, line)]
        self._reading.objects[key, place] = described

    def _parts(self, values: dict[str, str], line: int) -> list[Part]:
        beginning = prefix(str(self._resource.csv_rows))
        found = {name.removeprefix(beginning): value for name, value in values.items() if name.startswith(beginning)}
        return [Part(line, found)] if any(found.values()) else []

    def _unknown(self, values: dict[str, str]) -> dict[str, list[str]]:
        """Columns that name an object of a kind this system does not have have to be blank."""
        known = {column for column, _field in self._fields} | {csvpairs.column(self._resource)}
        read_only = {field.name for field in self._resource.fields if wire.is_read_only(field)}
        return {
            name: [_("There is nothing named %(name)s.") % {"name": value}]
            for name, value in values.items()
            if value and name not in known | read_only and not is_part(self._resource, name)
        }

    def _value(self, field: Any, text: str) -> Any:
        if field.is_relation:
            return self._address(field, text)
        value = wire.understand(field, text)
        if field.name in RATES:
            if value not in RATE_RANGE:
                raise ValidationError(_("Use 384000 to 4096000 bit/s."))
            return value // PER_KBIT
        return value

    def _address(self, field: Any, text: str) -> str:
        """Address of what is named; looked up once for each name."""
        if (field.name, text) not in self._related:
            other = wire.target(field)
            found = orm.rows(other.model).filter(**{other.csv_key: text}).first()
            self._related[field.name, text] = None if found is None else wire.uri(other, found)
        address = self._related[field.name, text]
        if address is None:
            kind = orm.meta(field.related_model).verbose_name
            raise ValidationError(_("There is no %(kind)s named %(name)s.") % {"kind": kind, "name": text})
        return address
