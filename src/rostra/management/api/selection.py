"""From the query string to rows: filters, ordering and pages (management API sheet, 1.4)."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.core.validators import validate_ipv46_address
from django.db import DatabaseError, connection, models
from django.db.models import QuerySet
from django.http import QueryDict

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.configuration.secretfield import SecretField
from rostra.configuration.validation import pattern_problem
from rostra.management.api import wire
from rostra.management.api.errors import bad_request

DEFAULT_LIMIT = 20
MAXIMUM_LIMIT = 10000
OPERATORS = (
    *("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
    *("regex", "iregex", "lt", "lte", "gt", "gte", "in", "isnull", "range"),
)
_OTHER = frozenset({"limit", "offset", "order_by", "format"})
_FARTHEST = 4
"""Names in a filter: relations, then a field. Each relation multiplies the rows that are looked at."""
_NOBODY = -1
"""No row has this key."""
_ORDERED = {"lt", "lte", "gt", "gte", "range"}


def filterable(resource: Resource) -> dict[str, int]:
    """Fields lists can be filtered by: 1 for values, 2 for relations, which can be traversed."""
    every = {field.name: 2 if field.is_relation else 1 for field in resource.fields} | dict.fromkeys(
        resource.relations, 2
    )
    names = every if resource.filtering is None else resource.filtering
    secret = {field.name for field in resource.fields if isinstance(field, SecretField)}
    whole = {field.name for field in resource.fields if wire.wire_type(field) in ("list", "dict")}
    without = resource.hidden | secret | whole
    return {name: every[name] for name in names if name not in without and _shown(resource, name)}


def orderable(resource: Resource) -> list[str]:
    """Fields lists can be ordered by."""
    if resource.ordering is not None:
        return list(resource.ordering)
    return [name for name, kind in filterable(resource).items() if kind == 1]


def _shown(resource: Resource, name: str) -> bool:
    return name != "id" or resource.key == "id"


def select(resource: Resource, query: QueryDict, *, strict: bool = False) -> QuerySet[Any]:
    """The rows that pass every filter. `strict` refuses unknown names, which are ignored otherwise, as clients
    send some filters to every resource. Raises Refused (400).
    """
    rows = orm.rows(resource.model)
    conditions: list[dict[str, Any]] = []
    for name, values in query.lists():
        if name in _OTHER:
            continue
        for value in values:
            condition = _condition(resource, name.split("__"), value, strict=strict)
            if condition:
                _check(rows, name, condition)
                conditions.append(condition)
    # All at once: one after the other would combine every related row of each with all those of the others.
    rows = rows.filter(*(models.Q(**condition) for condition in conditions))
    traversed = any(path.split("__")[0] in resource.relations for condition in conditions for path in condition)
    return rows.distinct() if traversed else rows


def _check(rows: QuerySet[Any], name: str, condition: dict[str, Any]) -> None:
    try:
        rows.filter(**condition)
    except (FieldError, ValidationError, ValueError, TypeError, DatabaseError):
        raise bad_request(f"The filter {name} does not fit the field.") from None


def _condition(resource: Resource, path: list[str], value: str, *, strict: bool) -> dict[str, Any]:
    """Django's look-up for one parameter; empty when it names no field."""
    done: list[str] = []
    here = resource
    while True:
        name, *rest = path
        if name not in {field.name for field in here.fields} | set(here.relations) | {"resource_uri"}:
            if strict:
                raise bad_request(f"{here.name} has no field {name}.")
            return {}
        allowed = filterable(here).get(name)
        if allowed is None:
            raise bad_request(f"The field {name} cannot be filtered by.")
        field = orm.meta(here.model).get_field(name)
        done.append(name)
        if len(done) > _FARTHEST:
            raise bad_request(f"The filter {'__'.join(done)} leads too far.")
        if allowed == 2 and rest and rest[0] not in OPERATORS:
            here, path = wire.target(field), rest
            continue
        operator = rest[0] if rest else "exact"
        if len(rest) > 1 or operator not in OPERATORS:
            raise bad_request(f"{'__'.join(rest)} is not an operator for filters.")
        try:
            wire.check_text(value)
            return lookup("__".join(done), field, operator, value)
        except ValidationError as problem:
            raise bad_request(f"Filter {'__'.join(done)}: {problem.messages[0]}") from None


