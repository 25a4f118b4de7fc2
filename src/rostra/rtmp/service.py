"""Streaming: a conference calls an RTMP server, which is a participant from then on (CONF-122…CONF-127)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import structlog

from rostra.background import Background
from rostra.calls.switchboard import CallOrder, CallRefused, MediaRefused, NotDialled, Session
from rostra.domain import dialling
from rostra.domain.vocabulary import Role

logger = structlog.get_logger("rostra.rtmp")

VENDOR = "RTMP"
AGAIN = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each try to stream from elsewhere, when the media went."""


class StreamService:
    """Implements `calls.switchboard.Dialler`."""

    def __init__(self, authorities: Callable[[], str] = lambda: "") -> None:
        """`authorities`: who vouches for servers, beside those whom the machine believes: PEM."""
        self._background = Background()
        self._authorities = authorities

    def leg(self, order: CallOrder) -> StreamCall:
        scheme, found, rest = order.destination.partition("://")
        if not found or scheme.lower() not in ("rtmp", "rtmps") or not rest.partition("/")[2]:
            raise NotDialled(400, "Invalid destination")
        return StreamCall(order, self._background, self._authorities)

    async def stop(self) -> None:
        await self._background.finish(1)


class StreamCall:
    """Implements `calls.switchboard.OutgoingLeg`."""

    def __init__(self, order: CallOrder, background: Background, authorities: Callable[[], str]) -> None:
        self._order = order
        self._authorities = authorities
        self._where = dialling.loggable(order.destination)
        self._background = background
        self._call = f"rtmp-{uuid.uuid4().hex}"
        self._session: Session | None = None
        self._opening: asyncio.Task[None] | None = None
        self._over = False

    def begin(self, session: Session) -> None:
        self._session = session
        self._opening = self._background.spawn(self._run(session))

    async def _run(self, session: Session) -> None:
        try:
            await self._open(session)
        except (MediaRefused, CallRefused) as problem:
            logger.info("Stream refused", destination=self._where, reason=str(problem))
            await session.leave(_reason(problem))
            return
        await session.confirm(self._call)
        await session.answered(VENDOR)

    async def _open(self, session: Session) -> None:
        order = self._order
        await session.open_stream(self._call, order.destination, order.presentation_url, self._authorities())

    async def _open_again(self, session: Session) -> None:
        for pause in AGAIN:
            await asyncio.sleep(pause)
            if self._over:
                return
            try:
                await self._open(session)
                await session.confirm(self._call)
            except (MediaRefused, CallRefused) as problem:
                logger.info("Stream not yet back", destination=self._where, reason=str(problem))
            else:
                return
        await session.leave(dialling.NOT_REACHED)

    # ---- calls.switchboard.SessionListener

    def disconnected(self, reason: str) -> None:
        del reason
        self._over = True
        if self._opening is not None:
            self._opening.cancel()

    def media_lost(self, call: str) -> None:
        """Also when it is to move, or the participant is in another conference now."""
        del call
        if self._session is not None and (self._opening is None or self._opening.done()):
            self._opening = self._background.spawn(self._open_again(self._session))

    def call_ended(self, call: str, reason: str) -> None:
        """The server has been away for too long."""
        del call
        self._over = True
        if self._session is not None:
            self._background.spawn(self._session.leave(reason))

    def presentation_changed(self, presenter: str) -> None:
        """The media worker sees to it."""

    def picture_wanted(self, call: str) -> None:
        """Nothing comes from there."""

    def refer(self, alias: str, role: Role | None) -> bool:
        del alias, role
        return False


def _reason(problem: MediaRefused | CallRefused) -> str:
    return problem.refusal.text if isinstance(problem, CallRefused) else dialling.NOT_REACHED
