"""A table over HTTP: lists, single objects, sub-resources and the schema (sheet 10, 1.3-1.7 and 3)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from rostra.management.api import selection, wire
from rostra.management.api.errors import Refused, bad_request, respond
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Filter, Row, Source, Table, plain, uri


def read_list(request: HttpRequest, table: Table) -> HttpResponse:
    """A page of the table."""
    _check_method(request, ["get"])
    found = _page(request, table, table.columns, table.source)
    return respond({"meta": found[1], "objects": [represent(table, row) for row in found[0]]})


def read_one(request: HttpRequest, table: Table, key: str) -> HttpResponse:
    """A row, or its deletion where the table allows that."""
    _check_method(request, detail_methods(table))
    if request.method == "DELETE":
        if not getattr(request, "user", None) or not request.user.has_perm(table.permission):  # type: ignore[union-attr]
            raise Refused(403, {"error": "This account may not do that."})
        if table.delete is None or not table.delete(key):
            raise Refused(404)
        return respond(None, 204)
    return respond(represent(table, _row(table, key)))


def read_children(request: HttpRequest, table: Table, key: str, child: str) -> HttpResponse:
    """What belongs to a row, as a list of its own."""
    _check_method(request, ["get"])
    if child not in table.children:
        raise Refused(404)
    columns, children = table.children[child]
    rows = children(_row(table, key))
    found, meta = _page(request, table, columns, MemorySource(lambda: rows, key=columns[0].name))
    return respond({"meta": meta, "objects": [_plain(table, columns, row) for row in found]})


def read_schema(request: HttpRequest, table: Table) -> HttpResponse:
    """The schema resource."""
    _check_method(request, ["get"])
    return respond(describe(table))


def represent(table: Table, row: Row) -> dict[str, Any]:
    """A row as a client reads it."""
    body = _plain(table, table.columns, row)
    if table.addressed:
        body["resource_uri"] = uri(table.api, table.name, row["id"])
    return body


def describe(table: Table) -> dict[str, Any]:
    """The body of the schema resource."""
    fields = {column.name: _field(column) for column in table.columns}
    if table.addressed:
        fields["resource_uri"] = _field(Column("resource_uri", "string", "Address of this object."))
    return {
        "allowed_detail_http_methods": detail_methods(table),
        "allowed_list_http_methods": ["get"],
        "default_format": "application/json",
        "default_limit": selection.DEFAULT_LIMIT,
        "fields": fields,
        "filtering": dict.fromkeys(table.filterable, 1),
        "ordering": list(table.orderable),
    }


def detail_methods(table: Table) -> list[str]:
    return ["get", "delete"] if table.delete else ["get"]


def filters(table: Table, columns: Iterable[Column], query: QueryDict) -> list[Filter]:
    """The conditions of a query string. Names that are no columns are ignored, as clients send some everywhere.

    Raises Refused for a column that cannot be filtered by and an operator there is not.
    """
    known = {column.name: column for column in columns}
    found: list[Filter] = []
    for parameter, values in query.lists():
        name, _, operator = parameter.partition("__")
        column = known.get(name)
        if column is None:
            continue
        if column.type in ("list", "many") or (column in table.columns and name not in table.filterable):
            raise bad_request(f"The field {name} cannot be filtered by.")
        if (operator or "exact") not in selection.OPERATORS:
            raise bad_request(f"{operator} is not an operator for filters.")
        found += [Filter(column, operator or "exact", value) for value in values]
    return found


def _page(
    request: HttpRequest, table: Table, columns: tuple[Column, ...], source: Source
) -> tuple[list[Row], dict[str, Any]]:
    query = request.GET
    order = [name for name in query.getlist("order_by") if name]
    allowed = table.orderable if columns is table.columns else plain(columns)
    for name in order:
        if name.removeprefix("-") not in allowed:
            raise bad_request(f"{name.removeprefix('-')} cannot be ordered by.")
    limit, offset = selection.window(query)
    usual = table.default_order if columns is table.columns else ()
    rows, total = source.page(filters(table, columns, query), order or usual, offset, limit)
    return rows, selection.meta(request.path, query, limit, offset, total)


def _row(table: Table, key: str) -> Row:
    row = table.source.one(key)
    if row is None:
        raise Refused(404)
    return row


def _plain(table: Table, columns: Iterable[Column], row: Row) -> dict[str, Any]:
    return {column.name: _value(table, column, row[column.name]) for column in columns}


def _value(table: Table, column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type == "related":
        return uri(table.api, column.target, value)
    if column.type == "many":
        return [uri(table.api, column.target, key) for key in value]
    return wire.moment(value) if isinstance(value, datetime.datetime) else value


def _field(column: Column) -> dict[str, Any]:
    related = column.type in ("related", "many")
    body: dict[str, Any] = {
        "blank": True,
        "help_text": column.help,
        "nullable": True,
        "readonly": True,
        "type": "related" if related else column.type,
        "unique": column.name in ("id", "resource_uri"),
    }
    if related:
        body["related_type"] = "to_many" if column.type == "many" else "to_one"
    return body


def _check_method(request: HttpRequest, allowed: list[str]) -> None:
    method = "get" if request.method == "HEAD" else (request.method or "").lower()
    if method not in allowed:
        raise Refused(405, None, Allow=", ".join(name.upper() for name in allowed))
