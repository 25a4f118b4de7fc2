"""Who is let in when: waiting rooms, locks, PIN prompts, and Guests whose Hosts are gone, of those signalled here."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
import structlog

from rostra.conference.audience import Audience
from rostra.conference.closing import Closing, counts
from rostra.conference.events import RoleChanged
from rostra.conference.here import Here
from rostra.conference.patience import Patience
from rostra.conference.production import Production
from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.state import CALLED, SEEN, SINCE, STARTED_BY_HAND, Changes
from rostra.conference.tones import SEATED
from rostra.domain.admission import held_by_lock, place
from rostra.domain.ending import End
from rostra.domain.service import Service
from rostra.domain.theme import HOST_HAS_LEFT
from rostra.domain.vocabulary import Role, ServiceType

logger = structlog.get_logger("rostra.conference")

WATCHED = frozenset({STARTED_BY_HAND, SEEN, *(f"{SINCE}{end.name}" for end in End)})
"""Registers on which the end of the conference depends."""


class Seating:
    """Owned by the instance; `members` are the participants signalled here, `throw_out` removes one of them."""

    def __init__(
        self, shared: Shared, service: Service, members: Collection[str], audience: Audience,
        production: Production, throw_out: Callable[[str, str], None], *, here: Here,
        play: Callable[[str, str], None], knock: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`play` lets one of ours hear a sound of the theme; `knock` lets all inside hear that somebody waits."""
        self._shared = shared
        self._state = shared.state
        self._service = service
        self._members = members
        self._audience = audience
        self._production = production
        self._throw_out = throw_out
        self._admitted: set[str] = set()
        self._play = play
        self._knock = knock
        self._knocked: set[str] = set()
        self._node = here.node
        self._patience = Patience(service.description, throw_out)
        limits = msgspec.structs.replace(service.description.ending, hosted=service.access.pin_asked)
        self._closing = Closing(shared, here.node, limits, here.now, self._end, self._warn)

    def arrive(self, participant: Participant) -> Participant:
        """Where somebody goes who has just come."""
        if participant.service_type is ServiceType.CONFERENCE:
            if not self._state.incomplete and not any(counts(one) for one in self._state):
                self._reset()  # a node may have it still that nobody is in any more
            if not self._service.access.pin_asked and not self._state.flags.started:
                self._shared.write(self._state.set(started=True))
            participant = msgspec.structs.replace(participant, service_type=self._place(participant))
        if participant.role is Role.GUEST and self._state.flags.guests_muted:
            participant = msgspec.structs.replace(participant, is_muted=True)
        return participant

    def answer(self, participant: str, role: Role) -> None:
        """A PIN was given, or is needed no more: the participant goes on."""
        known = self._state.get(participant)
        if known is not None and known.joined:
            self.change_role(participant, role)
            return
        muted = role is Role.GUEST and self._state.flags.guests_muted
        self.update(participant, prompt="", splash="", role=role, is_muted=muted)
        self.seat(participant)

    def answered(self, participant: str, vendor: str = "") -> None:
        """A called party has answered. The first of a conference without PINs starts it, as anybody would."""
        self.update(participant, vendor=vendor, is_ringing=False)
        if not self._service.access.pin_asked and not self._state.flags.started:
            self._shared.write(self._state.set(started=True))
        self.seat(participant)

    def asked(self, participant: str) -> bool:
        """Is it in front of a question?"""
        known = self._state.get(participant)
        return known is not None and known.service_type is ServiceType.IVR

    def change_role(self, participant: str, role: Role) -> None:
        known = self._state.get(participant)
        if known is None or known.role is role:
            return
        muted = known.is_muted
        if self._state.flags.guests_muted:  # meant for Guests, so it goes with the role (CONF-169)
            muted = role is Role.GUEST
        self.update(participant, role=role, is_muted=muted)
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
        self._knocked.discard(participant)

    def follow(self, changes: Changes) -> None:
        """Let our own participants follow what has changed."""
        for participant in (*changes.created, *changes.updated):
            if participant.uuid in self._members:
                self._patience.follow(participant)
                self._announce(participant)
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
        self._keep_started()
        if changes or changes.registers & WATCHED:
            self._closing.look()
            self._begin_anew()

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

    def update(self, participant: str, **members: object) -> bool:
        """Change the entry of a participant signalled here; was it another?"""
        known = self._state.get(participant)
        changed = msgspec.structs.replace(known, **members) if known is not None else None
        if changed is None or changed == known:
            return False
        self._shared.write(self._state.put(changed))
        return True

    def close(self) -> None:
        self._patience.close()
        self._closing.close()

    def _own(self) -> list[Participant]:
        return [known for uuid in self._members if (known := self._state.get(uuid)) is not None]

    def _place(self, participant: Participant) -> ServiceType:
        if self._service.onward is not None:
            return ServiceType.GATEWAY
        flags = self._state.flags
        locked = flags.locked and not participant.bypass_lock and participant.uuid not in self._admitted
        return place(
            participant.role, self._service.access, locked=locked, started=flags.started,
            lecture=self._service.description.service_type == "lecture",
        )  # fmt: skip

    def _announce(self, participant: Participant) -> None:
        """All inside hear once of each who waits because of the lock (CONF-133, REF-036)."""
        if participant.service_type is not ServiceType.WAITING_ROOM or participant.uuid in self._knocked:
            return
        if held_by_lock(participant.role, self._service.access, locked=self._state.flags.locked):
            self._knocked.add(participant.uuid)
            self._knock(participant.uuid)

    def _keep_started(self) -> None:
        """What another node that knew less has said of the start does not hold against who is in."""
        if self._state.flags.started:
            return
        for known in self._own():
            if known.joined and known.service_type in SEATED and not self._service.access.pin_asked:
                self._shared.write(self._state.set(started=True))
                return
            self.start_if_hosted(known.uuid)

    def _warn(self, end: End) -> None:
        """The last Host has left: those who stay are told (REF-034)."""
        if end is End.HOSTS_LEFT:
            for guest in self._own():
                if guest.has_media and (guest.joined or guest.service_type is ServiceType.WAITING_ROOM):
                    self._play(guest.uuid, HOST_HAS_LEFT)

    def _end(self, end: End) -> None:
        """The conference is over for all of ours but those who have yet to come in."""
        logger.info("Conference ends.", conference=self._service.description.name, reason=end.text)
        for uuid in [known.uuid for known in self._own() if counts(known)]:
            self._throw_out(uuid, end.text)

    def _begin_anew(self) -> None:
        """Nobody is in or waits any more, but somebody is still asked for a PIN: that will be another conference."""
        people = list(self._state)
        if not people or self._state.incomplete or any(counts(one) for one in people):
            return
        if self._node == min(one.node for one in people):
            self._reset()

    def _reset(self) -> None:
        """What has been of the conference counts no more."""
        if self._state.register(SEEN):
            self._closing.forget()
            self._shared.write(
                self._state.set(
                    started=self._state.initial.started,
                    started_by_hand=(),
                    locked=self._service.description.locked,
                    guests_muted=self._state.initial.guests_muted,
                    **{CALLED: False},
                )
            )

    def __len__(self) -> int:
        """Timers running."""
        return len(self._patience) + self._closing.running
