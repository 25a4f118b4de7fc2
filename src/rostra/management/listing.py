"""Lists of 100,000 rows: counted no further than anybody pages, searched without joining what belongs to a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal

from rostra.configuration import orm

_WORDS = 8
"""Words of a search that count."""


class Pages(Paginator):
    """Counts keys only: what a list shows of its rows does not matter for how many they are."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.prefetch_related(None).select_related(None).order_by().count()


def search(rows: Any, names: Iterable[str], words: str) -> Any:
    """`rows` with every one of `words` in one of the fields `names`, or in a field of what belongs to them."""
    if not names:
        return rows
    for word in _split(words)[:_WORDS]:
        found = Q()
        for name in names:
            found |= _contains(rows.model, name, word)
        rows = rows.filter(found)
    return rows


def _split(words: str) -> list[str]:
    """Words; quoted ones stay together."""
    found: list[str] = []
    for word in smart_split(words.replace("\x00", "")):
        quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "\"'"
        found.append(unescape_string_literal(word) if quoted else word)
    return found


def _contains(model: Any, name: str, word: str) -> Q:
    relation, _, rest = name.partition("__")
    if not rest:
        return Q(**{f"{name}__icontains": word})
    field = orm.meta(model).get_field(relation)
    if not field.one_to_many:
        return Q(**{f"{name}__icontains": word})
    # A join would make a row of each alias, to be put together again; the keys alone are a plain set.
    owner = f"{field.field.name}_id"
    keys = orm.rows(field.related_model).filter(**{f"{rest}__icontains": word}).order_by().values(owner)
    return Q(pk__in=keys)
