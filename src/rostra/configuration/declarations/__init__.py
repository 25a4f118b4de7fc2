"""Which models are resources: a module for each menu of the site. The order is that of snapshots."""

from __future__ import annotations

from rostra.configuration.declarations import (
    call_control,
    certificates,
    events,
    identity,
    platform,
    services,
    system,
    themes,
    users,
)
from rostra.configuration.models import FabricMember, StoredFile, StoredPart
from rostra.configuration.resources import register

__all__ = ["call_control", "certificates", "events", "identity", "platform", "services", "system", "themes", "users"]

register.replicate(FabricMember, "fabric_member")
register.replicate(StoredFile, "stored_file")
register.replicate(StoredPart, "stored_part")
