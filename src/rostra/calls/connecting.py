"""Attended transfers: two calls of one caller become one between their other ends, and the caller goes (RFC 5589 7).

Of the two ends one is moved to where the other is, in the place of the caller: whichever can be, since clients of the
API cannot be moved into a gateway call. A call that somebody is to take over from another telephone (RFC 3891) is the
same with a newcomer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from rostra.calls import arrivals
from rostra.calls.arrivals import Entrance
from rostra.calls.gateway import Gateways, succeed
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, CallRequest, Refusal, SessionListener
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain.vocabulary import CallProtocol

logger = structlog.get_logger("rostra.calls")

THROUGH = 5.0
"""Seconds within which somebody who is moved has arrived."""
LOOKING = 0.05
"""Seconds between two looks whether it has."""


class Admitting(Protocol):
    """What the exchange does for it."""

    def __call__(
        self, request: CallRequest, entrance: Entrance, instance: ConferenceInstance, listener: SessionListener
    ) -> CallSession: ...


class Connecting:
    """Of one node."""

    def __init__(self, gateways: Gateways, session: Callable[[str], CallSession | None], admit: Admitting) -> None:
        """`session` of a participant signalled here."""
        self._gateways = gateways
        self._session = session
        self._admit = admit

    async def connect(self, first: str, second: str) -> bool:
        """Connect the other ends of two calls of the same caller, of which at least one is a gateway call.

        True when whoever is moved has arrived: then both calls of the caller go, the first of them by itself as soon as
        the event loop has its turn. False when that cannot be, and everything is as it was. The calls are named by
        their participants, which are signalled here.
        """
        one, other = self._session(first), self._session(second)
        if one is None or other is None or one.conference is other.conference or one.gone or other.gone:
            return False
        for goes, stays in ((one, other), (other, one)):
            end = other_end(goes)
            if end is None or not _may_go(end, stays):
                continue
            before = {known.uuid for known in stays.conference.participants}
            logger.info("Calls are connected.", participant_id=end.uuid, conference=stays.conference.name)
            with self._gateways.holding(goes.conference):
                await self._send(goes.conference, end, stays)
                return await self._arrival(goes.conference, end, stays, before)
        return False

    async def _send(self, conference: ConferenceInstance, end: Participant, stays: CallSession) -> None:
        there = stays.participant
        if stays.conference.service.onward is not None:
            await conference.put_in_place(end.uuid, stays.conference.service, there.uuid)
        else:
            role = there.role if there.joined else None
            await conference.transfer(end.uuid, there.local_alias, role)

    async def _arrival(
        self, conference: ConferenceInstance, end: Participant, stays: CallSession, before: set[str]
    ) -> bool:
        """Has it arrived? Others may come there meanwhile; it is another one there, and gone from where it was. A
        client of the API leaves by itself, when it has arrived.
        """

        def is_there() -> bool:
            left = end.protocol is CallProtocol.API or conference.participant(end.uuid) is None
            return left and any(known.uuid not in before for known in stays.conference.participants)

        try:
            async with asyncio.timeout(THROUGH):
                while not is_there():
                    if stays.gone:
                        return False
                    await asyncio.sleep(LOOKING)
        except TimeoutError:
            return False
        return True

    def replace(self, request: CallRequest, listener: SessionListener) -> CallSession | None:
        """A newcomer in the place of a party of a gateway call; None: it replaces nobody there. Raises CallRefused."""
        replaced = self._session(request.replaces) if request.replaces else None
        if replaced is None or replaced.conference.service.onward is None:
            return None
        conference, before = replaced.conference, replaced.participant
        if replaced.gone or not before.joined:
            raise CallRefused(Refusal.NOT_FOUND)
        entrance = arrivals.enter(
            conference.service, request.protocol, None, None, name=request.display_name or request.remote_alias
        )
        session = self._admit(request, entrance, conference, listener)
        succeed(conference, before.uuid, session.participant.uuid)
        return session


def other_end(session: CallSession) -> Participant | None:
    """Whom a party of a gateway call talks to; None: nobody, or it is in no gateway call."""
    conference, me = session.conference, session.participant
    if conference.service.onward is None:
        return None
    return next((one for one in conference.participants if one.uuid != me.uuid and one.joined), None)


def _may_go(end: Participant, stays: CallSession) -> bool:
    """Clients of the API go to conferences by themselves, and nowhere else."""
    return stays.conference.service.onward is None or (
        end.protocol is not CallProtocol.API and other_end(stays) is not None
    )
