"""Rows that are there only now: filters and ordering with the meaning they have for rows of a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import regex
from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration.validation import pattern_problem
from rostra.management import expressions
from rostra.management.api import wire
from rostra.management.api.errors import bad_request
from rostra.management.api.tables import Column, Filter, Row, key_of

_FIELDS: dict[str, models.Field[Any, Any]] = {
    "string": models.TextField(null=True),
    "boolean": models.BooleanField(null=True),
    "integer": models.IntegerField(null=True),
    "float": models.FloatField(null=True),
    "datetime": models.DateTimeField(null=True),
    "related": models.TextField(null=True),
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "iexact": lambda text, wanted: text.lower() == wanted.lower(),
    "contains": lambda text, wanted: wanted in text,
    "icontains": lambda text, wanted: wanted.lower() in text.lower(),
    "startswith": lambda text, wanted: text.startswith(wanted),
    "istartswith": lambda text, wanted: text.lower().startswith(wanted.lower()),
    "endswith": lambda text, wanted: text.endswith(wanted),
    "iendswith": lambda text, wanted: text.lower().endswith(wanted.lower()),
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "exact": lambda value, wanted: value == wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
}

Test = Callable[[Any], bool]


def understand(column: Column, text: str) -> Any:
    """The value a client means. Raises ValidationError."""
    if column.type == "related":
        return key_of(text)
    if column.type == "float":
        try:
            return float(text)
        except ValueError:
            raise ValidationError("Enter a number.") from None
    return wire.understand(_FIELDS[column.type], text)


def test(condition: Filter) -> Test:
    """Does a value pass? Raises Refused for an operator or value that does not fit."""
    try:
        wire.check_text(condition.value)
        return _test(condition.column, condition.operator, condition.value)
    except ValidationError as problem:
        raise bad_request(f"Filter {condition.column.name}: {problem.messages[0]}") from None


def _test(column: Column, operator: str, text: str) -> Test:
    if operator == "isnull":
        wanted = wire.understand(_FIELDS["boolean"], text)
        return lambda value: (value is None) == wanted
    if operator == "exact" and text in ("None", "null"):
        return lambda value: value is None
    if operator in ("in", "range"):
        parts = [understand(column, part) for part in text.split(",")]
        if operator == "in":
            return lambda value: value in parts
        if len(parts) != 2:
            raise ValidationError("A range has two ends.")
        return lambda value: value is not None and parts[0] <= value <= parts[1]
    if operator in ("regex", "iregex"):
        problem = pattern_problem(text)
        if problem:
            raise ValidationError(problem)
        pattern = f"(?i){text}" if operator == "iregex" else text
        return lambda value: value is not None and _matches(pattern, _plain(value))
    if operator in _ORDER:
        compare, meant = _ORDER[operator], understand(column, text)
        return lambda value: value is not None and compare(value, meant)
    find = _TEXT[operator]
    return lambda value: value is not None and find(_plain(value), text)


def _matches(pattern: str, text: str) -> bool:
    try:
        return expressions.search(pattern, text)
    except (expressions.TooSlow, regex.error):
        raise bad_request("The regular expression takes too long.") from None


def _plain(value: Any) -> str:
    return wire.moment(value) if hasattr(value, "astimezone") else str(value)


class MemorySource:
    """Serves what `rows` returns at each request."""

    def __init__(self, rows: Callable[[], Sequence[Row]], key: str = "id") -> None:
        self._rows = rows
        self._key = key

    def page(self, filters: Sequence[Filter], order: Sequence[str], offset: int, limit: int) -> tuple[list[Row], int]:
        tests = [(condition.column.name, test(condition)) for condition in filters]
        found = [row for row in self._rows() if all(passes(row[name]) for name, passes in tests)]
        found.sort(key=lambda row: str(row[self._key]).zfill(20))
        for name in reversed(order):
            plain = name.removeprefix("-")
            found.sort(key=lambda row: _sortable(row[plain]), reverse=name.startswith("-"))
        return found[offset : offset + limit], len(found)

    def one(self, key: str) -> Row | None:
        return next((row for row in self._rows() if str(row[self._key]) == key), None)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)
