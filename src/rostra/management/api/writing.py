"""From a client's object to rows: create, change, replace, with related rows in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource
from rostra.configuration.secretfield import SecretField
from rostra.management import uploads
from rostra.management.api import keeping, wire
from rostra.management.api.errors import messages

Body = Mapping[str, Any]
May = Callable[[Resource], bool]
"""May objects of this resource be made along with the one that is written?"""


class Writer:
    """Writes objects for somebody; `may` says what he can create beside the object he writes."""

    def __init__(self, may: May = lambda _: True) -> None:
        self._may = may

    def write(self, resource: Resource, row: models.Model, body: Body, *, replace: bool = False) -> models.Model:
        """Give `row` the values of `body` and save it, with its related rows. Call inside a transaction.

        `replace`: fields left out get their defaults. Unknown and read-only fields are ignored. Raises
        ValidationError with a message per field.
        """
        if resource.singleton and orm.is_new(row):
            raise ValidationError(keeping.only_one(resource))
        problems = {**self._assign_all(resource, row, body, replace=replace), **_missing(resource, row, body)}
        try:
            row.full_clean(exclude=set(problems))
        except ValidationError as problem:
            problems = {**messages(problem), **problems}
        if problems:
            raise ValidationError(cast("Any", problems))
        row.save()
        for name in resource.relations:
            if body.get(name) is not None:
                try:
                    self._write_many(resource, row, name, body[name])
                except ValidationError as problem:
                    raise ValidationError({name: _flat(problem)}) from None
            elif replace and name in body:
                raise ValidationError({name: "Give a list."})
        for computed in resource.computed:
            if body.get(computed.name) is not None:
                computed.write(row, body[computed.name])
        judge = getattr(row, "clean_relations", None)  # what `clean()` cannot, as relations are written after the row
        if judge is not None:
            judge()
        return row

    def _assign_all(self, resource: Resource, row: models.Model, body: Body, *, replace: bool) -> dict[str, list[str]]:
        """Give `row` the values of `body`; returns what is wrong with them."""
        problems: dict[str, list[str]] = {}
        for field in resource.fields:
            if wire.is_read_only(field):
                continue
            kept = field.name in resource.fixed and not orm.is_new(row)
            before = getattr(row, field.attname)
            try:
                if field.name in body:
                    self._assign(row, field, body[field.name])
                    if kept and (field.to_python(getattr(row, field.attname)) or None) != (before or None):
                        setattr(row, field.attname, before)
                        raise ValidationError("This cannot be changed. Delete the object and add it again instead.")
                elif replace and not kept and not _stays(field):
                    setattr(row, field.attname, field.get_default())
            except ValidationError as problem:
                problems[field.name] = list(problem.messages)
        return problems

    def _assign(self, row: models.Model, field: Any, value: Any) -> None:
        if value is None and not field.null:  # `clean()` may rely on the types of what it compares
            raise ValidationError("This field cannot be null.")
        if isinstance(field, UploadField):
            if value is not None:
                setattr(row, field.name, uploads.keep(field, value))
        elif not field.is_relation:
            setattr(row, field.attname, wire.understand(field, value))
        else:
            other = wire.target(field)
            setattr(row, field.attname, None if value is None else self._row_of(other, value).pk)

    def _row_of(self, other: Resource, value: Any, **given: models.Model) -> models.Model:
        """The row that an address names, or a new one as described. One that belongs to another (`given`) can be
        changed along with it; anything else only refers.
        """
        if isinstance(value, str):
            return _existing(other, wire.key_of(other, value))
        if not isinstance(value, Mapping):
            raise ValidationError("Give an address or an object.")
        address = value.get("resource_uri")
        if address is not None and not isinstance(address, str):
            raise ValidationError("resource_uri has to be an address.")
        if address and not given:
            return _existing(other, wire.key_of(other, address))
        if not given and not self._may(other):
            raise ValidationError(f"This account may not create a {other.name}.")
        row = _existing(other, wire.key_of(other, address)) if address else other.model()
        for name, parent in given.items():
            setattr(row, name, parent)
        body = {name: part for name, part in value.items() if name not in given}
        return self.write(other, row, body)

    def _write_many(self, resource: Resource, row: models.Model, name: str, value: Any) -> None:
        """Make a to-many relation hold exactly what `value` lists."""
        if not isinstance(value, list):
            raise ValidationError("Give a list.")
        other = wire.related(resource, name)
        field = orm.meta(resource.model).get_field(name)
        if not field.one_to_many:
            chosen = [self._row_of(other, item) for item in value]
            _check_choices(field, row, chosen)
            getattr(row, name).set(chosen)
            return
        # Rows that belong to this one: those not listed go first, so that their unique values are free again.
        parent = field.field.name
        named = {wire.key_of(other, address) for item in value if (address := _address(item)) is not None}
        if not self._may(other):
            _check_unchanged(other, getattr(row, name), value)
            return
        gone = getattr(row, name).exclude(**{f"{other.key}__in": named})
        if field.field.null:  # they exist without this one too
            for child in gone:  # one by one: each is a change of its own
                setattr(child, parent, None)
                child.save()
        else:
            gone.delete()
        for item in value:
            child = self._row_of(other, item, **{parent: row})
            if getattr(child, f"{parent}_id") != row.pk:
                setattr(child, parent, row)
                child.save()


def write(resource: Resource, row: models.Model, body: Body) -> models.Model:
    """`Writer.write` for the platform itself, which may do anything."""
    return Writer().write(resource, row, body)


def _stays(field: Any) -> bool:
    """Does a field left out of a whole object keep its value: files, secrets, and what an object is known by?"""
    return isinstance(field, UploadField | SecretField) or (
        field.unique and field.has_default() and callable(field.default)
    )


def _check_unchanged(other: Resource, rows: Any, value: list[Any]) -> None:
    """Raises ValidationError when a list is not that of `rows` as it is read."""
    now = [wire.uri(other, row) for row in rows.all()]
    if sorted(str(item) for item in value) != sorted(now):
        raise ValidationError(f"This account may not change a {other.name}.")


def _check_choices(field: Any, row: models.Model, chosen: list[models.Model]) -> None:
    """Raises ValidationError where a many-to-many relation is limited to others (`limit_choices_to`)."""
    forward = field.concrete
    limits = (field if forward else field.field).get_limit_choices_to()
    rows = chosen if forward else [row] if chosen else []
    wanted = {other.pk for other in rows}
    fitting = orm.rows(type(rows[0])).complex_filter(limits).filter(pk__in=wanted) if rows and limits else None
    if fitting is not None and fitting.count() != len(wanted):
        raise ValidationError(f"A {orm.meta(rows[0]).verbose_name} of this kind cannot be chosen here.")


def _missing(resource: Resource, row: models.Model, body: Body) -> dict[str, list[str]]:
    """Relations that are, or would become, empty although they must not be."""
    left_out = orm.is_new(row)
    return {
        name: ["Give one at least."]
        for name in resource.required_relations
        if body.get(name) == [] or (left_out and not body.get(name))
    }


def _existing(other: Resource, key: str) -> models.Model:
    row = wire.find(other, key).first()
    if row is None:
        raise ValidationError(f"There is no {other.name} with {other.key} {key}.")
    return row


def _address(item: Any) -> str | None:
    found = item.get("resource_uri") if isinstance(item, Mapping) else item
    return found if isinstance(found, str) else None


def _flat(problem: ValidationError) -> list[str]:
    if not hasattr(problem, "error_dict"):
        return list(problem.messages)
    return [f"{name}: {text}" for name, texts in messages(problem).items() for text in texts]
