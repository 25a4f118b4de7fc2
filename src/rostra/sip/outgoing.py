"""A SIP call of ours: placed for a participant, followed until it has ended."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from rostra.calls.switchboard import CallOrder, Session, Switchboard
from rostra.domain import dialling
from rostra.media.negotiation import NegotiationError
from rostra.sdp.errors import SdpError
from rostra.sip.agent import CallAgent
from rostra.sip.aliases import printable
from rostra.sip.digest import Credentials
from rostra.sip.errors import LocalError, PortTaken, RemoteError
from rostra.sip.events import CallAnswered, CallEnded, CallProgressed
from rostra.sip.flow import Transport
from rostra.sip.line import Line
from rostra.sip.locating import Place, Unreachable
from rostra.sip.media import CallMedia
from rostra.sip.targets import Target, belongs, target
from rostra.sip.telling import Dropped, MediaGone, Silence, Told

PATIENCE = 6.0
"""Seconds a place may keep silent before the next one is tried, if there is any."""
DATAGRAM = 1300
"""Bytes of the longest request sent by UDP where nobody asked for UDP (RFC 3261 18.1.1)."""
HEAD = 600
"""Bytes of a request without its description, about."""
RINGS = frozenset({180, 183})
"""What a phone that rings says."""
REDIRECTED = 3
"""How often a called party may send us elsewhere."""


class Trunk(Line, Protocol):
    """What a call of ours needs of the service, beyond what every call does."""

    def places(self, found: Target) -> AsyncIterator[Place]:
        """The ways to a target, the best first. Iterating raises Unreachable."""
        ...

    async def invite(self, agent: CalledAgent, found: Target, place: Place, order: CallOrder, sdp: bytes) -> str:
        """Send the INVITE; events of the call go to the agent. Raises PortTaken, RemoteError."""
        ...

    def knows(self, address: str) -> bool:
        """A system of the administrator's own is there."""
        ...

    def failed(self, place: Place) -> None:
        """Try it after all others for a while."""
        ...

    def avoided(self, place: Place) -> bool:
        """It failed lately."""
        ...

    def heard(self, call: str) -> bool:
        """The far end has said something."""
        ...

    def abandon(self, call: str) -> None:
        """End a call that nobody has answered yet; the agent hears no more of it."""
        ...

    def run(self, agent: CalledAgent) -> None:
        """Have it run in a task of its own."""
        ...


