"""The rows of replicated tables in the form a node's SQLite keeps them, whichever engine they come from.

What a snapshot is made of, and what checksums of two databases are taken from. Read past the ORM: a snapshot of
hundreds of thousands of rows has no time for objects.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol

import msgspec
from django.db import connection, models

from rostra.configuration import orm

PAGE = 5000
"""Rows read at a time."""

Values = tuple[Any, ...]

_POSTGRESQL = {
    "timestamp with time zone": "replace(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '.000000', '')",
    "boolean": "{}::int",
    "jsonb": "{}::text",
    "inet": "host({})",
    "uuid": "replace({}::text, '-', '')",
    "date": "{}::text",
    "time": "{}::text",
}


class Cursor(Protocol):
    """What SQLite's and Django's cursors have in common."""

    def execute(self, statement: str, parameters: Any = ..., /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


def columns(table: type[models.Model]) -> list[str]:
    """Names of the columns in the order of the model."""
    return [field.column for field in orm.meta(table).concrete_fields]


def read(table: type[models.Model], after: int, limit: int) -> list[Values]:
    """Rows of the Management Node's database with keys above `after`, by key; values in the order of `columns`."""
    with connection.cursor() as cursor:
        cursor.execute(statement(table, connection), [after, limit])
        return cursor.fetchall()


def statement(table: type[models.Model], database: Any = None) -> str:
    """Selects a page of rows; parameters are the key before it and how many. No `database`: a node's own."""
    meta = orm.meta(table)
    mark = "?" if database is None else "%s"
    chosen = ", ".join(_expression(field, database) for field in meta.concrete_fields)
    return (
        f'SELECT {chosen} FROM "{meta.db_table}" WHERE "{meta.pk.column}" > {mark} '  # noqa: S608 - names of our own
        f'ORDER BY "{meta.pk.column}" LIMIT {mark}'
    )


def _expression(field: Any, database: Any) -> str:
    name = f'"{field.column}"'
    if database is not None and database.vendor == "postgresql":
        return _POSTGRESQL.get(field.db_type(database), "{}").format(name)
    return f"+{name}"  # an expression: Django's converters for columns leave it as it is kept


def pages(table: type[models.Model], cursor: Cursor | None = None) -> Iterator[list[Values]]:
    """Every row, a page at a time: of the Management Node's database, or through `cursor` of a node's own."""
    key = columns(table).index(orm.meta(table).pk.column)
    after = -(2**63)
    while True:
        if cursor is None:
            rows = read(table, after, PAGE)
        else:
            cursor.execute(statement(table), (after, PAGE))
            rows = [tuple(row) for row in cursor.fetchall()]
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1][key]


def checksum(tables: Mapping[str, type[models.Model]], cursor: Cursor | None = None) -> str:
    """One number for all rows of `tables`, equal for databases that hold the same; `cursor` as of `pages`."""
    digest = hashlib.sha256()
    for name, table in sorted(tables.items()):
        digest.update(msgspec.json.encode([name, columns(table)]))
        written = bool(_json_columns(table))
        for rows in pages(table, cursor):
            digest.update(msgspec.json.encode([canonical(table, row) for row in rows] if written else rows))
    return digest.hexdigest()


def canonical(table: type[models.Model], row: Values) -> Values:
    """The row with the JSON in it in one spelling: engines write it differently."""
    found = list(row)
    for index in _json_columns(table):
        if found[index] is not None:
            found[index] = msgspec.json.encode(msgspec.json.decode(found[index]), order="deterministic").decode()
    return tuple(found)


@functools.cache
def _json_columns(table: type[models.Model]) -> list[int]:
    fields = orm.meta(table).concrete_fields
    return [index for index, field in enumerate(fields) if isinstance(field, models.JSONField)]


def folded(rows: Sequence[Values]) -> list[Values]:
    """`rows` by column; one that has the same value in all of them is that value alone: most settings are defaults."""
    return [column[:1] if column.count(column[0]) == len(column) else column for column in zip(*rows, strict=True)]


def unfolded(values: Sequence[Sequence[Any]], count: int) -> Iterator[Values]:
    """The `count` rows that `folded` was given."""
    return zip(*(column if len(column) == count else repeat(column[0], count) for column in values), strict=True)
