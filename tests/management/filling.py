"""A node's own database beside the Management Node's; stands in for the fabric between them."""

from __future__ import annotations

from rostra.configuration import journal
from rostra.configuration.changes import SnapshotRequest
from rostra.configuration.replica import Replica


def fill(replica: Replica) -> None:
    """Load all that the Management Node has."""
    chunk = journal.chunk(SnapshotRequest())
    with replica.snapshot() as load:
        load.add(chunk)
        while chunk.next_table:
            chunk = journal.chunk(SnapshotRequest(chunk.next_table, chunk.next_after))
            load.add(chunk)
