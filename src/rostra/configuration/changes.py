"""Row-level change records and their encoding: what travels from the Management Node to every node."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class Operation(enum.StrEnum):
    PUT = "put"
    """The row now has these values (created or changed)."""
    DELETE = "delete"


class RowChange(msgspec.Struct, frozen=True, array_like=True):
    """One row after one statement; values by column name, as the Management Node's database writes JSON."""

    sequence: int
    table: str
    key: int
    operation: Operation
    row: dict[str, Any] | None = None


class Changes(msgspec.Struct, frozen=True):
    """Consecutive changes after `previous`, so that a gap shows. Without any it says that `previous` is the newest."""

    epoch: str
    """Identifies a run of the Management Node on its database; sequences of unrelated epochs cannot be compared."""
    previous: int
    changes: list[RowChange]

    @property
    def last(self) -> int:
        return self.changes[-1].sequence if self.changes else self.previous


class ChangesRequest(msgspec.Struct, frozen=True):
    """Asks for what follows the sequence `after` of `epoch`."""

    epoch: str
    after: int


class ChangesReply(msgspec.Struct, frozen=True):
    """What follows, as much as fits; None: it cannot be told, take a snapshot."""

    changes: Changes | None
    newest: int = 0
    """Sequence of the newest change there is."""


class SnapshotRequest(msgspec.Struct, frozen=True):
    """Asks for the rows of `table` with keys above `after`; an empty table means the first one."""

    table: str = ""
    after: int = 0
    plain: bool = False
    """The reader takes rows by column (`SnapshotChunk.values`)."""


class SnapshotChunk(msgspec.Struct, frozen=True):
    """Some rows, and where to go on. The reader replays every change above the *first* chunk's `sequence`.

    Chunks are read at different times; because changes carry whole rows, replaying makes the result consistent.
    """

    epoch: str
    sequence: int
    table: str
    rows: list[dict[str, Any]]
    next_table: str
    """Empty: this was the last chunk."""
    next_after: int
    columns: list[str] = []
    """Names of the columns of `values`; empty: the rows are in `rows`."""
    values: list[list[Any]] = []
    """By column, in the form a node's database keeps them; see `contents.folded`."""
    count: int = 0
    """How many rows are in `values`."""
    also: list[SnapshotChunk] = []
    """Further parts in the same message; where to go on after the last of them is said by the first."""


class KeyReply(msgspec.Struct, frozen=True):
    """The platform's key (see `sealing`), in answer to a node; empty: the Management Node does not have it now."""

    key: bytes = b""
