"""A SIP call of ours: placed for a participant, followed until it has ended."""

from __future__ import annotations

import asyncio
import uuid
from typing import Protocol

from rostra.calls.switchboard import CallOrder, Session, Switchboard
from rostra.domain import dialling
from rostra.sip.agent import CallAgent, Dropped, Line, MediaGone
from rostra.sip.aliases import printable
from rostra.sip.errors import LocalError, RemoteError
from rostra.sip.events import CallAnswered, CallEnded, Event
from rostra.sip.flow import Transport
from rostra.sip.media import CallMedia
from rostra.sip.targets import Target, Unreachable, target

REDIRECTED = 3
"""How often a called party may send us elsewhere."""


class Trunk(Line, Protocol):
    """What a call of ours needs of the service, beyond what every call does."""

    async def invite(self, agent: CalledAgent, found: Target, order: CallOrder, sdp: bytes) -> str:
        """Send the INVITE; events of the call go to the agent. Raises Unreachable, RemoteError."""
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
        self._placed = False
        """There is a call at the engine."""
        self._over = ""
        """Why it was given up before it was answered."""
        self._answered = False
        self._redirected = 0
        self._ringing: asyncio.TimerHandle | None = None

    def begin(self, session: Session) -> None:
        self._session = session
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
        finally:
            if self._ringing is not None:
                self._ringing.cancel()
            if self._media is not None:
                await self._media.close()
            if self._session is not None:
                await self._session.leave(self._over or self._parting)

    async def _place(self) -> bool:
        """Reserve media and call; False when that cannot be done."""
        session = self._session
        if session is None:
            return False
        try:
            encrypt = self._target.transport is Transport.TLS
            self._media = self._media or CallMedia(session, self._media_call, encrypt=encrypt, floor=self._floor)
            offer = await self._media.offer()
            if self._over:
                return False
            self._call = await self._trunk.invite(self, self._target, self._order, offer)
        except (Unreachable, RemoteError) as problem:
            self._log.info("sip_call_not_placed", problem=str(problem))
            self._over = dialling.NOT_REACHED
            return False
        except Exception as problem:
            self._log.warning("sip_call_not_placed", problem=repr(problem))
            self._over = getattr(getattr(problem, "refusal", None), "text", "") or "Call failed"
            return False
        self._log = self._log.bind(call=self._call)
        self._placed = True
        self._log.info("sip_call_placed", target=self._target.uri, transport=str(self._target.transport))
        if self._over:
            super().disconnected(self._over)
        elif self._ringing is None:
            self._ringing = asyncio.get_running_loop().call_later(dialling.RINGING, self._unanswered)
        return True

    def _unanswered(self) -> None:
        if not self._answered:
            self.disconnected(dialling.NO_ANSWER)

    async def _ended(self, event: CallEnded) -> bool:
        """True: it goes on elsewhere (3xx)."""
        if self._answered:
            return False
        if event.contact and not self._over and self._redirected < REDIRECTED:
            self._redirected += 1
            try:
                self._target = target(event.contact, None)
            except RemoteError as problem:
                self._log.info("sip_redirected_nowhere", problem=str(problem))
            else:
                self._placed = False
                return await self._place()
        self._over = self._parting = self._over or _reason(event)
        return False

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

    async def _handle(self, event: Event | MediaGone | Dropped) -> None:
        match event:
            case CallAnswered():
                await self._handle_answer(event)
            case MediaGone() if not self._answered:
                pass  # what was offered stands; it is set up anew once there is an answer to it
            case Dropped() if not self._answered and self._session is not None:
                await super()._handle(event)
                await self._session.leave(self._over)  # whenever the far end confirms
            case _:
                await super()._handle(event)


def _reason(event: CallEnded) -> str:
    """What history says of a call that was not answered."""
    nobody = event.status == 408 and event.reason not in ("refused", "cancelled")
    return dialling.NOT_REACHED if nobody or not event.status else dialling.reason(event.status)
