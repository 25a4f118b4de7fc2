"""Values on the wire: from fields of a row to JSON and back."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime

from rostra.configuration import orm
from rostra.configuration.resources import Resource, register

BASE = "/api/admin/configuration/v1/"
_URI = re.compile(r"(?:https?://[^/]+)?" + re.escape(BASE) + r"(?P<name>[a-z0-9_]+)/(?P<key>[0-9]{1,18})/?")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


def uri(resource: Resource, key: object) -> str:
    """Address of a row."""
    return f"{BASE}{resource.name}/{key}/"


def key_of(resource: Resource, value: str) -> int:
    """The key in the address of one of `resource`'s rows. Raises ValidationError for anything else."""
    match = _URI.fullmatch(value)
    if match is None or match["name"] != resource.name:
        raise ValidationError(f"{value!r} is not the address of a {resource.name}.")
    return int(match["key"])


def target(field: Any) -> Resource:
    """The resource a relation leads to."""
    return register.of(field.related_model)  # type: ignore[arg-type]  # never "self" once models are loaded


def related(resource: Resource, name: str) -> Resource:
    """The resource a to-many relation leads to."""
    return target(orm.meta(resource.model).get_field(name))


def is_read_only(field: Any) -> bool:
    """Is the field set by the server only?"""
    return field.primary_key or not field.editable


def wire_type(field: Any) -> str:
    """Type name of the schema resource."""
    if field.is_relation:
        return "related"
    for kind, name in (
        (models.BooleanField, "boolean"),
        (models.DateTimeField, "datetime"),
        (models.IntegerField, "integer"),
        (models.FloatField, "float"),
        (models.JSONField, "list"),
    ):
        if isinstance(field, kind):
            return name
    return "string"


def represent(resource: Resource, row: models.Model, *, embed: bool = True) -> dict[str, Any]:
    """The object that a client reads. Relations must have been prefetched for lists."""
    body: dict[str, Any] = {}
    for field in resource.fields:
        if field.name in resource.write_only:
            continue
        value = getattr(row, field.attname)
        if field.is_relation:
            value = None if value is None else uri(target(field), value)
        elif isinstance(value, datetime.datetime):
            value = moment(value)
        body[field.name] = value
    if embed:
        for name in resource.relations:
            other = related(resource, name)
            rows = getattr(row, name).all()
            body[name] = [
                represent(other, child, embed=False) if name in resource.embedded else uri(other, child.pk)
                for child in rows
            ]
    body["resource_uri"] = uri(resource, row.pk)
    return body


def moment(value: datetime.datetime) -> str:
    """A time in UTC without saying so, as the wire has it."""
    return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()


def understand(field: Any, value: Any) -> Any:
    """The Python value for what a client wrote; types only, limits are the model's business.

    Raises ValidationError.
    """
    if value is None:
        return None
    if isinstance(value, str):
        check_text(value)
    match wire_type(field):
        case "boolean":
            return _boolean(value)
        case "integer":
            return _integer(value)
        case "datetime":
            return _datetime(value)
        case "list":
            if not isinstance(value, list):
                raise ValidationError("Give a list.")
            return value
        case _:
            if isinstance(value, str):
                return value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            raise ValidationError("Enter text.")


def check_text(value: str) -> None:
    """Refuse what databases cannot hold. Raises ValidationError."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValidationError("Null characters and broken Unicode are not allowed.")


def _boolean(value: Any) -> bool:
    text = str(value).lower() if isinstance(value, bool | int | str) else ""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValidationError("Enter true or false.")


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()) is None:
        raise ValidationError("Enter a whole number.")
    return int(text)


def _datetime(value: Any) -> datetime.datetime:
    # A plus sign that was not escaped in a URL arrives as a blank.
    text = re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", value) if isinstance(value, str) else ""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValidationError("Enter a time as in 2020-12-21T08:59:31.")
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
