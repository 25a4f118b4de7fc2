"""Waits that end: at a PIN prompt, in the waiting room, and of Guests whose Hosts have left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rostra.conference.roster import Participant
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import ServiceType

WAITED_LONG = "Timeout waiting for conference host to join or permit access to locked conference"
"""API-150."""
NO_PIN = "Timeout waiting for the PIN"
HOSTS_LEFT = "All conference hosts departed hosted conference"
"""API-017, after CONF-062."""


class Patience:
    """The timers of one conference; `expire` gets the participant and the reason it is removed for."""

    def __init__(
        self, service: ServiceDescription, expire: Callable[[str, str], None], hosts_gone: Callable[[], None]
    ) -> None:
        """`hosts_gone`: Guests have been without a Host for as long as the service allows."""
        self._limits = {
            ServiceType.WAITING_ROOM: (service.waiting_timeout, WAITED_LONG),
            ServiceType.IVR: (service.pin_entry_timeout, NO_PIN),
        }
        self._guests_only_timeout = service.guests_only_timeout
        self._expire = expire
        self._hosts_gone = hosts_gone
        self._waits: dict[str, tuple[ServiceType, asyncio.TimerHandle]] = {}
        self._guests_only: asyncio.TimerHandle | None = None

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

    def guests_only(self, alone: bool) -> None:
        """Are there Guests in a running conference without any Host? Safe to repeat."""
        if self._guests_only and not alone:
            self._guests_only.cancel()
            self._guests_only = None
        elif alone and not self._guests_only:
            self._guests_only = asyncio.get_running_loop().call_later(self._guests_only_timeout, self._alone_for_long)

    def close(self) -> None:
        self.guests_only(False)
        for participant in list(self._waits):
            self.forget(participant)

    def __len__(self) -> int:
        """Timers running."""
        return len(self._waits) + (self._guests_only is not None)

    def _over(self, participant: str, reason: str) -> None:
        self._waits.pop(participant, None)
        self._expire(participant, reason)

    def _alone_for_long(self) -> None:
        self._guests_only = None
        self._hosts_gone()
