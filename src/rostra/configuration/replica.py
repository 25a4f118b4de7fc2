"""The node's side of replication: rows written straight into the local database, no models, no validation.

Everything here is synchronous and belongs to one thread; `rostra.fabric.replication` brings the messages.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from django.db import models
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.utils import timezone

from rostra.configuration import contents, local, orm
from rostra.configuration.changes import Changes, Operation, RowChange, SnapshotChunk
from rostra.configuration.resources import load, register


class Gap(Exception):
    """Changes are missing before these: a snapshot is needed."""


Touched = list[tuple[str, int]]
"""Resource (or table of a many-to-many relation) and key of each changed row."""


class Replica:
    """The local database as a follower of the Management Node's."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, made anew if need be. Raises local.Damaged for one that cannot be used."""
        self._path = path
        with local.noticing_damage():
            local.setup(path)
            self._file = path.stat().st_ino
            load()
            from rostra.configuration.journal import Mark  # a model: only now can it be imported

            self._tables = {name: _Table(model) for name, model in register.tables.items()}
            self._resources = register.names
            self._database = local.open_database(path)
            try:
                local.check(self._database, [*register.tables.values(), Mark])
                self._notice_upgrade()
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):  # a damaged file: what it had to say is lost anyway
            self._database.close()

    def _notice_upgrade(self) -> None:
        """Other tables or columns than at the last start: forget whom we followed, so that a snapshot fills them."""
        shape = hashlib.sha256("\n".join(table.replace for table in self._tables.values()).encode()).hexdigest()
        if self._mark("schema") != shape:
            with self._transaction():
                self._set_mark("epoch", "")
                self._set_mark("schema", shape)

    @property
    def resource_names(self) -> list[str]:
        return list(self._resources.values())

    @property
    def epoch(self) -> str:
        """Run of the Management Node that was followed last; empty before the first snapshot."""
        return self.read_epoch()

    def read_epoch(self) -> str:
        """As `epoch`. Raises local.Damaged, also when the file we have open is not the one at its path any more."""
        if not self._path.exists() or self._path.stat().st_ino != self._file:
            raise local.Damaged("the file is gone")
        with local.noticing_damage():
            return self._mark("epoch")

    @property
    def position(self) -> int:
        """Sequence of the last change applied."""
        return int(self._mark("applied") or 0)

    def checksum(self) -> str:
        """See `journal.checksum`."""
        cursor = self._database.cursor()
        cursor.row_factory = None
        return contents.checksum(register.tables, cursor)

    def apply(self, changes: Changes, *, vouched: bool = False) -> Touched:
        """Apply what is new in `changes`; all or nothing, together with the position.

        Raises Gap when changes are missing before them, or when they are of another epoch; not if the Management
        Node has `vouched` for it that they follow what we have.
        """
        if changes.previous > self.position or (changes.epoch != self.epoch and not vouched):
            raise Gap
        fresh = [change for change in changes.changes if change.sequence > self.position]
        with local.noticing_damage(), self._transaction():
            for change in fresh:
                self._apply(change)
            if fresh:
                self._set_mark("applied", str(fresh[-1].sequence))
            if vouched:
                self._set_mark("epoch", changes.epoch)
        return [(self._resources.get(change.table, change.table), change.key) for change in fresh]

    def _apply(self, change: RowChange) -> None:
        table = self._tables.get(change.table)
        if table is None:
            return  # a newer Management Node has more tables; ours catch up by a snapshot after the upgrade
        if change.operation is Operation.DELETE or change.row is None:
            self._database.execute(table.delete, (change.key,))
        else:
            self._database.execute(table.replace, table.values(change.row))

    @contextlib.contextmanager
    def snapshot(self) -> Generator[SnapshotLoad]:
        """Replace everything by a snapshot, in one transaction that ends with the block."""
        with local.noticing_damage(), self._transaction():
            for table in self._tables.values():
                self._database.execute(table.clear)
            load = SnapshotLoad(self._database, self._tables)
            yield load
            self._set_mark("epoch", load.epoch)
            self._set_mark("applied", str(load.sequence))

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _mark(self, name: str) -> str:
        row = self._database.execute("SELECT value FROM configuration_mark WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _set_mark(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO configuration_mark (name, value) VALUES (?, ?)", (name, value))


class SnapshotLoad:
    """A snapshot on its way into the database."""

    def __init__(self, database: sqlite3.Connection, tables: dict[str, _Table]) -> None:
        self._database = database
        self._tables = tables
        self.epoch = ""
        self.sequence = 0

    def add(self, chunk: SnapshotChunk) -> None:
        """Take the next chunk. Raises Gap when the Management Node's database was exchanged meanwhile."""
        if not self.epoch:
            self.epoch, self.sequence = chunk.epoch, chunk.sequence
        if chunk.epoch != self.epoch:
            raise Gap
        for part in (chunk, *chunk.also):
            self._add(part)

    def _add(self, chunk: SnapshotChunk) -> None:
        table = self._tables.get(chunk.table)
        if table is None:
            return
        if chunk.columns:
            self._database.executemany(table.replace, table.ordered(chunk))
        else:
            self._database.executemany(table.replace, (table.values(row) for row in chunk.rows))


class _Table:
    """Statements of one table, and how values from the wire become SQLite's."""

    def __init__(self, model: type[models.Model]) -> None:
        meta = orm.meta(model)
        self._fields = meta.concrete_fields
        columns = ", ".join(f'"{field.column}"' for field in self._fields)
        marks = ", ".join("?" for _ in self._fields)
        # REPLACE: between chunks of a snapshot a unique value may have moved to another row.
        self.replace = f'INSERT OR REPLACE INTO "{meta.db_table}" ({columns}) VALUES ({marks})'  # noqa: S608
        self.delete = f'DELETE FROM "{meta.db_table}" WHERE "{meta.pk.column}" = ?'  # noqa: S608
        self.clear = f'DELETE FROM "{meta.db_table}"'  # noqa: S608

    def ordered(self, chunk: SnapshotChunk) -> Iterator[contents.Values]:
        """The rows of a chunk by column in the order of `replace`; as `values`."""
        known = dict(zip(chunk.columns, chunk.values, strict=True)) if chunk.count else {}
        columns = [
            known[field.column] if field.column in known else [_to_sqlite(field, field.get_default())]
            for field in self._fields
        ]
        return contents.unfolded(columns, chunk.count)

    def values(self, row: dict[str, Any]) -> list[Any]:
        """The row's values in the order of `replace`; columns the sender does not know get their defaults."""
        return [
            _to_sqlite(field, row[field.column] if field.column in row else field.get_default())
            for field in self._fields
        ]


def _to_sqlite(field: Any, value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str) and isinstance(field, models.CharField | models.TextField):
        return value
    value = field.to_python(value)
    if isinstance(value, datetime.datetime) and timezone.is_naive(value):
        value = timezone.make_aware(value, datetime.UTC)  # SQLite keeps times in UTC without saying so
    return field.get_db_prep_save(value, _dialect())


@functools.cache
def _dialect() -> DatabaseWrapper:
    """SQLite's way to write values, whatever Django's own database is."""
    return DatabaseWrapper({"TIME_ZONE": None})
