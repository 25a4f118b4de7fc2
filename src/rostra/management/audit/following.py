"""From saving and deleting rows to entries of the administrator log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save
from django.utils.translation import override

from rostra.configuration import orm
from rostra.configuration.resources import Register
from rostra.management.audit import values
from rostra.management.audit.noting import note_change
from rostra.management.audit.values import Followed

_followed: dict[type[models.Model], Followed] = {}
_BEFORE = "_audit_before"


def follow(model: type[models.Model], name: str, *, secret: Collection[str] = (), ignore: Collection[str] = ()) -> None:
    """From now on every change of a row of `model` is an entry. Idempotent.

    `secret`: fields whose values are never told, besides those that look like it; `ignore`: fields that do not count.
    What goes past the rows (`QuerySet.update`, `bulk_create`) is not seen.
    """
    _followed[model] = Followed.of(model, name, secret, ignore)
    for signal, receiver in ((pre_save, _saving), (post_save, _saved), (pre_delete, _deleting)):
        signal.connect(receiver, sender=model, dispatch_uid=f"audit {name}")
    for field in orm.meta(model).many_to_many:
        m2m_changed.connect(_related, sender=field.remote_field.through, dispatch_uid=f"audit {name} {field.name}")


def follow_all(register: Register) -> None:
    """Follow every resource, and the accounts."""
    follow(get_user_model(), "account", secret=("password",), ignore=("last_login",))
    for resource in register:
        follow(resource.model, resource.name, secret=(*resource.write_only, *resource.shown_once))


def note_bulk(row: Any, before: Any = None) -> None:
    """An entry for a row that is written past the signals: a new one, or one that was `before`."""
    followed = _followed[type(row)]
    if before is None:
        note_change("Configuration added", followed, row, _kind(row), values.added(followed, row))
        return
    changes = values.changed(followed, before, row)
    if changes:
        note_change("Configuration changed", followed, row, _kind(row), changes)


def _saving(sender: type[models.Model], instance: Any, **_: Any) -> None:
    known = instance.pk is not None
    before = sender._base_manager.filter(pk=instance.pk).first() if known else None  # noqa: SLF001 - Django's name
    setattr(instance, _BEFORE, before)


def _saved(sender: type[models.Model], instance: Any, update_fields: Collection[str] | None = None, **_: Any) -> None:
    followed, before = _followed[sender], instance.__dict__.pop(_BEFORE, None)
    if before is None:
        note_change("Configuration added", followed, instance, _kind(instance), values.added(followed, instance))
        return
    changes = values.changed(followed, before, instance, update_fields)
    if changes:
        note_change("Configuration changed", followed, instance, _kind(instance), changes)


def _deleting(sender: type[models.Model], instance: Any, **_: Any) -> None:
    followed = _followed[sender]
    _note_emptied(instance)
    note_change("Configuration deleted", followed, instance, _kind(instance), values.deleted(followed, instance))


def _note_emptied(instance: Any) -> None:
    """Rows that lose their reference to one that goes change without being saved."""
    for relation in orm.meta(instance).get_fields(include_hidden=True):
        if not relation.one_to_many or getattr(relation, "on_delete", None) is not models.SET_NULL:
            continue
        followed = _followed.get(relation.related_model)
        if followed is None:
            continue
        field = relation.field
        for row in orm.rows(relation.related_model).filter(**{field.name: instance}):
            change = followed.change(field.name, field.verbose_name, values.clip(str(instance)), "")
            note_change("Configuration changed", followed, row, _kind(row), [change])


def _related(
    sender: type[models.Model],
    instance: Any,
    action: str,
    reverse: bool,
    model: Any,
    pk_set: Collection[Any] | None,
    **_: Any,
) -> None:
    """A to-many relation gets or loses members."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    field = next(
        field
        for field in orm.meta(model if reverse else type(instance)).many_to_many
        if field.remote_field.through is sender
    )
    if not reverse:
        _note_members(instance, field, action, pk_set)
        return
    keys = field_keys(instance, field) if pk_set is None else pk_set
    for owner in orm.rows(model).filter(pk__in=keys):
        _note_members(owner, field, action, {instance.pk})


def field_keys(instance: Any, field: Any) -> list[Any]:
    """Keys of the rows whose `field` has `instance` as a member."""
    return list(orm.rows(field.model).filter(**{field.name: instance}).values_list("pk", flat=True))


def _note_members(owner: Any, field: Any, action: str, pk_set: Collection[Any] | None) -> None:
    followed = _followed.get(type(owner))
    if followed is None:
        return
    members = {row.pk: str(row) for row in getattr(owner, field.name).all()}
    moved = set(members) if pk_set is None else set(pk_set)
    if action == "post_add":
        before = {key: name for key, name in members.items() if key not in moved}
        after = members
    elif action == "post_remove":
        gone = orm.rows(field.related_model).filter(pk__in=moved - set(members))
        before = members | {row.pk: str(row) for row in gone}
        after = members
    else:
        before = members
        after = {key: name for key, name in members.items() if key not in moved}
    if before != after:
        change = followed.change(field.name, field.verbose_name, _names(before), _names(after))
        note_change("Configuration changed", followed, owner, _kind(owner), [change])


def _names(members: dict[Any, str]) -> str:
    return values.clip(", ".join(sorted(members.values())))


def _kind(row: Any) -> str:
    """What the object is, in English words; a service is the kind of service it is."""
    meta = orm.meta(row)
    with override(None):
        name = str(row.get_service_type_display() if meta.model_name == "conference" else meta.verbose_name)
    return name[:1].upper() + name[1:]
