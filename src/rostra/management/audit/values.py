"""What an entry says of the fields of an object: before, after, and of secrets only that they changed."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import override

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.sealing import PREFIX
from rostra.configuration.secretfield import SecretField

_LONGEST = 1000
"""Characters kept of a value."""
_SECRET_WORDS = frozenset({"password", "passphrase", "secret", "pin", "token", "community"})
_SECRET_ENDS = ("private_key", "secret_key")
_TEXTS = (models.CharField, models.TextField)


Change = dict[str, Any]
"""One field of an object: `field`, `label`, then `before` and `after`, or `secret` when neither is told."""


@dataclasses.dataclass(frozen=True)
class Followed:
    """A model whose changes are entries."""

    model: type[models.Model]
    name: str
    """Of the resource, on the wire."""
    secret: frozenset[str]
    fields: tuple[Any, ...]

    @classmethod
    def of(cls, model: type[models.Model], name: str, secret: Collection[str], ignore: Collection[str]) -> Followed:
        fields = [
            field
            for field in orm.meta(model).concrete_fields
            if not field.primary_key
            and field.name not in ignore
            and not getattr(field, "auto_now", False)
            and not getattr(field, "auto_now_add", False)
        ]
        hidden = {field.name for field in fields if field.name in secret or is_secret(field)}
        return cls(model, name, frozenset(hidden), tuple(fields))

    def change(self, name: str, label: object, before: str, after: str) -> Change:
        """What is said of one field that changed."""
        with override(None):  # the log speaks one language, whatever the site is read in
            text = str(label)
        named = {"field": name, "label": text[:1].upper() + text[1:]}
        if name in self.secret or PREFIX in before or PREFIX in after:
            return {**named, "secret": True}
        return {**named, "before": before, "after": after}


def is_secret(field: Any) -> bool:
    """Does a field hold something that nobody should read in a log?"""
    if isinstance(field, SecretField):
        return True
    words = field.name.split("_")
    return isinstance(field, _TEXTS) and (not _SECRET_WORDS.isdisjoint(words) or field.name.endswith(_SECRET_ENDS))


def added(followed: Followed, row: models.Model) -> list[Change]:
    """The fields of a new object that do not have their default."""
    return [
        followed.change(field.name, field.verbose_name, "", text)
        for field in followed.fields
        if (text := _unless_default(field, row))
    ]


def deleted(followed: Followed, row: models.Model) -> list[Change]:
    """The fields of an object that goes, unless they had their default."""
    return [
        followed.change(field.name, field.verbose_name, text, "")
        for field in followed.fields
        if (text := _unless_default(field, row))
    ]


def changed(
    followed: Followed, before: models.Model, after: models.Model, only: Collection[str] | None = None
) -> list[Change]:
    """The fields that differ; `only`: those that were saved."""
    found: list[Change] = []
    for field in followed.fields:
        if only is not None and field.name not in only and field.attname not in only:
            continue
        old, new = getattr(before, field.attname), _python(field, getattr(after, field.attname))
        if old != new:
            found.append(followed.change(field.name, field.verbose_name, shown(field, before), shown(field, after)))
    return found


def merged(first: list[Change], then: list[Change]) -> list[Change]:
    """Two changes of the same object as one."""
    found = {change["field"]: change for change in first}
    for change in then:
        earlier = found.get(change["field"], {})
        first_seen = {"before": earlier["before"]} if "before" in earlier and "before" in change else {}
        found[change["field"]] = change | first_seen
    return list(found.values())


def _unless_default(field: Any, row: models.Model) -> str:
    value = getattr(row, field.attname)
    if value is None or value == "" or value == field.get_default():
        return ""
    return shown(field, row)


def _python(field: Any, value: Any) -> Any:
    try:
        return field.to_python(value)
    except ValidationError:
        return value  # an expression of the database


def shown(field: Any, row: models.Model) -> str:
    """The value of a field for people."""
    value = getattr(row, field.attname)
    if value is None:
        return ""
    if isinstance(field, UploadField):
        other = getattr(row, field.name)
        return f"{other.name} ({other.size} bytes)"
    if field.is_relation:
        try:
            return clip(str(getattr(row, field.name)))
        except ObjectDoesNotExist:
            return str(value)
    return clip(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return f"{value.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def clip(text: str) -> str:
    """What every database can hold of a text, and no more than an entry should."""
    text = text.replace("\0", "")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
