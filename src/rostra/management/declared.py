"""Every table of the status and history APIs, and every command."""

from __future__ import annotations

from rostra.management import commands as general
from rostra.management import history_tables, status_tables
from rostra.management.api.tables import Table
from rostra.management.commands import Command


def tables() -> tuple[Table, ...]:
    return (*status_tables.TABLES, *history_tables.TABLES)


def table(api: str, name: str) -> Table | None:
    """The table served as `name`; None when there is none."""
    return next((one for one in tables() if (one.api, one.name) == (api, name)), None)


def commands() -> tuple[Command, ...]:
    return general.COMMANDS
