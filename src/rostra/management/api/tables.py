"""What status and history serve: tables of rows that are read, not written; each declared once.

From a declaration come the list with filters, ordering and pages, the single object, the schema resource, the
OpenAPI entry, and the pages of the site.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

Row = Mapping[str, Any]
"""Values by column name: str, int, float, bool, aware datetime, list, None; keys for related columns."""

TYPES = ("string", "boolean", "integer", "float", "datetime", "list", "related", "many")


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A field on the wire."""

    name: str
    type: str
    """One of TYPES; `related`: the key of a row of `target`; `many`: a list of such keys."""
    help: str
    target: str = ""
    title: str = ""
    """On pages of the site; empty: made from the name."""

    @property
    def label(self) -> str:
        return self.title or self.name.replace("_", " ").capitalize()


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list: the value is still text."""

    column: Column
    operator: str
    value: str


class Source(Protocol):
    """Where rows come from. Both raise Refused for a value that does not fit its column."""

    def page(self, filters: Sequence[Filter], order: Sequence[str], offset: int, limit: int) -> tuple[list[Row], int]:
        """The wanted rows and how many pass the filters in all. `order`: names, descending ones with `-`."""
        ...

    def one(self, key: str) -> Row | None: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """One resource of the status or history API."""

    api: str
    name: str
    title: str
    """Plural, for people."""
    summary: str
    columns: tuple[Column, ...]
    source: Source
    addressed: bool = True
    """Rows have a `resource_uri`."""
    filtering: tuple[str, ...] | None = None
    """Columns that can be filtered by; None: all but lists."""
    ordering: tuple[str, ...] | None = None
    """Columns that can be ordered by; None: all but lists and relations."""
    children: Mapping[str, tuple[tuple[Column, ...], Callable[[Row], list[Row]]]] = dataclasses.field(
        default_factory=dict[str, Any]
    )
    """Sub-resources of a row: their columns, and how to get them."""
    delete: Callable[[str], bool] | None = None
    """Deletes the row with a key; False: there is none."""
    permission: str = ""
    """What deleting takes."""
    viewing: str = "view_status"
    """What reading takes."""
    shown: tuple[str, ...] = ()
    """Columns of the list in the site; the rest is on the page of a single object."""
    default_order: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        return f"/api/admin/{self.api}/v1/{self.name}/"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def filterable(self) -> tuple[str, ...]:
        if self.filtering is not None:
            return self.filtering
        return tuple(column.name for column in self.columns if column.type not in ("list", "many"))

    @property
    def orderable(self) -> tuple[str, ...]:
        return plain(self.columns) if self.ordering is None else self.ordering


def plain(columns: Sequence[Column]) -> tuple[str, ...]:
    """Names of columns with values that have an order."""
    return tuple(column.name for column in columns if column.type not in ("list", "many", "related"))


def uri(api: str, name: str, key: object) -> str:
    """Address of a row."""
    return f"/api/admin/{api}/v1/{name}/{key}/"


def key_of(text: str) -> str:
    """The key that a client gave plainly or as an address."""
    return text.rstrip("/").rpartition("/")[2] if text.startswith(("/", "http")) else text
