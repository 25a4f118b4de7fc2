"""What there is already: the objects a plan is compared with."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models.functions import Lower

from rostra.configuration import orm
from rostra.configuration.models import ConferenceAlias
from rostra.configuration.secretfield import SecretField, reveal
from rostra.management.provisioning.kinds import VMR, Kind
from rostra.management.provisioning.planning import Existing

_AT_ONCE = 400
"""Values in one query."""
_TURN = 0.11
_ASCII = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def give_way() -> None:
    """Between two transactions of many: SQLite lets others in who look for their turn every 100 ms only."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(_TURN)


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """`items` in lists of `size`, the last shorter."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def existing(kind: Kind, origin: str, keys: Iterable[str], *, owned: bool = True) -> list[Existing]:
    """What the template `origin` made (unless not `owned`), and what has one of `keys`."""
    rows = orm.rows(kind.model)
    if kind is VMR:
        rows = rows.prefetch_related("aliases")
    found: dict[int, Existing] = {}
    if owned:
        found = {row.pk: _existing(kind, row) for row in rows.filter(sync_tag=origin).iterator(chunk_size=1000)}
    for chunk in batched(sorted({key for key in keys if key}), _AT_ONCE):
        matching = folded(rows, kind.key, chunk) if kind.folded else rows.filter(**{f"{kind.key}__in": chunk})
        found |= {row.pk: _existing(kind, row) for row in matching if row.pk not in found}
    return list(found.values())


def folded(rows: Any, name: str, values: list[str]) -> Any:
    """Rows whose text is one of `values` in any case; SQLite knows no case beyond ASCII."""
    lower = {form for value in values for form in (value.lower(), value.translate(_ASCII))}
    return rows.annotate(folded=Lower(name)).filter(folded__in=lower)


def _existing(kind: Kind, row: Any) -> Existing:
    aliases = tuple((alias.alias, alias.description) for alias in row.aliases.all()) if kind is VMR else ()
    return Existing(
        pk=row.pk,
        key=getattr(row, kind.key),
        values={name: current(row, name) for name in kind.fields},
        origin=row.sync_tag,
        aliases=aliases,
    )


def current(row: Any, name: str) -> Any:
    """What a field says; a secret itself."""
    field = orm.meta(row).get_field(name.removesuffix("_id") if name == "ivr_theme_id" else name)
    return reveal(row, name) if isinstance(field, SecretField) else getattr(row, name)


def holders(aliases: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Who has an alias, by the alias in lower case: key and name of the service."""
    found: dict[str, tuple[int, str]] = {}
    for rows in with_aliases(aliases):
        for alias, key, name in rows.values_list("alias", "conference_id", "conference__name"):
            found[alias.lower()] = (key, name)
    return found


def with_aliases(aliases: Iterable[str]) -> Iterator[Any]:
    """Queries, each for some of the rows with one of `aliases`."""
    for chunk in batched(sorted(set(aliases)), _AT_ONCE):
        yield folded(ConferenceAlias.objects, "alias", chunk)
