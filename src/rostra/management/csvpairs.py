"""CSV rows that stand for an object in one of its places: a participant and the service that dials it (NODE-198…204).

The objects of a file's rows are put together again: places whose other columns say the same share an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.management.api import wire
from rostra.management.api.writing import write


class Pair(NamedTuple):
    """What is known about a row's object before it is stored."""

    keeps: models.Model | None
    """An object that says the same and has the place, or gets it."""
    overwrites: models.Model | None
    """The object that has only this place."""
    holds: bool
    """It has the place already."""
    leaves: list[models.Model]
    """Objects that lose the place and keep others."""


def column(resource: Resource) -> str:
    """Name of the column with the place."""
    return f"{resource.csv_each}_name"


def place(resource: Resource, name: str) -> models.Model | None:
    """The place named in a row; None for none. Raises ValidationError for an unknown one."""
    if not name:
        return None
    field = orm.meta(resource.model).get_field(resource.csv_each)
    other = wire.target(field)
    found = orm.rows(other.model).complex_filter(field.get_limit_choices_to()).filter(**{other.csv_key: name}).first()
    if found is None:
        raise ValidationError(
            {column(resource): gettext("There is nothing named %(name)s that could be chosen here.") % {"name": name}}
        )
    return found


def store(resource: Resource, body: Mapping[str, Any], where: models.Model | None, fields: list[Any]) -> str:
    """Give `where` the object that `body` describes; `fields` are those a file can give. Raises ValidationError.

    Returns what became of it: created, changed or unchanged.
    """
    relation = str(resource.csv_each)
    pair = _sort(resource, body, where, fields)
    for row in pair.leaves:
        getattr(row, relation).remove(where)
    if pair.keeps is not None:
        if where is not None:
            getattr(pair.keeps, relation).add(where)
        same = pair.holds and not pair.leaves
        if pair.overwrites is not None and pair.overwrites.pk != pair.keeps.pk:
            pair.overwrites.delete()
            same = False
        return "unchanged" if same else "changed"
    row = pair.overwrites or resource.model()
    for field in fields:
        if field.name not in body:
            setattr(row, field.attname, field.get_default())
    write(resource, row, body)
    if where is not None:
        getattr(row, relation).add(where)
    return "created" if pair.overwrites is None else "changed"


def _sort(resource: Resource, body: Mapping[str, Any], where: models.Model | None, fields: list[Any]) -> Pair:
    rows = orm.rows(resource.model).filter(**{resource.csv_key: body[resource.csv_key]}).order_by("pk")
    places = {row: {other.pk for other in getattr(row, str(resource.csv_each)).all()} for row in rows}
    holders = [row for row, found in places.items() if (where.pk in found if where is not None else not found)]
    same = [row for row, found in places.items() if (found or where is None) and _says(row, body, fields)]
    keeps = next((row for row in holders if row in same), None)
    if keeps is None and where is not None:
        keeps = next(iter(same), None)
    others = [row for row in holders if row != keeps]
    alone = [row for row in others if len(places[row]) <= 1]
    held = keeps in holders
    return Pair(keeps, alone[0] if alone else None, held, [row for row in others if row not in alone])


def _says(row: models.Model, body: Mapping[str, Any], fields: list[Any]) -> bool:
    return all(getattr(row, field.attname) == _value(field, body) for field in fields)


def _value(field: Any, body: Mapping[str, Any]) -> Any:
    value = body.get(field.name, field.get_default())
    if field.is_relation and isinstance(value, str):
        other = wire.target(field)
        return wire.find(other, wire.key_of(other, value)).values_list("pk", flat=True).first()
    return value
