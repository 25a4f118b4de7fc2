"""The local database of a node: one SQLite file holding the same tables as the Management Node."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

import django
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

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
