"""Where the rows of the status API get what they are made from: one look at the platform for each request."""

from __future__ import annotations

import msgspec

from rostra.configuration import journal
from rostra.fabric.peers import NodeReport
from rostra.management.directory import Directory
from rostra.management.history.models import NodeContact
from rostra.management.status import platform
from rostra.management.status_rows import Contact, View
from rostra.management.upgrades import running


def view(*, fresh: bool = True) -> View:
    """What is there now; not `fresh`: a moment ago."""
    snapshot = platform().snapshot(fresh=fresh)
    contacts: dict[str, Contact] = {}
    for row in NodeContact.objects.all():
        try:
            report = msgspec.convert(row.report, NodeReport)
        except msgspec.ValidationError:  # noted by another version
            report = NodeReport(node=row.node, boot=row.boot)
        contacts[row.node] = Contact(row.last_reported, row.last_updated, report)
    return View(snapshot, Directory.load(), contacts, journal.position(), running.going_on())