class CalledAgent(CallAgent):
    """Implements `calls.switchboard.OutgoingLeg`."""

    def __init__(self, order: CallOrder, found: Target, switchboard: Switchboard, line: Trunk) -> None:
        super().__init__(f"out-{uuid.uuid4().hex}", switchboard, line)
        self._order = order
        self._target = found
        self._trunk = line
        self._places = line.places(found)
        self._place_tried: Place | None = None
        self._aside: list[Place] = []
        """Places to try before those that are still to be found."""
        self._patience: asyncio.TimerHandle | None = None
        self._placed = False
        """There is a call at the engine."""
        self._over = ""
        """Why it was given up before it was answered."""
        self._answered = False
        self._redirected = 0
        self._astray = False
        """Sent on by somebody who is no system of ours."""
        self._ringing: asyncio.TimerHandle | None = None

    def begin(self, session: Session) -> None:
        self._session = session
        session.on_hold, session.on_tones = self._held, self._tones
        self._trunk.run(self)

    def disconnected(self, reason: str) -> None:
        """Also while it rings: the call is cancelled."""
        self._over = self._over or reason
        if self._placed:
            super().disconnected(reason)

    async def run(self) -> None:
        try:
            if await self._place():
                await super().run()
            else:
                self._over = self._over or dialling.NOT_REACHED
        finally:
            self._moving.close()
            for timer in (self._ringing, self._patience):
                if timer is not None:
                    timer.cancel()
            if self._media is not None:
                await self._media.close()
            if self._session is not None:
                await self._session.leave(self._over or self._parting)

    async def _place(self) -> bool:
        """Reserve media and call at the next place; False when that cannot be done, or there is none."""
        session = self._session
        if session is None:
            return False
        try:
            place = self._aside.pop() if self._aside else await anext(self._places, None)
            if place is None or self._over:
                return False
            if self._astray and self._trunk.knows(place.address):
                raise RemoteError("a stranger sends the call to a system that trusts us")
            encrypt = place.transport is Transport.TLS
            media = self._media = self._media or CallMedia(
                session, self._media_call, encrypt=encrypt, floor=self._floor
            )
            media.encrypt, media.ipv6 = encrypt, ":" in place.address
            self._peer = place.address
            media.announce = functools.partial(self._line.announced, peer=place.address)
            offer = await media.offer()
            if self._over:
                return False
            place = self._place_tried = self._fitting(place, offer)
            order = msgspec.structs.replace(self._order, credentials=self._answering(place))
            self._call = await self._trunk.invite(self, self._target, place, order, offer)
        except (Unreachable, RemoteError, PortTaken) as problem:
            self._log.info("sip_call_not_placed", problem=str(problem))
            self._over = dialling.NOT_REACHED
            return False
        except Exception as problem:
            self._log.warning("sip_call_not_placed", problem=repr(problem))
            self._over = getattr(getattr(problem, "refusal", None), "text", "") or "Call failed"
            return False
        self._log = self._log.bind(call=self._call)
        self._placed = True
        self._log.info(
            "sip_call_placed",
            target=self._target.uri,
            transport=place.transport.value,
            address=place.address,
            port=place.port,
        )
        self._patience = asyncio.get_running_loop().call_later(PATIENCE, self._silent, self._call)
        if self._over:
            super().disconnected(self._over)
        elif self._ringing is None:
            self._ringing = asyncio.get_running_loop().call_later(dialling.RINGING, self._unanswered)
        return True

    def _answering(self, place: Place) -> Credentials:
        """Systems that are configured are answered whatever realm they name, for they speak for others as well;
        anybody else only for a realm of its own domain (SYS-249)."""
        known, host = self._order.credentials, self._target.wanted.host
        if (self._order.hop is not None and not self._redirected) or self._trunk.knows(place.address):
            return known
        return functools.partial(self._answering_stranger, known, host)

    def _answering_stranger(self, known: Credentials, host: str, realm: str) -> tuple[str, str] | None:
        found = known(realm)
        if found is None or belongs(realm, host):
            return found
        self._log.warning(
            "sip_credentials_not_told", realm=realm, called=host,
            remedy="make the system a SIP proxy of the location or of a rule if it shall have them",
        )  # fmt: skip
        return None

    def _fitting(self, place: Place, offer: bytes) -> Place:
        """What is too long for a datagram goes by TCP first, unless somebody wants UDP (RFC 3261 18.1.1)."""
        if place.chosen or place.transport is not Transport.UDP or len(offer) + HEAD <= DATAGRAM:
            return place
        by_stream = dataclasses.replace(place, transport=Transport.TCP, chosen=True)
        if self._trunk.avoided(by_stream):
            return place
        self._aside.append(dataclasses.replace(place, chosen=True))
        return by_stream

    def _silent(self, call: str) -> None:
        if call == self._call and not self._answered and not self._trunk.heard(call):
            self.put(Silence())

    async def _try_elsewhere(self) -> None:
        """Leave a place that keeps silent, if there is another one."""
        if self._over or self._answered or self._trunk.heard(self._call):
            return
        try:
            following = self._aside.pop() if self._aside else await anext(self._places, None)
        except Unreachable:
            following = None
        if following is None or self._trunk.heard(self._call):
            return
        self._aside.append(following)
        self._log.info("sip_call_tried_elsewhere", address=following.address, port=following.port)
        self._tell_failed()
        self._trunk.abandon(self._call)
        self._placed = False
        if not await self._place():
            self.put(CallEnded(self._call, "timeout", 408))

    def _tell_failed(self) -> None:
        if self._place_tried is not None:
            self._trunk.failed(self._place_tried)

    def _unanswered(self) -> None:
        if not self._answered:
            self.disconnected(dialling.NO_ANSWER)

    async def _ended(self, event: CallEnded) -> bool:
        """True: it goes on elsewhere (3xx)."""
        if self._answered:
            return False
        elsewhere = event.contact and not self._order.registration  # a device stands for itself, and nobody else
        if elsewhere and not self._over and self._redirected < REDIRECTED:
            self._redirected += 1
            try:
                self._send_on(event.contact)
            except RemoteError as problem:
                self._log.info("sip_redirected_nowhere", problem=str(problem))
            else:
                return await self._place_again()
        if not self._over and _worth_another(event):
            self._tell_failed()
            if await self._place_again():
                return True
        self._over = self._parting = self._over or _reason(event)
        return False

    def _send_on(self, contact: str) -> None:
        """Whom a stranger names gets neither our passwords nor calls by systems that let us in for our address: else
        anybody who may be called could have us call at our cost. Raises RemoteError."""
        self._target = target(contact, None)
        self._aside, self._places = [], self._trunk.places(self._target)
        if self._order.hop is None:
            self._astray = True
            self._order = msgspec.structs.replace(self._order, credentials=_nothing)

    async def _place_again(self) -> bool:
        self._placed = False
        return await self._place()

    async def _handle_answer(self, event: CallAnswered) -> None:
        self._answered = True
        if self._over:  # it crossed our giving up
            self._line.hang_up(self._call, self._over)
            return
        await self._running().answered(event.sdp)
        session = self._session
        if session is None:
            raise LocalError("nobody to be in the call")
        await session.confirm(self._media_call)
        await session.answered(printable(event.product))

    async def _progressed(self, event: CallProgressed) -> None:
        """Early media is taken up at once, so that nothing of the answer is lost; in a gateway call it is heard."""
        if self._answered or self._over:
            return
        early = False
        if event.sdp:
            try:
                await self._running().early(event.sdp)
                early = True
            except (SdpError, NegotiationError) as problem:
                self._log.info("sip_early_media_not_usable", problem=str(problem))
        if self._session is not None and (early or event.status in RINGS):
            await self._session.ringing(early=early)

    async def _handle(self, event: Told) -> None:
        match event:
            case CallProgressed():
                await self._progressed(event)
            case Silence():
                await self._try_elsewhere()
            case CallAnswered():
                await self._handle_answer(event)
            case MediaGone() if not self._answered:
                pass  # what was offered stands; it is set up anew once there is an answer to it
            case Dropped() if not self._answered and self._session is not None:
                await super()._handle(event)
                await self._session.leave(self._over)  # whenever the far end confirms
            case _:
                await super()._handle(event)


def _nothing(_realm: str) -> None:
    """No credentials."""


def _worth_another(event: CallEnded) -> bool:
    """Whether the next place may do better (RFC 3263 4.3): this one cannot take it, or is not there."""
    return event.status == 503 or (event.status == 408 and event.reason != "refused" and not event.heard)


def _reason(event: CallEnded) -> str:
    """What history says of a call that was not answered."""
    nobody = event.status == 408 and event.reason not in ("refused", "cancelled")
    return dialling.NOT_REACHED if nobody or not event.status else dialling.reason(event.status)
