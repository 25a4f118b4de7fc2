"""The alarm about licences that end soon (DIAG-106)."""

from __future__ import annotations

import time

from rostra.domain import licensing
from rostra.management.alarms.raising import Wanted
from rostra.management.licences import keeping

EXPIRING = "licenses_expiring"


def look() -> list[Wanted]:
    """One alarm, whichever licences it is about."""
    due = licensing.expiring(keeping.current(), time.time())
    if not due:
        return []
    return [Wanted(EXPIRING, details=", ".join(sorted(f"{one.id}: {one.end}" for one in due)))]
