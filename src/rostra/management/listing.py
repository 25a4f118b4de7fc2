"""Lists of 100,000 rows: counted no further than anybody pages, searched without joining what belongs to a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal
from unfold.views import ChangeList

from rostra.configuration import orm

_FEW = 1000
"""Rows of which a list keeps the keys."""
_WORDS = 8
"""Words of a search that count."""


class Pages(Paginator):
    """Looks for the rows once: a search through everything costs the same whether it is to count or to show."""

    @cached_property
    def _keys(self) -> list[Any] | None:
        """Keys of all rows in their order, unless they are many."""
        rows: Any = self.object_list
        keys = list(rows.prefetch_related(None).values_list("pk", flat=True)[: _FEW + 1])
        return keys if len(keys) <= _FEW else None

    @cached_property
    def count(self) -> int:
        if self._keys is not None:
            return len(self._keys)
        rows: Any = self.object_list
        return rows.prefetch_related(None).select_related(None).order_by().count()

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        make: Any = self._get_page  # type: ignore[attr-defined] - the types do not know it
        return make(self.found(number), number, self)

    @cached_property
    def _shown(self) -> dict[int, list[Any]]:
        return {}

    def found(self, number: int) -> list[Any]:
        """The rows of a page: ordering their keys alone is cheaper than ordering all that a list shows of them."""
        if number not in self._shown:
            self._shown[number] = self._fetch(number)
        return self._shown[number]

    def _fetch(self, number: int) -> list[Any]:
        rows: Any = self.object_list
        first, last = (number - 1) * self.per_page, number * self.per_page
        keys = rows.prefetch_related(None).values_list("pk", flat=True) if self._keys is None else self._keys
        shown = list(keys[first:last])
        every = rows.model._default_manager.filter(pk__in=shown)  # noqa: SLF001 - Django's name
        every = every.prefetch_related(*rows._prefetch_related_lookups)  # noqa: SLF001
        named = rows.query.select_related
        every = every.select_related(*named) if isinstance(named, dict) else every
        by_key = {row.pk: row for row in every}
        return [by_key[key] for key in shown if key in by_key]


class List(ChangeList):
    """A list that does not look twice for what it shows."""

    def get_results(self, request: HttpRequest) -> None:
        page: Any = self.model_admin
        self.opts = page.opts  # a kind of service has pages of its own, but no rows
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count
        paginator: Any = self.paginator
        self.result_list: Any = paginator.found(self.page_num)


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
