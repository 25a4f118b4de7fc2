"""Members that say what they must not, for as long as they do: what alarms are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

ALARM = "fabric_message_refused"
"""Name of the alarm."""
HELD = 600.0
"""Seconds after its last refused message for which a member is held to do it still."""

Tell = Callable[[str, str, bool], None]
"""Told the member (or `unknown`), what it did, and whether it does it now."""


class Refusals:
    """Follows one connection: give `heard` to `Bus.on_refused`. Belongs to the event loop."""

    def __init__(self, tell: Tell, held: float = HELD) -> None:
        self._tell = tell
        self._held = held
        self._up: dict[str, asyncio.TimerHandle] = {}

    def heard(self, member: str, subject: str, reason: str) -> None:
        """A message of this member was refused."""
        member = member or "unknown"
        before = self._up.pop(member, None)
        if before is None:
            self._tell(member, f"{subject}: {reason}", True)
        else:
            before.cancel()
        self._up[member] = asyncio.get_running_loop().call_later(self._held, self._over, member)

    def _over(self, member: str) -> None:
        del self._up[member]
        self._tell(member, "", False)

    def close(self) -> None:
        for timer in self._up.values():
            timer.cancel()
        self._up.clear()
