"""Waits that end: at a PIN prompt, in the waiting room, and in front of a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rostra.conference.roster import Participant
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import ServiceType

WAITED_LONG = "Timeout waiting for conference host to join or permit access to locked conference"
"""API-150."""
NO_PIN = "Timeout waiting for the PIN"
NO_NUMBER = "Timeout waiting for a conference number"
REFUSED = 20.0
"""Seconds that somebody without media stays in front of a refusal nobody sees."""


class Patience:
    """The timers of one conference; `expire` gets the participant and the reason it is removed for."""

    def __init__(self, service: ServiceDescription, expire: Callable[[str, str], None]) -> None:
        reception = service.service_type == "two_stage_dialing"
        self._limits = {
            ServiceType.WAITING_ROOM: (service.waiting_timeout, WAITED_LONG),
            # a reception says so itself first
            ServiceType.IVR: (service.pin_entry_timeout + REFUSED * reception, NO_NUMBER if reception else NO_PIN),
            ServiceType.INSUFFICIENT_CAPACITY: (REFUSED, "Participant limit reached"),
            ServiceType.INSUFFICIENT_LICENSES: (REFUSED, "Insufficient licenses"),
            ServiceType.INVALID_LICENSE: (REFUSED, "Invalid license"),
        }
        self._expire = expire
        self._waits: dict[str, tuple[ServiceType, asyncio.TimerHandle]] = {}

    def follow(self, participant: Participant) -> None:
        """The participant is where it says now: a wait begins, goes on, or is over."""
        where = participant.service_type
        known = self._waits.get(participant.uuid)
        if known and known[0] is where:
            return
        self.forget(participant.uuid)
        if where in self._limits:
            delay, reason = self._limits[where]
            timer = asyncio.get_running_loop().call_later(delay, self._over, participant.uuid, reason)
            self._waits[participant.uuid] = (where, timer)

    def forget(self, participant: str) -> None:
        known = self._waits.pop(participant, None)
        if known:
            known[1].cancel()

    def close(self) -> None:
        for participant in list(self._waits):
            self.forget(participant)

    def __len__(self) -> int:
        """Timers running."""
        return len(self._waits)

    def _over(self, participant: str, reason: str) -> None:
        self._waits.pop(participant, None)
        self._expire(participant, reason)
