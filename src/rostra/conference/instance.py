"""One conference as this node has part in it: the roster, its rules over time, and who is told what.

Every node holds all of the state and decides for the participants it signals; what it decides for others it asks
their node to do. All methods run on the node's event loop and change state synchronously, so the events of this
node's watchers have one common order (API-015). Decisions come from `domain`; media is `media`'s business.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import structlog

from rostra.background import Background
from rostra.conference import messages as w
from rostra.conference import themes
from rostra.conference.audience import Audience
from rostra.conference.breakouts import Breakouts
from rostra.conference.control import Control
from rostra.conference.events import (
    ConferenceEvent,
    RoomsChanged,
)
from rostra.conference.here import Here
from rostra.conference.media import ConferenceMedia
from rostra.conference.member import Member, tell
from rostra.conference.obeying import obey
from rostra.conference.presenting import Presenting, presented
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.conference.seating import Seating
from rostra.conference.shared import OwnerUnreachable, Shared
from rostra.conference.silence import Silence
from rostra.conference.state import CALLED, Changes, Value
from rostra.conference.stills import Stills
from rostra.conference.tones import Sounds, Tones
from rostra.domain.presenting import slides_of
from rostra.domain.rooms import Room
from rostra.domain.service import Service
from rostra.domain.theme import KNOCK
from rostra.domain.vocabulary import Role
from rostra.media.replies import LegTold

logger = structlog.get_logger("rostra.conference")

ROOM_CLOSED = "Conference terminated by another participant"
"""API-017."""


class ConferenceInstance(Control):
    """A running conference. Ends here (calls `on_empty`) when nobody is signalled or carried here any more."""

    def __init__(
        self, here: Here, key: str, service: Service, on_empty: Callable[[ConferenceInstance], None],
        on_change: Callable[[ConferenceInstance], None] = lambda _: None, *,
        on_rooms: Callable[[ConferenceInstance], None] = lambda _: None,
        needed: Callable[[ConferenceInstance], bool] = lambda _: False,
    ) -> None:  # fmt: skip
        """`on_change`: its roster, or a register, is not what it was. `on_rooms`: breakout rooms were opened or
        closed. `needed`: it goes on here although nobody is in."""
        self._on_empty = on_empty
        self._on_change = on_change
        self._on_rooms = on_rooms
        self._needed = needed
        description = service.description
        flags = ConferenceFlags(
            guests_muted=description.mute_all_guests,
            guests_can_present=description.guests_can_present,
            chat_enabled=description.enable_chat,
            started=description.breakout is not None,
        )
        shared = Shared(here, key, flags, react=self._react, said=self._said, heard=self._heard, rang=self._rang)
        super().__init__(here, key, service, shared)
        self._audience = Audience(self._state)
        self.media = ConferenceMedia(
            here, key, self._shared, description, self._audience.tell,
            told=self._leg_event, lost=self._leg_lost, idle=self._media_idle,
        )  # fmt: skip
        self._members: dict[str, Member] = {}
        self._sounds = Sounds(self._state, self._members)
        self._seating = Seating(
            self._shared, service, self._members.keys(), self._audience, self.media.production, self._throw_out,
            here=here, play=self._sounds.play, knock=lambda who: self.play_all(KNOCK, without=who),
        )  # fmt: skip
        self.presenting = Presenting(
            self._shared, description, self._members.keys(), self._audience.tell, self._presentation_changed,
            self._floor_lost,
        )  # fmt: skip
        self.stills = Stills(
            here, key, source=self._presented, take=self._take_still, watchers=self._still_watchers,
            tell=self._audience.tell,
        )  # fmt: skip
        self._tones = Tones(self._members.keys(), lambda sound, about: self.play_all(sound, without=about))
        self._silence = Silence(self._state, here, self._members.keys(), self._seating.update)
        self._breakouts = Breakouts(self._shared, here.now, self._rooms_changed)
        self._background = Background()
        self.ended = False
        self.began = here.now()

    async def open(self, present: Mapping[str, str]) -> bool:
        """Meet the nodes that have this conference already; True when it begins here."""
        return await self._shared.open(present)

    async def close(self) -> None:
        """Let go of everything; only for a conference that has ended here."""
        self._seating.close()
        self._breakouts.close()
        self._silence.close()
        self.presenting.close()
        await self.stills.close()
        await self.media.close()
        await self._shared.close()
        await self._background.finish(1)

    # ---- what the outside reads (calls.switchboard.Conference)

    @property
    def id(self) -> str:
        return self._shared.identity

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

    @property
    def own(self) -> Sequence[Participant]:
        """Those signalled here."""
        return [known for uuid in self._members if (known := self._state.get(uuid)) is not None]

    def participant(self, participant: str) -> Participant | None:
        return self._state.get(participant)

    def subscribe(self, participant: str) -> AsyncIterator[ConferenceEvent]:
        events = self._audience.subscribe(participant, self.media.production, self.presenting)
        self.stills.greet(participant)
        if self._breakouts.rooms:
            self._audience.tell(participant, RoomsChanged())
        return events

    # ---- coming and going of those signalled here

    def add(self, participant: Participant, member: Member) -> Participant:
        """Put somebody in: into the conference, the waiting room, or (with a `prompt`) in front of a question."""
        participant = self._seating.arrive(participant)
        self._members[participant.uuid] = member
        self._shared.write(self._state.put(participant))
        logger.info(
            "Participant has joined.", conference=self.name, participant=participant.display_name,
            participant_id=participant.uuid, role=participant.role.value, protocol=participant.protocol.value,
            service_type=participant.service_type.value,
        )  # fmt: skip
        return participant

    def answer_prompt(self, participant: str, role: Role) -> None:
        """The PIN was right, or is needed no more: the participant goes on."""
        self._seating.answer(participant, role)

    def answered(self, participant: str, vendor: str = "") -> None:
        """A called party has answered: it comes in as what it was called (CONF-099)."""
        self._seating.answered(participant, vendor)

    def register(self, name: str) -> Value:
        """What is remembered of the conference as a whole."""
        return self._state.register(name)

    def remember(self, name: str, value: Value) -> None:
        """Of the conference as a whole, on all nodes."""
        self._shared.write(self._state.set(**{name: value}))

    def remember_called(self) -> None:
        """Those called automatically are being called."""
        self.remember(CALLED, True)

    def show(self, participant: str, splash: str = "", text: str = "") -> None:
        """An image of the theme, with text, instead of the conference; of a participant signalled here."""
        self._seating.update(participant, splash=splash, prompt=text)

    def discard(self, participant: str, reason: str) -> None:
        """Somebody has left, or is thrown out; the member is not told. Unknown participants are fine."""
        known = self._state.get(participant)
        if self._members.pop(participant, None) is None:
            return
        self._audience.leave(participant, reason)
        self._seating.forget(participant)
        self._tones.forget(participant)
        self._silence.forget(participant)
        self.presenting.forget(participant)
        self.media.forget(participant)
        self._shared.write(self._state.remove(participant))
        logger.info(
            "Participant has disconnected.", conference=self.name, participant=known.display_name if known else "",
            participant_id=participant, reason=reason,
        )  # fmt: skip
        self.end_if_unused()

    def end_if_unused(self) -> None:
        """Nobody is signalled or carried here (any more): end."""
        if not self._members and self.media.hosting is None and not self._needed(self):
            self.end()

    def end(self) -> None:
        """Have no more part in the conference, whoever is still carried here. Safe to repeat."""
        if not self.ended:
            self.ended = True
            self._seating.close()
            self._breakouts.close()
            self._silence.close()
            self._on_empty(self)

    # ---- media of those signalled here

    def leg_confirmed(self, call: str, *, video: bool) -> None:
        """The far end confirmed the call: the participant has media now, and a Host starts the conference."""
        participant = self.media.participant_of(call)
        if participant is not None:
            self.media.confirmed(call)
            self._seating.update(participant, has_media=True, is_video_call=video, is_audio_only_call=not video)
            self._seating.start_if_hosted(participant)

    def media_ended(self, participant: str) -> None:
        """The last call of a participant that stays has ended."""
        self._seating.update(participant, has_media=False, is_video_call=False, is_audio_only_call=False)

    def _leg_event(self, event: LegTold) -> None:
        member = self._members.get(self.media.participant_of(event.leg) or "")
        if member is not None:
            tell(member, event)

    def _leg_lost(self, call: str, moving: bool, node: str) -> None:
        member = self._members.get(self.media.participant_of(call) or "")
        if member is not None:
            member.media_lost(call, moving=moving, node=node)

    def _media_idle(self) -> None:
        hosting = self.media.end_hosting()
        if hosting is not None:
            self._background.spawn(hosting.close())
        self.end_if_unused()

    def _presented(self) -> tuple[str, str] | None:
        """Source of the presentation, and the node that carries it."""
        found = presented(self._state)
        node = self.media.origin(found[0]) if found else None
        return (slides_of(found[0]), node) if found and node else None

    async def _take_still(self, source: str, mark: bytes) -> w.Still | None:
        return await self.media.hosting.still(source, mark) if self.media.hosting else None

    def _still_watchers(self) -> list[str]:
        return [who for who in self.presenting.viewers() if self._audience.watches(who)]

    async def still(self, *, large: bool = False, number: int = 0) -> bytes | None:
        found = await self.stills.frame(number)
        return None if found is None else found.large if large else found.small

    def _presentation_changed(self, participant: str, presenter: str) -> None:
        self.stills.follow()
        member = self._members.get(participant)
        if member is not None:
            member.presentation_changed(presenter)

    def _floor_lost(self, participant: str, taken: bool) -> None:
        member = self._members.get(participant)
        if member is not None:
            member.floor_lost(taken=taken)

    # ---- actions (calls.switchboard.Conference)

    @property
    def rooms(self) -> list[Room]:
        """Breakout rooms that are open beside it."""
        return self._breakouts.rooms

    async def open_room(self, room: Room) -> None:
        await self._breakouts.open(room)

    async def close_room(self, uuid: str) -> None:
        """Who is in goes back, or out, as the room says."""
        await self._breakouts.shut(uuid)

    def disband(self) -> None:
        """This breakout room has closed: all who are signalled here leave it as it says."""
        room = self._service.description.breakout
        for uuid in list(self._members):
            known = self._state.get(uuid)
            back = room is not None and room.end_action == "transfer" and known is not None and known.joined
            if room is not None and known is not None and back and not known.attending:
                self._members[uuid].transferred(w.Transfer(alias=room.main_alias, role=known.role))
            else:
                self._throw_out(uuid, ROOM_CLOSED)

    def _rooms_changed(self) -> None:
        self._on_rooms(self)
        for uuid in self._members:
            self._audience.tell(uuid, RoomsChanged())

    async def theme_file(self, name: str) -> bytes | None:
        """A file of the conference's theme, or of those it falls back to."""
        return await themes.read(await self._here.themes(self._service.description.themes), name)

    def play_all(self, *sounds: str, without: str = "") -> None:
        """Let everybody in the conference hear sounds of the theme, but for one participant."""
        self._sounds.ring(sounds, without)
        self._shared.ring(sounds, without)

    async def remove_all(self, reason: str) -> None:
        for participant in self.participants:
            try:
                await self.remove(participant.uuid, reason)
            except OwnerUnreachable:  # the others are to go all the same; its node will hear of it or is gone
                continue

    def remove_own(self, reason: str) -> None:
        """Everybody signalled here: the node stops."""
        for participant in list(self._members):
            self._throw_out(participant, reason)

    async def message(self, sender: str, type: str, payload: str, to: str | None = None) -> None:
        known = self._state.get(sender)
        if known is None:
            return
        self._audience.deliver(sender, known.display_name, type, payload, to or "")
        self._shared.say(sender, known.display_name, type, payload, to or "")

    def carry_out(self, order: w.Order) -> bool:
        who = order.participant
        if who not in self._members:
            return False
        obey(order, self._members[who], self._seating, self._audience)
        if order.remove is not None:
            self._throw_out(who, order.remove)
        return True

    def _throw_out(self, participant: str, reason: str) -> None:
        member = self._members.get(participant)
        self.discard(participant, reason)
        if member:
            member.removed(reason)

    # ---- told by other nodes

    def see(self, present: Mapping[str, str], gone: str = "") -> None:
        """These nodes are there now; `gone` has just vanished, with the media it carried."""
        self._shared.see(present)
        if gone:
            self.media.lose(gone)

    def answer(self) -> w.State:
        return self._shared.answer()

    def _said(self, message: w.Said) -> None:
        self._audience.deliver(message.sender, message.sender_name, message.content_type, message.payload, message.to)

    def _heard(self, message: w.Heard) -> None:
        self.media.heard(message.node, message.levels)

    def _rang(self, message: w.Rang) -> None:
        self._sounds.ring(message.sounds, message.without)

    def _react(self, changes: Changes) -> None:
        """Something changed, here or elsewhere: tell watchers, and let our own participants follow."""
        for participant in changes.created:
            if participant.uuid not in self._members and self._state.owns(participant.uuid):
                # others still know it from an earlier part we had in the conference
                self._shared.write(self._state.remove(participant.uuid))
        self._audience.tell_changes(changes)
        self.media.follow(changes)
        self._seating.follow(changes)
        self._tones.follow(changes)
        for participant in (*changes.created, *changes.updated):
            member = self._members.get(participant.uuid)
            if member is not None:
                member.followed(self._state.get(participant.uuid) or participant)
        self.presenting.follow(changes)
        self._breakouts.follow(changes)
        self._silence.follow(changes)
        self._on_change(self)

    def debug_state(self) -> dict[str, object]:
        return {
            "conference": self.name,
            "participants": len(self._state),
            "members": len(self._members),
            "watchers": len(self._audience),
            "timers": len(self._seating),
            "shared": self._shared.debug_state(),
            **self.media.debug_state(),
        }
