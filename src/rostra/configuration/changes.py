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
    """Consecutive changes. `previous` is the last sequence published before them, so that a gap shows."""

    epoch: str
    """Identifies the Management Node's database; sequences of different epochs cannot be compared."""
    previous: int
    changes: list[RowChange]

    @property
    def last(self) -> int:
        return self.changes[-1].sequence


class SnapshotRequest(msgspec.Struct, frozen=True):
    """Asks for the rows of `table` with keys above `after`; an empty table means the first one."""

    table: str = ""
    after: int = 0


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
