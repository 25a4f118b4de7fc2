"""What has to stay when objects are deleted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.configuration import orm
from rostra.configuration.resources import Resource, register

_NAMED = 5
"""Objects a message names."""


def only_one(resource: Resource) -> str:
    """What somebody is told who would create or delete the row of a singleton."""
    name = str(orm.meta(resource.model).verbose_name)
    return f"There is always exactly one {name}: it can be changed, but neither created nor deleted."


def check(resource: Resource, rows: Any) -> None:
    """May `rows` (a query or a list of rows) be deleted?

    Raises ValidationError for the row of a singleton, and when objects that need one of a kind would have none.
    """
    if resource.singleton:
        raise ValidationError(only_one(resource))
    for owner in register:
        for name in owner.required_relations:
            field = orm.meta(owner.model).get_field(name)
            if field.related_model is resource.model and (left := _left_without(owner, field, rows)):
                raise ValidationError(
                    gettext("%(left)s would be left without %(verbose_name)s.")
                    % {"left": ", ".join(left), "verbose_name": field.verbose_name}
                )


def _left_without(owner: Resource, field: Any, rows: Any) -> list[str]:
    """Names of objects all of whose related rows are among `rows`."""
    links = orm.rows(field.remote_field.through)
    others = links.exclude(**{f"{field.m2m_reverse_field_name()}__in": rows})
    has_more = others.values(f"{field.m2m_field_name()}_id")
    affected = orm.rows(owner.model).filter(**{f"{field.name}__in": rows}).exclude(pk__in=has_more)
    return [str(row) for row in affected.distinct()[:_NAMED]]
