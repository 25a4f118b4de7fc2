"""Taking somebody who is in one conference to another without hanging up, or to where a refusal is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import structlog

from rostra.calls import arrivals, guessing, identity
from rostra.calls.arrivals import Entrance
from rostra.calls.attendant import KEYPADS
from rostra.calls.gateway import succeed
from rostra.calls.places import Places, room_in
from rostra.calls.reaching import Reaching, facts_of_participant
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, PinRequired, Refusal
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.messages import Transfer
from rostra.conference.roster import Participant
from rostra.domain.reception import destination
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role, ServiceType

logger = structlog.get_logger("rostra.calls")

MOVED = "Call transferred"
"""Reason of the end of the participant that somebody was in the conference before (API-026)."""

_UNTOLD = frozenset({ServiceType.CONNECTING, *arrivals.REFUSED_AS.values()})
"""Where nobody is told: those whom we call, and who is told already."""


class Switching(Protocol):
    """What the exchange does for it."""

    def left(self, session: CallSession, participant: Participant, reason: str) -> None:
        """A participant is over."""

    def arrived(self, session: CallSession, participant: Participant) -> None:
        """A session is another participant now."""


class Transfers:
    """Implements `calls.session.Office`."""

    def __init__(
        self, here: Here, reaching: Reaching, conference: Callable[[str, Service], Awaitable[ConferenceInstance]],
        switching: Switching, places: Places,
    ) -> None:  # fmt: skip
        """`conference` gives the running one, begun when there is none."""
        self._here = here
        self._reaching = reaching
        self._conference = conference
        self._switching = switching
        self._places = places

    def leads(self, session: CallSession, keyed: str) -> bool:
        return self._reaching.leads(session.conference.service, keyed, session.participant)

    def judged(self, session: CallSession, right: bool) -> None:
        called = session.conference.service.description.name
        guessing.judged(self._here.shield, session.participant.remote_address, called, right=right)

    def take_place(self, session: CallSession) -> bool:
        service = session.conference.service
        now = self._reaching.configured(session.participant.local_alias, session.participant.protocol)
        same = now is not None and not service.policy and now.description.id == service.description.id
        service = now if now and same else service
        if not room_in(session.conference, service):
            return False
        self._places.took(session.participant.uuid, service)
        return True

    async def connect(self, session: CallSession, keyed: str) -> bool:
        """Go on from a reception to a keyed number, where its PIN is asked for (SVC-048)."""
        try:
            found = await self._reaching.beyond(
                session.conference.service, keyed, facts_of_participant(session.participant)
            )
        except CallRefused as refused:
            logger.info("Not connected", participant_id=session.participant.uuid, reason=refused.text)
            return False
        if found is None:
            return False
        rules = session.conference.service.description.reception
        alias = destination(rules, keyed.partition("**")[0]) or keyed
        return await self.transfer(session, found.service, alias, pin=found.pin)

    def may_refer(self, session: CallSession, to: Transfer) -> bool:
        """A registered device that goes by itself calls as such: nobody else has it use what is for those only."""
        me = session.participant
        return to.trusted or not me.is_trusted or not self._reaching.is_for_registered(to.alias, me.protocol)

    async def transfer_to(self, session: CallSession, to: Transfer) -> bool:
        """Take it to the conference of an alias (API-130): as a role, or as anybody who comes there."""
        if to.call is not None:
            await self._take_place(session, to.call, to.place)
            return True
        service = session.conference.service
        call = facts_of_participant(session.participant, to.alias)
        call = msgspec.structs.replace(
            call, previous_service=service.description.name, registered=call.registered and to.trusted
        )
        found = await self._reaching.sent(to.alias, call)
        if found is None or found.service.description.service_type not in arrivals.JOINABLE:
            return False
        return await self.transfer(session, found.service, to.alias, pin=found.pin, role=to.role)

    async def _take_place(self, session: CallSession, service: Service, place: str) -> None:
        """Go into a gateway call, for a party of it that leaves; without that it stays where it is."""
        me = session.participant
        entrance = arrivals.enter(service, me.protocol, None, None, name=me.display_name)
        conference = await self._conference(arrivals.conference_key(service, entrance.where), service)
        if not self._is_still(session, me, conference):
            return
        if conference.participant(place) is None or service.onward is None or not me.joined:
            logger.info("Not transferred", participant_id=me.uuid, reason="nobody is there any more")
            conference.end_if_unused()
            return
        self._move(session, conference, service.onward.alias, entrance)
        succeed(conference, place, session.participant.uuid)

    async def transfer(
        self, session: CallSession, service: Service, alias: str, *, pin: str | None = None, role: Role | None = None
    ) -> bool:
        """Move somebody signalled here into a conference of `service`; with a `role`, no PIN is asked for.

        False when it cannot be let in there and has no keypad to be asked by; it stays where it was. Only those whose
        far end follows when its media moves (`SessionListener.media_lost`) can be moved so.
        """
        me = session.participant
        try:
            entrance = arrivals.enter(service, me.protocol, pin, role, name=me.display_name)
        except (CallRefused, PinRequired) as problem:
            logger.info("Not transferred", participant_id=me.uuid, alias=alias, reason=str(problem))
            return False
        if role is None and not identity.may_move(me, entrance):
            logger.info("Not transferred", participant_id=me.uuid, alias=alias, reason=Refusal.SIGN_ON.text)
            return False
        conference = await self._conference(arrivals.conference_key(service, entrance.where), service)
        if entrance.where is not ServiceType.IVR and not room_in(conference, service):
            conference.end_if_unused()
            return await self.refuse(session, Refusal.PARTICIPANT_LIMIT, service, alias)
        if not self._is_still(session, me, conference):
            return True
        self._move(session, conference, alias, entrance)
        if entrance.where is not ServiceType.IVR:
            self._places.took(session.participant.uuid, service)
        return True

    async def refuse(
        self, session: CallSession, refusal: Refusal, service: Service | None = None, alias: str = ""
    ) -> bool:
        me, service = session.participant, arrivals.refusing(service or session.conference.service, refusal)
        entrance = arrivals.refused(service, refusal)
        if session.gone or entrance is None or me.protocol not in KEYPADS or me.service_type in _UNTOLD:
            return False
        conference = await self._conference(arrivals.conference_key(service, entrance.where), service)
        if self._is_still(session, me, conference):
            self._move(session, conference, alias or me.local_alias, entrance)
        return True

    @staticmethod
    def _is_still(session: CallSession, me: Participant, conference: ConferenceInstance) -> bool:
        """Is the session who it was before the other conference was there? Else it has left, or gone on already."""
        if not session.gone and session.participant.uuid == me.uuid:
            return True
        conference.end_if_unused()
        return False

    def _move(self, session: CallSession, conference: ConferenceInstance, alias: str, entrance: Entrance) -> None:
        before, old = session.conference, session.participant
        self._switching.left(session, old, MOVED)
        participant = arrivals.moved(old, alias, entrance, self._here.now())
        seated = session.move(conference, participant, entrance.service.access)
        self._switching.arrived(session, seated)
        before.discard(old.uuid, MOVED)
