"""Many objects written together: fetched, compared with all others and stored by a few statements for all of them."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rostra.configuration import orm
from rostra.configuration.models import ConferenceAlias
from rostra.configuration.validation import of_many
from rostra.management.audit import following
from rostra.management.provisioning.kinds import Kind
from rostra.management.provisioning.planning import Write
from rostra.management.provisioning.stored import batched, folded, with_aliases

_FIXED = "service_type"
"""Field that a rule compares with what is stored."""
_AT_ONCE = 400
"""Values in one question."""


@dataclasses.dataclass(slots=True)
class Item:
    """An object as it is to be, not stored yet. `row` is None when it is not there any more."""

    write: Write
    row: Any
    before: Any = None
    """As it is stored; None: it is new."""


def prepare(kind: Kind, origin: str, writes: Sequence[Write]) -> list[Item]:
    """The rows of `writes` with their new values."""
    keys = [write.pk for write in writes if write.pk is not None]
    there: dict[int, Any] = {row.pk: row for row in orm.rows(kind.model).filter(pk__in=keys)} if keys else {}
    found: list[Item] = []
    for write in writes:
        row: Any = kind.model() if write.pk is None else there.get(write.pk)
        before = None if write.pk is None or row is None else copy.copy(row)
        if row is not None:
            for name, value in write.changes.items():
                setattr(row, name, value)
            row.sync_tag = origin
            if write.pk is None and getattr(row, "service_type", "") == "lecture":
                row.guest_view = row.host_view
        found.append(Item(write, row, before))
    return found


def check(item: Item) -> None:
    """Raises ValidationError for what is wrong with an object or its aliases by themselves. What it refers to is what
    its template refers to, and the database sees to that; who has an alias now loses it, so it may be taken.
    """
    row = item.row
    with of_many():
        row.clean_fields(exclude={field.name for field in orm.meta(row).concrete_fields if field.is_relation})
        row.clean()
        for alias, about in item.write.aliases or ():
            probe = ConferenceAlias(alias=alias, description=about)
            probe.clean_fields(exclude={"conference"})
            probe.clean()


def doubtful(kind: Kind, items: Sequence[Item]) -> set[int]:
    """Which of `items` (by their place) may have what must be theirs alone in common with another object, and have to
    be judged one by one, after the others are stored.
    """
    found = {
        place
        for place, item in enumerate(items)
        if item.before is not None and getattr(item.before, _FIXED, None) != getattr(item.row, _FIXED, None)
    }
    for field in orm.meta(kind.model).concrete_fields:
        any_case = kind.folded and field.name == kind.key
        if any_case or (field.unique and not field.primary_key):
            found |= _shared(kind, items, field, any_case=any_case)
    return found


def _shared(kind: Kind, items: Sequence[Item], field: Any, *, any_case: bool) -> set[int]:
    values: dict[int, str] = {
        place: _comparable(getattr(item.row, field.attname), any_case)
        for place, item in enumerate(items)
        if item.before is None or getattr(item.before, field.attname) != getattr(item.row, field.attname)
    }
    counts = Counter(values.values())
    holders: dict[str, set[int]] = {}
    for chunk in batched(sorted(counts), _AT_ONCE):
        rows = orm.rows(kind.model)
        rows = folded(rows, field.name, chunk) if any_case else rows.filter(**{f"{field.attname}__in": chunk})
        for key, value in rows.values_list("pk", field.attname):
            holders.setdefault(_comparable(value, any_case), set()).add(key)
    return {
        place
        for place, value in values.items()
        if counts[value] > 1 or holders.get(value, set()) - {items[place].row.pk}
    }


def _comparable(value: str, any_case: bool) -> str:
    return value.lower() if any_case else value


def store(kind: Kind, items: Sequence[Item]) -> None:
    """Write checked objects and their aliases; the administrator log tells of each. Raises DatabaseError."""
    new = [item.row for item in items if item.before is None]
    for row in orm.rows(kind.model).bulk_create(new):
        following.note_bulk(row)
    for item in items:
        if item.before is not None:
            _update(item.row, item.before)
    give([item for item in items if item.write.aliases is not None])


def store_alone(item: Item) -> None:
    """Write one that was doubtful. Raises ValidationError, and DatabaseError."""
    item.row.full_clean()
    item.row.save()
    if item.write.aliases is not None:
        give([item])


def _update(row: Any, before: Any) -> None:
    differing = [
        field
        for field in orm.meta(row).concrete_fields
        if getattr(row, field.attname) != getattr(before, field.attname)
    ]
    if differing:
        values = {field.attname: field.pre_save(row, add=False) for field in differing}
        orm.rows(type(row)).filter(pk=row.pk).update(**values)
        following.note_bulk(row, before)


def give(items: Sequence[Item]) -> None:
    """Let each service have exactly its aliases in their order; who else has one of them loses it (SVC-174)."""
    aliases = {alias.lower(): alias for item in items for alias, _ in item.write.aliases or ()}
    holders = {row.alias.lower(): row for rows in with_aliases(aliases.values()) for row in rows}
    updated = [item.row.pk for item in items if item.before is not None]
    own: dict[int, list[Any]] = {}
    for row in ConferenceAlias.objects.filter(conference__in=updated) if updated else ():
        own.setdefault(row.conference_id, []).append(row)
    added: list[ConferenceAlias] = []
    for item in items:
        for place, (alias, about) in enumerate(item.write.aliases or ()):
            row: Any = holders.get(alias.lower())
            before = copy.copy(row)
            row = row or ConferenceAlias()
            row.alias, row.description, row.view_order = alias, about, place
            row.conference = item.row
            if before is None:
                added.append(row)
            else:
                _update(row, before)
    left = [row.pk for rows in own.values() for row in rows if row.alias.lower() not in aliases]
    if left:
        ConferenceAlias.objects.filter(pk__in=left).delete()
    for row in ConferenceAlias.objects.bulk_create(added):
        following.note_bulk(row)
