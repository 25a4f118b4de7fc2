"""Values on the wire: from fields of a row to JSON and back."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource, register

BASE = "/api/admin/configuration/v1/"
_URI = re.compile(r"(?:https?://[^/]+)?" + re.escape(BASE) + r"(?P<name>[a-z0-9_]+)/(?P<key>[^/]{1,250})/?")
_NUMBER = re.compile(r"[0-9]{1,18}")
_UNHELD = re.compile("[\x00\ud800-\udfff]")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


def uri(resource: Resource, row: models.Model) -> str:
    """Address of a row."""
    return address(resource, getattr(row, resource.key))


def address(resource: Resource, key: object) -> str:
    """Address of the row that `key` names."""
    return f"{BASE}{resource.name}/{key}/"


def key_of(resource: Resource, value: str) -> str:
    """The key in the address of one of `resource`'s rows. Raises ValidationError for anything else."""
    match = _URI.fullmatch(value)
    if match is None or match["name"] != resource.name or not _is_key(resource, match["key"]):
        raise ValidationError(f"{value!r} is not the address of a {resource.name}.")
    return match["key"]


def find(resource: Resource, key: str) -> Any:
    """The row that `key` (from an address) names, as a query; empty when there is none."""
    rows = orm.rows(resource.model)
    return rows.filter(**{resource.key: key}) if _is_key(resource, key) else rows.none()


def _is_key(resource: Resource, key: str) -> bool:
    return resource.key != "id" or _NUMBER.fullmatch(key) is not None


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
    if isinstance(field, UploadField):
        return "file"
    if field.is_relation:
        return "related"
    if isinstance(field, models.JSONField) and field.default is dict:
        return "dict"
    for kind, name in (
        (models.BooleanField, "boolean"),
        (models.DateTimeField, "datetime"),
        (models.DateField, "date"),
        (models.TimeField, "time"),
        (models.IntegerField, "integer"),
        (models.FloatField, "float"),
        (models.JSONField, "list"),
    ):
        if isinstance(field, kind):
            return name
    return "string"


def represent(resource: Resource, row: models.Model, *, embed: bool = True) -> dict[str, Any]:
    """The object that a client reads. Relations must have been fetched for lists, see `fetched`."""
    body: dict[str, Any] = {}
    hidden = resource.hidden
    for field in resource.fields:
        if field.name in hidden or (field.primary_key and resource.key != "id"):
            continue
        body[field.name] = _to_one(resource, row, field, embed) if field.is_relation else plain(field, row)
    if embed:
        for name in resource.relations:
            other = related(resource, name)
            rows = getattr(row, name).all()
            body[name] = [
                represent(other, child, embed=False) if name in resource.embedded else uri(other, child)
                for child in rows
            ]
        body.update({computed.name: computed.read(row) for computed in resource.computed})
    body["resource_uri"] = uri(resource, row)
    return body


def fetched(resource: Resource, rows: Any) -> Any:
    """`rows` with all that `represent` looks at."""
    named = [
        f.name for f in resource.fields if f.is_relation and f.name not in resource.hidden and _is_fetched(resource, f)
    ]
    if named:
        rows = rows.select_related(*named)
    return rows.prefetch_related(*resource.relations, *(name for one in resource.computed for name in one.prefetch))


def _is_fetched(resource: Resource, field: Any) -> bool:
    return field.name in resource.embedded or target(field).key != "id"


def _to_one(resource: Resource, row: models.Model, field: Any, embed: bool) -> Any:
    key = getattr(row, field.attname)
    if key is None:
        return None
    if not _is_fetched(resource, field):
        return address(target(field), key)
    other = getattr(row, field.name)
    if embed and field.name in resource.embedded:
        return represent(target(field), other, embed=False)
    return uri(target(field), other)


def plain(field: Any, row: models.Model) -> Any:
    """The value of a field that is no relation, as JSON has it."""
    value = getattr(row, field.attname)
    if isinstance(value, datetime.datetime):
        return moment(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


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
        case "dict":
            if not isinstance(value, dict):
                raise ValidationError("Give an object.")
            return value
        case "date" | "time" as kind:
            return _day_or_time(kind, value)
        case _:
            if isinstance(value, str):
                return value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            raise ValidationError("Enter text.")


def check_text(value: str) -> None:
    """Refuse what databases cannot hold. Raises ValidationError."""
    if _UNHELD.search(value):
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


def _day_or_time(kind: str, value: Any) -> datetime.date | datetime.time:
    try:
        found = (parse_date if kind == "date" else parse_time)(value if isinstance(value, str) else "")
    except ValueError:
        found = None
    if found is None:
        raise ValidationError(f"Enter a {kind} as in {'2020-12-21' if kind == 'date' else '08:59:31'}.")
    return found


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
