"""What lists and forms of the site consist of, from the declaration of a resource."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import display
from django.db import models
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource, register

Fieldset = tuple[Any, dict[str, Any]]

_SHOWN = 3
"""Elements of a to-many relation that a list shows."""
_TABBED = 60
"""Fields from which a form shows one group at a time."""
_HEAD = 6
"""Fields without a group that come before the groups."""
_MANY = frozenset({"conference", "device", "end_user", "user_group"})
"""Resources that may be too many for a form that shows all of them to choose several from."""


def is_searched(field: Any) -> bool:
    """Does the form look for what `field` refers to, rather than list all of it?"""
    if not field.is_relation or isinstance(field, UploadField):
        return False
    other = register.of(field.related_model)
    return bool(other.search) and (not field.many_to_many or other.name in _MANY)


def column(resource: Resource, name: str) -> Any:
    """What the list shows for a field; for a to-many relation the names of the first rows."""
    if name not in resource.relations:
        return name

    @display(description=_label(resource, name))
    def some(row: Any) -> str:
        found = [str(other) for other in getattr(row, name).all()[: _SHOWN + 1]]
        return ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")

    return some


def _label(resource: Resource, name: str) -> Any:
    field = orm.meta(resource.model).get_field(name)
    return field.verbose_name if field.concrete else orm.meta(field.related_model).verbose_name_plural


def filters(resource: Resource) -> list[str]:
    """Fields a list can be narrowed by."""
    return [
        field.name
        for field in resource.fields
        if field.name in resource.columns
        and (field.choices or isinstance(field, models.BooleanField | models.DateTimeField))
    ]


def fieldsets(resource: Resource, names: list[str]) -> list[Fieldset]:
    """The sections of a form that has the fields `names`."""
    titled = groups(resource)
    grouped = {name for _title, members in titled for name in members}
    first = [name for name in names if name not in grouped]
    head, rest = (first[:_HEAD], first[_HEAD:]) if titled else (first, [])
    tabs = {"classes": ["tab"]} if len(names) > _TABBED else {}
    sets: list[Fieldset] = []
    if head:
        sets.append((None, {"fields": head}))
    for title, members in titled:
        shown = [name for name in members if name in names]
        if shown:
            sets.append((gettext_lazy(title), {"fields": shown, **tabs}))
    if rest:
        sets.append((_("More"), {"fields": rest}))
    return sets


def groups(resource: Resource) -> list[tuple[str, tuple[str, ...]]]:
    """The titled sections of a resource's form, and their fields."""
    return list(resource.groups)
