"""Gateway calls under way: the called party is placed, each end hears of the other, and both end together (SVC-077).

A gateway call is a conference of its own. Who called is in it from the start; whom it called comes as anybody does
that a conference calls, on the node that has to call (SVC-079, SVC-111, CONF-024), so media, holding, presenting and
history are those of any conference. Every node follows the roster for the participants it signals. What the called
party said is a register: its own node may be another than the caller's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.forking import OUTRUN
from rostra.calls.session import CallSession
from rostra.calls.switchboard import FarEnd, NotDialled
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.conference.shared import OwnerUnreachable
from rostra.dialplan.outward import Route
from rostra.domain import dialling, gateway
from rostra.domain.dialling import Wanted
from rostra.domain.gateway import Onward
from rostra.domain.service import Service
from rostra.domain.theme import TRANSFER
from rostra.domain.vocabulary import CallDirection, ServiceType

logger = structlog.get_logger("rostra.calls")

CALLER = "gateway_caller"
"""Register: uuid of the participant that called."""
SAID = "gateway_said"
"""Register: why the called party is not there (any more)."""
AGREED = 2.0
"""Seconds for which it is waited what the caller has, where the called party is offered the same."""


APPEARS = 5.0
"""Seconds within which somebody who is called by another node is in the roster: else that node has died."""


def is_abandoned(conference: ConferenceInstance) -> bool:
    """Has the caller of a gateway call gone while it was being placed? Then nobody is called any more."""
    caller = conference.register(CALLER)
    return conference.service.onward is not None and conference.participant(str(caller or "")) is None


def succeed(conference: ConferenceInstance, before: str, after: str) -> None:
    """Somebody takes the place of a party of a gateway call (by their uuids)."""
    if conference.register(CALLER) == before:
        conference.remember(CALLER, after)


class Placing(Protocol):
    """What `calls.outgoing` does for it."""

    async def call(self, service: Service, wanted: Wanted, found: tuple[Route, ...]) -> tuple[str, ...]: ...


class Gateways:
    """Of one node."""

    def __init__(self, placing: Placing, session: Callable[[str], CallSession | None]) -> None:
        """`session` of a participant signalled here."""
        self._placing = placing
        self._session = session
        self._background = Background()
        self._told: dict[str, FarEnd] = {}
        """What each caller signalled here knows of the other end."""
        self._called: set[str] = set()
        """Called from here in conferences whose caller is not known here yet."""
        self._placed: set[str] = set()
        """Conferences whose called party has been called."""
        self._placing_now: set[str] = set()
        """Conferences that are about it."""
        self._met: set[str] = set()
        """Conferences of which both ends have been seen here."""
        self._expected: dict[str, asyncio.TimerHandle] = {}
        """Conferences whose called party has to appear in the roster."""
        self._held: set[str] = set()
        """Conferences of which one end is on its way elsewhere."""

    def follow(self, conference: ConferenceInstance) -> None:
        """Its roster may have changed."""
        onward = conference.service.onward
        if onward is None or conference.ended or conference.key in self._held:
            return
        caller = conference.register(CALLER)
        if not caller:
            self._recognise(conference)
            return
        called = [one for one in conference.participants if one.uuid != caller]
        there = conference.participant(str(caller))
        if there is not None and called:
            self._met.add(conference.key)
        if there is None:
            if conference.key in self._met or self._session(str(caller)) is None:
                self._let_go(conference, called)
        elif (session := self._session(there.uuid)) is not None:
            self._lead(conference, onward, session, called)
        self._receive(conference, called)

    @contextlib.contextmanager
    def holding(self, conference: ConferenceInstance) -> Generator[None]:
        """While one end goes elsewhere, the other stays: it is told first what becomes of that."""
        self._held.add(conference.key)
        try:
            yield
        finally:
            self._held.discard(conference.key)
            self.follow(conference)

    def said(self, conference: ConferenceInstance, participant: Participant, reason: str) -> None:
        """Somebody signalled here leaves; `reason` is why."""
        if conference.service.onward is None:
            return
        self._called.discard(participant.uuid)
        self._told.pop(participant.uuid, None)
        if participant.uuid == conference.register(CALLER):
            return
        if reason != OUTRUN:
            conference.remember(SAID, reason)

    def ended(self, conference: ConferenceInstance) -> None:
        """Nothing is known of it any more."""
        self._placed.discard(conference.key)
        self._placing_now.discard(conference.key)
        self._met.discard(conference.key)
        if expected := self._expected.pop(conference.key, None):
            expected.cancel()

    async def finish(self, seconds: float) -> None:
        await self._background.finish(seconds)

    def _recognise(self, conference: ConferenceInstance) -> None:
        """Who is in it and was not called by it has called."""
        for one in conference.own:
            if one.service_type is ServiceType.CONNECTING:
                self._called.add(one.uuid)
            elif one.service_type is ServiceType.GATEWAY and one.uuid not in self._called:
                conference.remember(CALLER, one.uuid)
                conference.show(
                    one.uuid, TRANSFER, conference.service.onward.alias if conference.service.onward else ""
                )
                return

    def _receive(self, conference: ConferenceInstance, called: list[Participant]) -> None:
        """Who came here in the place of the called party has nobody to wait for."""
        for one in called:
            session = self._session(one.uuid) if one.joined and one.call_direction is CallDirection.IN else None
            if session is not None:
                self._tell(conference, session, FarEnd.ANSWERED)

    def _lead(
        self, conference: ConferenceInstance, onward: Onward, session: CallSession, called: list[Participant]
    ) -> None:
        """Of a caller signalled here."""
        me = session.participant
        if conference.key not in self._placed:
            if called:  # it took the place of who has called
                self._placed.add(conference.key)
            elif me.legs:  # its own media has its room: from here on both legs fit, or none is set up (POL-119)
                self._placed.add(conference.key)
                self._placing_now.add(conference.key)
                self._background.spawn(self._place(conference, onward, session))
            if not called:
                return
        if any(one.joined for one in called):
            self._tell(conference, session, FarEnd.ANSWERED)
        elif heard := [one for one in called if one.heard]:
            if heard[0].is_video_call:
                conference.show(me.uuid)
            self._tell(conference, session, FarEnd.EARLY)
        elif any(one.is_ringing for one in called):
            self._tell(conference, session, FarEnd.RINGING)
        elif not called and conference.key not in self._placing_now and self._over(conference):
            self._background.spawn(self._part(conference, session))

    def _over(self, conference: ConferenceInstance) -> bool:
        """Was the called party there, and is not any more? What other nodes know of it may come in parts."""
        return conference.key in self._met or bool(conference.register(SAID))

    def _tell(self, conference: ConferenceInstance, session: CallSession, now: FarEnd) -> None:
        me = session.participant.uuid
        if self._told.get(me) in (now, FarEnd.ANSWERED) or not session.participant.legs:
            return  # or its own call is not there yet
        self._told[me] = now
        if now is FarEnd.EARLY:
            session.send_early()
        if now is FarEnd.ANSWERED:
            conference.show(me)
        session.far_end_is(now)

    async def _place(self, conference: ConferenceInstance, onward: Onward, session: CallSession) -> None:
        routes = onward.routes
        if onward.mirrors and not await session.has_video(AGREED):
            routes = tuple(msgspec.structs.replace(way, call_type="audio") for way in routes)
        try:
            await self._placing.call(conference.service, onward.wanted, routes)
            if not conference.ended:
                loop = asyncio.get_running_loop()
                self._expected[conference.key] = loop.call_later(APPEARS, self._missed, conference)
        except NotDialled as problem:
            logger.warning("Gateway call is not placed.", conference=conference.name, reason=problem.reason)
            conference.remember(SAID, problem.reason)
        finally:
            self._placing_now.discard(conference.key)
        self.follow(conference)

    def _missed(self, conference: ConferenceInstance) -> None:
        """The node that calls has said that it does, and is gone since: nobody else would tell the caller."""
        del self._expected[conference.key]
        if not conference.ended and not self._over(conference):
            logger.warning("Called party never appeared.", conference=conference.name)
            conference.remember(SAID, dialling.NOT_REACHED)
            self.follow(conference)

    async def _part(self, conference: ConferenceInstance, session: CallSession) -> None:
        """The called party is not there (any more): the caller goes too."""
        me = session.participant
        if session.gone or session.conference is not conference:
            return
        said = str(conference.register(SAID) or gateway.ENDED)
        answered = self._told.get(me.uuid) is FarEnd.ANSWERED
        await conference.remove(me.uuid, gateway.ENDED if answered else gateway.told(said, me.protocol))

    def _let_go(self, conference: ConferenceInstance, called: list[Participant]) -> None:
        """The caller is not there any more."""
        for one in called:
            if self._session(one.uuid) is not None:
                self._background.spawn(self._remove(conference, one.uuid))

    @staticmethod
    async def _remove(conference: ConferenceInstance, participant: str) -> None:
        try:
            await conference.remove(participant, gateway.ENDED)
        except OwnerUnreachable as problem:
            logger.info("Called party has left", participant_id=participant, problem=str(problem))
