"""The local database of a node: one SQLite file holding the same tables as the Management Node.

It can be damaged, by a disk or by hand. Nothing in it is only there, so it is set aside then and fetched again.
Whoever reads it past `Replica` says what he came across (`suspect`) and opens it again when `edition` has changed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path

import django
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from rostra.configuration import orm

APP = "rostra.configuration.apps.ConfigurationConfig"


def sqlite(path: Path) -> dict[str, object]:
    """Django's settings for the SQLite database at `path`, opened by `open_database`'s rules."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


def configure(path: Path) -> None:
    """Configure Django with the configuration app alone and the database at `path`, unless it is configured."""
    if not settings.configured:
        settings.configure(
            DATABASES={DEFAULT_DB_ALIAS: sqlite(path)},
            INSTALLED_APPS=[APP],
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        )
    django.setup()


def setup(path: Path) -> None:
    """See `rostra.configuration.setup_node`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # it holds PINs
    configure(path)
    with _connection(path) as alias:
        executor = MigrationExecutor(connections[alias])
        executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "configuration"])


@contextlib.contextmanager
def _connection(path: Path) -> Generator[str]:
    """A connection of Django's to `path` for the time of the block; yields its alias."""
    alias = f"local:{path}"
    connections.databases[alias] = sqlite(path)
    connections.configure_settings(connections.databases)  # fills in the defaults of the new entry
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]


def open_database(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a local database past Django: autocommit, no foreign key checks (the Management Node made them)."""
    database = sqlite3.connect(
        f"file:{path}?mode={'ro' if read_only else 'rw'}", uri=True, isolation_level=None, check_same_thread=False
    )
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA busy_timeout=20000")
    database.execute("PRAGMA synchronous=NORMAL")
    return database


class Damaged(Exception):
    """A local database that is not one, or not ours, any more."""


_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # a table or column is not there
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_SCHEMA,
    }
)


def is_damage(problem: BaseException | None) -> bool:
    """Does an error of the database mean that its file is damaged, and not that it is busy, or the disk full?"""
    while isinstance(problem, DatabaseError):
        problem = problem.__cause__ or problem.__context__
    if not isinstance(problem, sqlite3.DatabaseError):
        return isinstance(problem, Damaged)
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_OK)  # Python's own errors have none
    return code & 0xFF in _DAMAGE


@contextlib.contextmanager
def noticing_damage() -> Generator[None]:
    """Errors within that mean damage become Damaged."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as problem:
        if not is_damage(problem):
            raise
        raise Damaged(str(problem)) from problem


def check(database: sqlite3.Connection, tables: Iterable[type[models.Model]]) -> None:
    """Raises Damaged or sqlite3.DatabaseError when pages are broken or tables are others than `tables`."""
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise Damaged(found)
    for table in tables:
        meta = orm.meta(table)
        there = {row[0] for row in database.execute("SELECT name FROM pragma_table_info(?)", (meta.db_table,))}
        if there != {field.column for field in meta.concrete_fields}:
            raise Damaged(f"the columns of {meta.db_table} are others")


def put_in_place(fresh: Path | None, path: Path) -> Path:
    """Set the database at `path` aside, closed or not, and put the closed one at `fresh` there, if any.

    Returns where the old one is now; one set aside earlier is overwritten.
    """
    aside = path.with_name(f"{path.name}.damaged")
    _move(path, aside)
    if fresh is not None:
        _move(fresh, path)
    _editions[path] += 1
    _suspected.discard(path)
    return aside


def remove(path: Path) -> None:
    """Delete the database at `path`, if there is one."""
    for end in _ENDS:
        path.with_name(path.name + end).unlink(missing_ok=True)


_ENDS = ("-wal", "-shm", "")


def _move(source: Path, target: Path) -> None:
    remove(target)
    for end in _ENDS:
        part = source.with_name(source.name + end)
        if part.exists():
            part.replace(target.with_name(target.name + end))


_editions: Counter[Path] = Counter()
_suspected: set[Path] = set()


def edition(path: Path) -> int:
    """Counts how often another file has taken this place since the process began."""
    return _editions[path]


def suspect(path: Path) -> None:
    """Say that the database at `path` is damaged; from any thread."""
    _suspected.add(path)


def is_suspected(path: Path) -> bool:
    return path in _suspected
