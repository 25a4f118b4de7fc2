"""The file behind the outbox. Runs in one thread; opens itself again after a failure."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

logger = structlog.get_logger("rostra.fabric.outbox")

_DROPPED_AT_ONCE = 0.01
"""Part of the limit that is dropped when it is reached, so that not every further event drops one."""
_OVERHEAD = 100
"""Bytes a row takes beside its event, about."""


class Kept(NamedTuple):
    """An event on its way."""

    key: int
    """Place in the file; 0: not in it."""
    node: str
    boot: str
    sequence: int
    event: bytes


class Store:
    """Events in the order they were added."""

    def __init__(self, path: Path, *, most_events: int, most_bytes: int) -> None:
        self._path = path
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._database: sqlite3.Connection | None = None
        self._events = 0
        self._bytes = 0
        self._removed = 0
        """Key of the last event that is done with, should deleting it have failed."""

    def open(self) -> int:
        """Make the file ready; returns how many events wait in it. Raises sqlite3.Error or OSError."""
        self._ready()
        return self._events

    def add(self, events: Sequence[Kept]) -> int:
        """Append, durably; returns how many older events had to be dropped. Raises sqlite3.Error or OSError."""
        database = self._ready()
        size = sum(len(kept.event) + _OVERHEAD for kept in events)
        with database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO event (node, boot, sequence, content) VALUES (?, ?, ?, ?)", (kept[1:] for kept in events)
            )
        self._events += len(events)
        self._bytes += size
        return self._shrink(database)

    def first(self, count: int, size: int) -> list[Kept]:
        """The oldest events: at most `count` and, after the first, `size` bytes. Raises like `add`."""
        found: list[Kept] = []
        rows = self._ready().execute(
            "SELECT key, node, boot, sequence, content FROM event WHERE key > ? ORDER BY key LIMIT ?",
            (self._removed, count),
        )
        for row in rows:
            size -= len(row[4])
            if found and size < 0:
                break
            found.append(Kept(*row))
        rows.close()
        return found

    def remove(self, key: int) -> None:
        """Delete everything up to `key`; it is not given out again even if that fails. Raises like `add`."""
        self._removed = max(self._removed, key)
        self._delete(self._ready(), self._removed)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _ready(self) -> sqlite3.Connection:
        if self._database is None:
            try:
                self._database = self._connect()
            except sqlite3.OperationalError:
                raise  # no room, no permission: it may pass
            except sqlite3.DatabaseError as problem:
                aside = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
                logger.error("The outbox's file is damaged; it is put aside", file=aside.name, problem=str(problem))
                self._path.rename(aside)
                self._removed = 0
                self._database = self._connect()
        return self._database

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with contextlib.ExitStack() as failing:
            database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            failing.callback(database.close)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS event (key INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, "
                "boot TEXT NOT NULL, sequence INTEGER NOT NULL, content BLOB NOT NULL)"
            )
            self._events, self._bytes = database.execute(
                f"SELECT count(*), coalesce(sum(length(content) + {_OVERHEAD}), 0) FROM event"  # noqa: S608 - a number
            ).fetchone()
            failing.pop_all()
        return database

    def _shrink(self, database: sqlite3.Connection) -> int:
        if self._events <= self._most_events and self._bytes <= self._most_bytes:
            return 0
        surplus = self._events - self._most_events
        if self._bytes > self._most_bytes:
            surplus = max(surplus, (self._bytes - self._most_bytes) * self._events // self._bytes)
        surplus = min(self._events, surplus + 1 + int(self._most_events * _DROPPED_AT_ONCE))
        row = database.execute("SELECT key FROM event ORDER BY key LIMIT 1 OFFSET ?", (surplus - 1,)).fetchone()
        before = self._events
        self._delete(database, row[0])
        return before - self._events

    def _delete(self, database: sqlite3.Connection, key: int) -> None:
        count, size = database.execute(
            f"SELECT count(*), coalesce(sum(length(content) + {_OVERHEAD}), 0) FROM event WHERE key <= ?",  # noqa: S608
            (key,),
        ).fetchone()
        database.execute("DELETE FROM event WHERE key <= ?", (key,))
        self._events -= count
        self._bytes -= size
