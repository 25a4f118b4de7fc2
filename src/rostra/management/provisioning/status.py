"""The status resource `conference_sync` (sheet 10, 3.1; DIAG-070)."""

from __future__ import annotations

from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.provisioning.kinds import KINDS
from rostra.management.provisioning.models import SyncStatus

_WORDS = {"vmrs": "VMRs", "devices": "Device aliases", "end_users": "Users"}
_COUNTERS = tuple(
    Column(f"{kind.counted}_{what}", "integer", f"{_WORDS[kind.counted]} that were {done} in this run.")
    for kind in KINDS
    for what, done in (
        ("created", "made"),
        ("deleted", "deleted"),
        ("unchanged", "left as they were"),
        ("updated", "changed"),
    )
)
COLUMNS = (
    Column("configuration_id", "integer", "Number of the template."),
    Column("id", "integer", "Identifier."),
    Column("last_updated", "datetime", "When this changed last.", title="Last updated"),
    Column("sync_errors", "integer", "Warnings of this run.", title="Warnings"),
    Column("sync_last_error_description", "string", "The last of the warnings.", title="Last warning"),
    Column("sync_progress", "integer", "Percent of the run that is done.", title="Progress"),
    Column("sync_status", "string", "How far the run is, or how it ended.", title="Status"),
    *_COUNTERS,
)


def rows() -> list[Row]:
    """The latest run of every template that was ever run."""
    templates = set(ConferenceSyncTemplate.objects.values_list("pk", flat=True))
    return [
        {column.name: getattr(row, column.name) for column in COLUMNS}
        for row in SyncStatus.objects.all()
        if row.configuration_id in templates
    ]


TABLE = Table(
    api="status",
    name="conference_sync",
    title="LDAP Sync Status",
    summary="The latest run of every LDAP sync template, or the one that goes on.",
    columns=COLUMNS,
    source=MemorySource(rows),
    default_order=("configuration_id",),
)