def lookup(path: str, field: Any, operator: str, value: str) -> dict[str, Any]:
    """Django's look-up for an operator and a value that is still text. Raises ValidationError."""
    if operator == "isnull" or (value in ("None", "null") and operator == "exact" and getattr(field, "null", True)):
        wanted = wire.understand(models.BooleanField(), value) if operator == "isnull" else True
        return {f"{path}__isnull": wanted}
    if operator in ("regex", "iregex"):
        problem = pattern_problem(value)
        if problem:
            raise ValidationError(problem)
    if operator in ("in", "range"):
        found = [_value(field, part) for part in value.split(",")]
        if operator == "range" and len(found) != 2:
            raise ValidationError("A range has two ends.")
        return {f"{path}__{operator}": found}
    if operator == "exact" or operator in _ORDERED:
        return {f"{path}__{operator}": _value(field, value)}
    if field.is_relation:
        raise ValidationError(f"Relations cannot be compared with {operator}.")
    return _text_lookup(path, operator, value)


def _text_lookup(path: str, operator: str, value: str) -> dict[str, Any]:
    # SQLite's LIKE takes no notice of case.
    if connection.vendor == "sqlite" and operator in ("contains", "startswith", "endswith"):
        start, end = ("^" if operator == "startswith" else ""), ("$" if operator == "endswith" else "")
        return {f"{path}__regex": f"{start}{re.escape(value)}{end}"}
    return {f"{path}__{operator}": value}


def _value(field: Any, text: str) -> Any:
    if isinstance(field, models.GenericIPAddressField):  # PostgreSQL compares these with nothing else
        validate_ipv46_address(text)
    if not field.is_relation:
        return wire.understand(field, text)
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    other = wire.target(field)
    key = wire.key_of(other, text)
    if other.key == "id":
        return int(key)
    return wire.find(other, key).values_list("pk", flat=True).first() or _NOBODY


def order(resource: Resource, rows: QuerySet[Any], query: QueryDict) -> QuerySet[Any]:
    """Sort as asked; rows that compare equal by key, so that pages never overlap."""
    allowed = orderable(resource)
    wanted = [name for name in query.getlist("order_by") if name]
    for name in wanted:
        if name.removeprefix("-") not in allowed:
            raise bad_request(f"{name.removeprefix('-')} cannot be ordered by.")
    return rows.order_by(*wanted, "pk")


def page(path: str, rows: QuerySet[Any], query: QueryDict) -> tuple[list[Any], dict[str, Any]]:
    """The wanted part of `rows`, and the envelope's `meta`. Raises Refused for malformed numbers."""
    limit, offset = window(query)
    try:
        total = rows.count()
        found = list(rows[offset : offset + limit])
    except (DatabaseError, OverflowError):
        raise bad_request("A filter does not fit its field.") from None
    return found, meta(path, query, limit, offset, total)


def window(query: QueryDict) -> tuple[int, int]:
    """How many rows are wanted, and how many to pass over. Raises Refused for malformed numbers."""
    limit = _number(query, "limit", DEFAULT_LIMIT)
    return min(limit or MAXIMUM_LIMIT, MAXIMUM_LIMIT), _number(query, "offset", 0)


def meta(path: str, query: QueryDict, limit: int, offset: int, total: int) -> dict[str, Any]:
    """The envelope's `meta` for a page of `total` rows."""

    def at(start: int) -> str:
        others = [(name, value) for name, values in query.lists() for value in values]
        kept = [pair for pair in others if pair[0] not in ("limit", "offset")]
        return f"{path}?{urllib.parse.urlencode([*kept, ('limit', limit), ('offset', start)])}"

    return {
        "limit": limit,
        "next": at(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": at(max(0, offset - limit)) if offset > 0 else None,
        "total_count": total,
    }


def _number(query: QueryDict, name: str, default: int) -> int:
    text = query.get(name, "")
    if text == "":
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise bad_request(f"{name} has to be a number, 0 or more.")
    return int(text)
