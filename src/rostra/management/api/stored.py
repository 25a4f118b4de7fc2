"""Rows of a Django model as a source of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, models
from django.db.models import QuerySet

from rostra.configuration import orm
from rostra.management.api import memory, selection, wire
from rostra.management.api.errors import bad_request
from rostra.management.api.tables import Filter, Row, key_of

_RELATED = models.TextField(null=True)


class ModelSource:
    """Serves what `rows` selects; `represent` makes a row of the wire of one of the model.

    `constants`: columns that the model does not have, with the one value they always have.
    """

    def __init__(
        self,
        rows: Callable[[], QuerySet[Any]],
        represent: Callable[[Any], Row],
        order: str,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        self._rows = rows
        self._represent = represent
        self._order = order
        self._constants = constants or {}

    def page(self, filters: Sequence[Filter], order: Sequence[str], offset: int, limit: int) -> tuple[list[Row], int]:
        rows = self._rows()
        for condition in filters:
            name = condition.column.name
            if name not in self._constants:
                rows = _where(rows, condition)
            elif not memory.test(condition)(self._constants[name]):
                rows = rows.none()
        order = [name for name in order if name.removeprefix("-") not in self._constants]
        rows = rows.order_by(*(order or (self._order,)), "pk")
        try:
            total = rows.count()
            return [self._represent(row) for row in rows[offset : offset + limit]], total
        except (DatabaseError, OverflowError):
            raise bad_request("A filter does not fit its field.") from None

    def one(self, key: str) -> Row | None:
        try:
            row = self._rows().filter(pk=key).first()
        except (ValueError, OverflowError):  # no key of this table
            return None
        return None if row is None else self._represent(row)


def _where(rows: QuerySet[Any], condition: Filter) -> QuerySet[Any]:
    name, value = condition.column.name, condition.value
    field: Any = orm.meta(rows.model).get_field(name)
    if condition.column.type == "related":
        name, field = f"{name}_id", _RELATED
        value = ",".join(key_of(part) for part in value.split(","))
    try:
        wire.check_text(value)
        return rows.filter(**selection.lookup(name, field, condition.operator, value))
    except ValidationError as problem:
        raise bad_request(f"Filter {name}: {problem.messages[0]}") from None
    except (FieldError, ValueError, TypeError, DatabaseError):
        raise bad_request(f"The filter {name} does not fit the field.") from None
