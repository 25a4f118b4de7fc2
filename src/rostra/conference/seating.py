"""Who is let in when: waiting rooms, locks, PIN prompts, and Guests whose Hosts are gone, of those signalled here."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from rostra.conference.audience import Audience
from rostra.conference.events import RoleChanged
from rostra.conference.patience import HOSTS_LEFT, Patience
from rostra.conference.production import Production
from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.state import STARTED_BY_HAND, Changes
from rostra.domain.admission import place
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role, ServiceType


class Seating:
    """Owned by the instance; `members` are the participants signalled here, `throw_out` removes one of them."""

    def __init__(
        self, shared: Shared, service: Service, members: Collection[str], audience: Audience,
        production: Production, throw_out: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self._shared = shared
        self._state = shared.state
        self._service = service
        self._members = members
        self._audience = audience
        self._production = production
        self._throw_out = throw_out
        self._admitted: set[str] = set()
        self._patience = Patience(service.description, throw_out, self._end_without_hosts)

    def arrive(self, participant: Participant) -> Participant:
        """Where somebody goes who has just come."""
        if participant.service_type is ServiceType.CONFERENCE:
            if not self._service.access.pin_asked and participant.role is Role.HOST:
                self._shared.write(self._state.set(started=True))
            participant = msgspec.structs.replace(participant, service_type=self._place(participant))
        if participant.role is Role.GUEST and self._state.flags.guests_muted:
            participant = msgspec.structs.replace(participant, is_muted=True)
        return participant

    def answer(self, participant: str, role: Role | None, prompt: str = "") -> None:
        """A prompt was answered: with a `role` the participant goes on, else it is asked again."""
        if role is None:
            self.update(participant, prompt=prompt)
            return
        muted = role is Role.GUEST and self._state.flags.guests_muted
        self.update(participant, prompt="", role=role, is_muted=muted)
        self.seat(participant)

    def change_role(self, participant: str, role: Role) -> None:
        known = self._state.get(participant)
        if known is None or known.role is role:
            return
        if known.service_type is ServiceType.IVR:
            self.answer(participant, role)
        else:
            self.update(participant, role=role)
            self.seat(participant)
        self._audience.tell(participant, RoleChanged())

    def admit(self, participant: str) -> None:
        """Let in one who waits, unless it is a Guest before the start."""
        known = self._state.get(participant)
        if known is None or known.service_type is not ServiceType.WAITING_ROOM:
            return
        if known.role is Role.GUEST and not self._state.flags.started:
            return
        self._admitted.add(participant)
        self.seat(participant)

    def forget(self, participant: str) -> None:
        """It has left."""
        self._admitted.discard(participant)

    def follow(self, changes: Changes) -> None:
        """Let our own participants follow what has changed."""
        for participant in (*changes.created, *changes.updated):
            if participant.uuid in self._members:
                self._patience.follow(participant)
        for uuid in changes.deleted:
            self._patience.forget(uuid)
        if "guests_muted" in changes.registers:
            for guest in self._own():
                if guest.role is Role.GUEST:
                    self.update(guest.uuid, is_muted=self._state.flags.guests_muted)
        if changes.flags:
            for waiting in self._own():
                if waiting.service_type is ServiceType.WAITING_ROOM:
                    self.seat(waiting.uuid)
        if changes or STARTED_BY_HAND in changes.registers:
            self._watch_hosts()

    def seat(self, participant: str) -> None:
        """Put somebody who has not joined where it belongs now; who comes in gets the whole roster (API-055)."""
        known = self._state.get(participant)
        if known is not None and not known.joined:
            placed = self._place(known)
            self.update(participant, service_type=placed)
            if placed is not ServiceType.WAITING_ROOM:
                self._audience.tell(participant, *self._audience.roster(participant), self._production.stage())
        self.start_if_hosted(participant)

    def start_if_hosted(self, participant: str) -> None:
        """A Host with media starts the conference."""
        known = self._state.get(participant)
        started = self._state.flags.started
        if known and known.role is Role.HOST and known.has_media and known.joined and not started:
            self._shared.write(self._state.set(started=True))

    def update(self, participant: str, **members: object) -> None:
        """Change the entry of a participant signalled here."""
        known = self._state.get(participant)
        if known is not None:
            changed = msgspec.structs.replace(known, **members)
            if changed != known:
                self._shared.write(self._state.put(changed))

    def close(self) -> None:
        self._patience.close()

    def _own(self) -> list[Participant]:
        return [known for uuid in self._members if (known := self._state.get(uuid)) is not None]

    def _place(self, participant: Participant) -> ServiceType:
        flags = self._state.flags
        locked = flags.locked and participant.uuid not in self._admitted
        return place(
            participant.role, self._service.access, locked=locked, started=flags.started,
            lecture=self._service.description.service_type == "lecture",
        )  # fmt: skip

    def _watch_hosts(self) -> None:
        """Guests are alone when no Host with media, or who started by hand, is in (CONF-062, CONF-160)."""
        started_by_hand = self._state.register(STARTED_BY_HAND) is True
        hosts = [p for p in self._state if p.role is Role.HOST and p.joined]
        hosted = any(host.has_media or started_by_hand for host in hosts)
        guests = any(p.role is Role.GUEST for p in self._own())
        self._patience.guests_only(self._state.flags.started and guests and not hosted)

    def _end_without_hosts(self) -> None:
        for guest in [p.uuid for p in self._own() if p.role is Role.GUEST]:
            self._throw_out(guest, HOSTS_LEFT)

    def __len__(self) -> int:
        """Timers running."""
        return len(self._patience)
