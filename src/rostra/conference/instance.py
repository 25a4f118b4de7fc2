"""One running conference on one node: the roster, its rules over time, and who is told what.

All methods run on the node's event loop and change state synchronously, so events have one common order
(API-015). Decisions come from `domain`; media is the director's business.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Protocol

import msgspec
import structlog

from rostra.conference.director import MediaDirector
from rostra.conference.events import (
    ConferenceEvent,
    ConferenceUpdated,
    MessageReceived,
    ParticipantCreated,
    ParticipantDeleted,
    ParticipantUpdated,
    Removed,
    RoleChanged,
    StageChanged,
    SyncBegan,
    SyncEnded,
)  # fmt: skip
from rostra.conference.feed import Feed
from rostra.conference.patience import HOSTS_LEFT, Patience
from rostra.conference.production import Production
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.conference.state import Changes, ConferenceState, Delta
from rostra.domain.admission import place
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role, ServiceType
from rostra.media.client import MediaFailure, WorkerLost
from rostra.media.messages import DtmfReceived, Event, FirstPicture, LegConnected, LegFailed, Levels
from rostra.media.pool import WorkerPool

logger = structlog.get_logger("rostra.conference")


class Member(Protocol):
    """How the conference reaches the session of a participant signalled here. Must not block or raise."""

    def removed(self, reason: str) -> None: ...

    def media_lost(self, call: str) -> None: ...

    def call_failed(self, call: str, reason: str) -> None: ...

    def pressed(self, digit: str) -> None: ...


class ConferenceInstance:
    """A running conference. Ends (calls `on_empty`) when the last participant has left."""

    def __init__(
        self, identity: str, service: Service, node: str, pool: WorkerPool, now: Callable[[], float],
        on_empty: Callable[[ConferenceInstance], None],
    ) -> None:  # fmt: skip
        self._id = identity
        self._service = service
        self._now = now
        self._on_empty = on_empty
        description = service.description
        self._state = ConferenceState(
            node,
            ConferenceFlags(
                guests_muted=description.mute_all_guests,
                guests_can_present=description.guests_can_present,
                chat_enabled=description.enable_chat,
            ),
        )
        self.director = MediaDirector(pool, identity, description.name, self)
        self._feed = Feed()
        self._production = Production(self._state, description, self.director, self._feed.tell)
        self._members: dict[str, Member] = {}
        self._admitted: set[str] = set()
        self._started_by_hand = False
        self._patience = Patience(description, self._throw_out, self._end_without_hosts)

    # ---- what the outside reads (calls.switchboard.Conference)

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._service.description.name

    @property
    def service(self) -> Service:
        return self._service

    @property
    def flags(self) -> ConferenceFlags:
        return self._state.flags

    @property
    def participants(self) -> Sequence[Participant]:
        return list(self._state)

    def participant(self, participant: str) -> Participant | None:
        return self._state.get(participant)

    def subscribe(self, participant: str) -> AsyncIterator[ConferenceEvent]:
        if self._state.get(participant) is None:
            return self._feed.nothing(participant)
        return self._feed.subscribe(participant, self._snapshot(participant))

    # ---- coming and going

    def add(self, participant: Participant, member: Member, *, prompt: str = "") -> Participant:
        """Put somebody in: into the conference, the waiting room, or (with `prompt`) in front of a question."""
        if participant.service_type is ServiceType.CONFERENCE:
            if not self._service.access.pin_asked and participant.role is Role.HOST:
                self._apply(self._state.set(started=True))
            participant = msgspec.structs.replace(participant, service_type=self._place(participant))
        if participant.role is Role.GUEST and self.flags.guests_muted:
            participant = msgspec.structs.replace(participant, is_muted=True)
        self._members[participant.uuid] = member
        self._production.prompt(participant.uuid, prompt)
        self._apply(self._state.put(participant))
        logger.info(
            "Participant has joined.", conference=self.name, participant=participant.display_name,
            participant_id=participant.uuid, role=participant.role.value, protocol=participant.protocol.value,
            service_type=participant.service_type.value,
        )  # fmt: skip
        return participant

    def answer_prompt(self, participant: str, role: Role | None, prompt: str = "") -> None:
        """The question was answered: with a `role` the participant goes on, else it is asked again."""
        known = self._state.get(participant)
        if known is None:
            return
        if role is None:
            self._production.prompt(participant, prompt)
            return
        self._production.prompt(participant, "")
        known = msgspec.structs.replace(known, role=role)
        muted = role is Role.GUEST and self.flags.guests_muted
        self._update(participant, role=role, is_muted=muted)
        self._seat(participant)

    def discard(self, participant: str, reason: str) -> None:
        """Somebody has left, or is thrown out; the member is not told. Unknown participants are fine."""
        known = self._state.get(participant)
        if known is None:
            return
        self._feed.tell(participant, Removed(reason=reason))
        self._feed.close(participant)
        self._members.pop(participant, None)
        self._admitted.discard(participant)
        self._production.forget(participant)
        self._apply(self._state.remove(participant))
        logger.info(
            "Participant has disconnected.", conference=self.name, participant=known.display_name,
            participant_id=participant, reason=reason,
        )  # fmt: skip
        if not self._members:
            self._patience.close()
            self._on_empty(self)

    # ---- media of participants

    def add_leg(self, call: str, participant: str) -> None:
        """A call's media is being set up."""
        self._production.add_leg(call, participant)

    def drop_leg(self, call: str) -> None:
        """A call's media has ended (the caller closes it at the worker)."""
        self._production.drop_leg(call)

    def leg_confirmed(self, call: str, *, video: bool) -> None:
        """The far end confirmed the call: the participant has media now, and a Host starts the conference."""
        participant = self._production.owner(call)
        if participant is not None:
            self._update(participant, has_media=True, is_video_call=video, is_audio_only_call=not video)
            self._start_if_hosted(participant)

    def media_ended(self, participant: str) -> None:
        """The last call of a participant that stays has ended."""
        self._update(participant, has_media=False, is_video_call=False, is_audio_only_call=False)

    # ---- actions (calls.switchboard.Conference)

    async def lock(self, locked: bool) -> None:
        self._set_flags(locked=locked)

    async def start(self) -> None:
        self._started_by_hand = True
        self._set_flags(started=True)
        self._watch_hosts()

    async def mute_guests(self, muted: bool) -> None:
        self._set_flags(guests_muted=muted)
        for guest in [p for p in self._state if p.role is Role.GUEST]:
            self._update(guest.uuid, is_muted=muted)

    async def mute(self, participant: str, muted: bool) -> None:
        self._update(participant, is_muted=muted)

    async def hold(self, participant: str, held: bool) -> None:
        self._update(participant, is_on_hold=held)

    async def set_role(self, participant: str, role: Role) -> None:
        known = self._state.get(participant)
        if known is None or known.role is role:
            return
        if known.service_type is ServiceType.IVR:
            self.answer_prompt(participant, role)
        else:
            self._update(participant, role=role)
            self._seat(participant)
        self._feed.tell(participant, RoleChanged())

    async def set_client_state(self, participant: str, **members: bool | str | float) -> None:
        self._update(participant, **members)

    async def spotlight(self, participant: str, on: bool) -> None:
        self._update(participant, spotlight=self._now() if on else 0.0)

    async def admit(self, participant: str) -> None:
        known = self._state.get(participant)
        if known is None or known.service_type is not ServiceType.WAITING_ROOM:
            return
        if known.role is Role.GUEST and not self.flags.started:
            return
        self._admitted.add(participant)
        self._seat_waiting()

    async def remove(self, participant: str, reason: str) -> None:
        self._throw_out(participant, reason)

    def _throw_out(self, participant: str, reason: str) -> None:
        member = self._members.get(participant)
        self.discard(participant, reason)
        if member:
            member.removed(reason)

    async def remove_all(self, reason: str) -> None:
        for participant in list(self._members):
            await self.remove(participant, reason)

    async def message(self, sender: str, type: str, payload: str, to: str | None = None) -> None:
        known = self._state.get(sender)
        if known is None:
            return
        event = MessageReceived(
            origin=known.display_name, uuid=sender, type=type, payload=payload, direct=to is not None
        )
        receivers = [p.uuid for p in self._state if p.joined and p.uuid != sender]
        self._feed.tell_all(event, receivers if to is None else [to])

    async def send_dtmf(self, participant: str, digits: str) -> None:
        for call in self._production.calls_of(participant):
            worker = self.director.current
            if worker is None:
                return
            try:
                await worker.send_dtmf(call, digits)
            except (WorkerLost, MediaFailure) as problem:
                logger.warning("Sending DTMF to participant failed.", participant_id=participant, reason=str(problem))

    # ---- told by media (DirectorListener)

    def media_event(self, event: Event) -> None:
        match event:
            case Levels():
                self._production.hear(event)
            case FirstPicture():
                self._production.picture(event)
            case LegFailed():
                if member := self._member_of(event.leg):
                    member.call_failed(event.leg, event.reason)
            case DtmfReceived():
                if member := self._member_of(event.leg):
                    member.pressed(event.digit)
            case LegConnected():
                logger.debug("Media connected", conference=self.name, call=event.leg)
            case _:
                pass

    def media_lost(self) -> None:
        for call, participant in self._production.lost():
            if member := self._members.get(participant):
                member.media_lost(call)

    def _member_of(self, call: str) -> Member | None:
        return self._members.get(self._production.owner(call) or "")

    # ---- inside

    def _place(self, participant: Participant) -> ServiceType:
        flags = self.flags
        locked = flags.locked and participant.uuid not in self._admitted
        return place(
            participant.role, self._service.access, locked=locked, started=flags.started,
            lecture=self._service.description.service_type == "lecture",
        )  # fmt: skip

    def _start_if_hosted(self, participant: str) -> None:
        known = self._state.get(participant)
        if known and known.role is Role.HOST and known.has_media and known.joined and not self.flags.started:
            self._set_flags(started=True)

    def _set_flags(self, **values: bool) -> None:
        if self._apply(self._state.set(**values)):
            self._seat_waiting()

    def _seat_waiting(self) -> None:
        """Let in everybody for whom the reason to wait is gone."""
        for waiting in [p for p in self._state if p.service_type is ServiceType.WAITING_ROOM]:
            self._seat(waiting.uuid)

    def _seat(self, participant: str) -> None:
        """Put somebody who has not joined where it belongs now; who comes in gets the whole roster (API-055)."""
        known = self._state.get(participant)
        if known is not None and not known.joined:
            placed = self._place(known)
            self._update(participant, service_type=placed)
            if placed is not ServiceType.WAITING_ROOM:
                self._feed.tell(participant, *self._roster_snapshot(participant), self._production.stage())
        self._start_if_hosted(participant)

    def _update(self, participant: str, **members: object) -> None:
        known = self._state.get(participant)
        if known is not None:
            changed = msgspec.structs.replace(known, **members)
            if changed != known:
                self._apply(self._state.put(changed))

    def _apply(self, delta: Delta) -> Changes:
        changes = self._state.apply(delta)
        for participant in changes.created:
            self._tell_about(ParticipantCreated(participant=participant), participant.uuid)
        for participant in changes.updated:
            self._tell_about(ParticipantUpdated(participant=participant), participant.uuid)
        for uuid in changes.deleted:
            self._feed.tell_all(ParticipantDeleted(uuid=uuid), self._joined())
        if changes.flags:
            self._feed.tell_all(ConferenceUpdated(flags=self.flags), [p.uuid for p in self._state])
        for participant in (*changes.created, *changes.updated):
            self._patience.follow(participant)
        for uuid in changes.deleted:
            self._patience.forget(uuid)
        if changes:
            self._production.changed()
            self._watch_hosts()
        return changes

    def _tell_about(self, event: ConferenceEvent, participant: str) -> None:
        """To everybody inside and to the participant itself; those who wait see nobody else (API-055)."""
        self._feed.tell_all(event, {*self._joined(), participant})

    def _joined(self) -> Iterable[str]:
        return [p.uuid for p in self._state if p.joined]

    def _snapshot(self, watcher: str) -> list[ConferenceEvent]:
        events: list[ConferenceEvent] = [ConferenceUpdated(flags=self.flags), *self._roster_snapshot(watcher)]
        inside = watcher in self._joined()
        events.append(self._production.stage() if inside else StageChanged(entries=()))
        events.append(self._production.layout(watcher))
        return events

    def _roster_snapshot(self, watcher: str) -> list[ConferenceEvent]:
        known = self._state.get(watcher)
        visible = list(self._state) if known and known.joined else [known] if known else []
        return [SyncBegan(), *(ParticipantCreated(participant=p) for p in visible), SyncEnded()]

    def _watch_hosts(self) -> None:
        """Guests are alone when no Host with media, or who started by hand, is in (CONF-062, CONF-160)."""
        hosts = [p for p in self._state if p.role is Role.HOST and p.joined]
        hosted = any(host.has_media or self._started_by_hand for host in hosts)
        guests = any(p.role is Role.GUEST for p in self._state)
        self._patience.guests_only(self.flags.started and guests and not hosted)

    def _end_without_hosts(self) -> None:
        for guest in [p.uuid for p in self._state if p.role is Role.GUEST]:
            self._throw_out(guest, HOSTS_LEFT)

    def debug_state(self) -> dict[str, object]:
        return {
            "conference": self.name,
            "participants": len(self._members),
            "watchers": len(self._feed),
            "timers": len(self._patience),
            **self._production.debug_state(),
        }  # fmt: skip
