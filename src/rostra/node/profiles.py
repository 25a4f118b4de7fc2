"""The policy profile of this node's location, with its password opened, and an alarm while that is not possible."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from rostra.configuration import sealing
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import PolicyRow
from rostra.domain.history import AlarmChanged, Event
from rostra.node.geography import Geography
from rostra.policy.profile import NONE, Profile

logger = structlog.get_logger("rostra.policy")

ALARM = "policy_profile_locked"
"""Name of the alarm."""
_PASSWORD = "configuration_policyserver.password"  # noqa: S105 - the name of a column
_OF_INTEREST = frozenset({"policy_server", "system_location", "worker_vm"})


class Profiles:
    """Of one node."""

    def __init__(self, lookup: Lookup, geography: Geography, record: Callable[[Event], None]) -> None:
        """`record` takes the alarm."""
        self._lookup = lookup
        self._geography = geography
        self._record = record
        self._profile: Profile | None = None
        self._alarmed = ""
        """Name of the profile that the alarm is about."""
        self.taken: Callable[[Profile], None] = lambda _: None
        """Told of one that is in use from now on."""

    def changed(self, resource: str) -> None:
        """A configured row is another one now."""
        if resource in _OF_INTEREST:
            self._profile = None
            if self._alarmed:  # it shall not stay until the next call
                _ = self.current

    @property
    def current(self) -> Profile:
        """The one in use; NONE where the location has none (POL-001).

        One whose password cannot be opened counts as one whose server does not answer: its scripts run, and what it
        decides is not taken for nobody's business. The platform's key may still come: each call tries again.
        """
        if self._profile is not None:
            return self._profile
        row = self._lookup.policy_of(self._geography.location)
        found = NONE if row is None else profile_of(row)
        self._tell(found)
        if not found.locked:
            self._profile = found
            self.taken(found)
        return found

    def _tell(self, found: Profile) -> None:
        now = found.name if found.locked else ""
        if now == self._alarmed:
            return
        before, self._alarmed = self._alarmed, now
        if before:
            self._record(AlarmChanged(time=time.time(), name=ALARM, up=False, instance=before))
        if now:
            logger.error("The password of the policy profile cannot be opened", profile=now)
            details = "The node does not have the key that the password was sealed with. The server is not asked."
            self._record(AlarmChanged(time=time.time(), name=ALARM, instance=now, details=details))


def profile_of(row: PolicyRow) -> Profile:
    """A configured profile with its password opened, or marked as locked."""
    values: dict[str, Any] = msgspec.structs.asdict(row)
    try:
        values["password"] = sealing.unseal(_PASSWORD, row.password) if row.password else ""
    except sealing.Locked:
        values |= {"password": "", "locked": True}
    return Profile(**values)
