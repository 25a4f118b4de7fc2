"""Every table of the status and history APIs, and every command."""

from __future__ import annotations

from rostra.management import cloud_tables, control, history_tables, status_tables
from rostra.management import commands as general
from rostra.management.accounts import history as accounts
from rostra.management.alarms import tables as alarms
from rostra.management.api.tables import Table
from rostra.management.backups import commands as backups
from rostra.management.backups import jobs
from rostra.management.certificates import commands as certificates
from rostra.management.commands import Command
from rostra.management.licences import status as licences
from rostra.management.provisioning import commands as provisioning
from rostra.management.provisioning import status as synchronisation
from rostra.management.snapshots import commands as snapshots
from rostra.management.snapshots import keeping as snapshot_files
from rostra.management.upgrades import commands as upgrades


def tables() -> tuple[Table, ...]:
    return (
        *status_tables.TABLES,
        *cloud_tables.TABLES,
        *history_tables.TABLES,
        accounts.TABLE,
        *alarms.TABLES,
        jobs.TABLE,
        snapshot_files.TABLE,
        licences.TABLE,
        synchronisation.TABLE,
    )


def table(api: str, name: str) -> Table | None:
    """The table served as `name`; None when there is none."""
    return next((one for one in tables() if (one.api, one.name) == (api, name)), None)


def commands() -> tuple[Command, ...]:
    return (
        *general.COMMANDS,
        *control.COMMANDS,
        *cloud_tables.COMMANDS,
        *backups.COMMANDS,
        *snapshots.COMMANDS,
        *upgrades.COMMANDS,
        *certificates.COMMANDS,
        *provisioning.COMMANDS,
    )


def command(scope: str, name: str) -> Command | None:
    """The command of that name, or of one that clients have for it."""
    wanted = control.ALIASES.get((scope, name), (scope, name))
    return next((one for one in commands() if (one.scope, one.name) == wanted), None)
