"""A registered client that is being called, until it says whether it takes the call (API-138 to API-140).

It takes the call by joining with the token that it is given here; the participant that has been in the roster since
it was called becomes that client's.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import structlog

from rostra.background import Background
from rostra.calls.switchboard import CallOrder, Session, SessionListener
from rostra.clientapi.stream import Frames
from rostra.domain import dialling
from rostra.domain.vocabulary import Role

logger = structlog.get_logger("rostra.clientapi")


class RingStream(Frames):
    """The events of one registration."""

    def __init__(self, node: str, registration: str, pending: Callable[[], list[Ringing]]) -> None:
        """`pending`: the calls it does not know of yet (API-140)."""
        super().__init__(node, registration)
        self._pending = pending

    async def _run(self) -> None:
        await self._put("hello", None)
        for ringing in self._pending():
            await self._put("incoming", ringing.told)
        await asyncio.get_running_loop().create_future()  # further ones are told as they come


class Ringing:
    """One call to one registration. Implements `calls.switchboard.OutgoingLeg`."""

    def __init__(
        self, order: CallOrder, alias: str, tell: Callable[[str, Any], None], begun: Callable[[Ringing], bool],
        over: Callable[[Ringing], None],
    ) -> None:  # fmt: skip
        """`alias` is that which was called. `tell` sends an event to the device. `begun` remembers the call from when
        it really is one, False: there is no device any more; `over` forgets it."""
        self.token = secrets.token_urlsafe(24)
        self.told = {
            "conference_alias": order.conference,
            "remote_display_name": order.source_name or order.conference_name,
            "remote_alias": order.source or order.conference,
            "local_alias": alias,
            "service_type": order.service_type,
            "token": self.token,
        }
        self._tell = tell
        self._begun = begun
        self._over = over
        self._session: Session | None = None
        self._answering: SessionListener | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._background = Background()

    # ---- what the device does

    def accept(self, listener: SessionListener) -> Session | None:
        """The device takes the call: `listener` is told from now on. None: it is over, or taken already."""
        if self._session is None or self._answering is not None or self._timer is None:
            return None
        self._answering = listener
        self._end_ringing()
        return self._session

    def reject(self) -> None:
        self._leave(dialling.REJECTED, told=False)

    def gone(self) -> None:
        """The device is not registered any more."""
        self._leave(dialling.NOT_REACHED, told=False)

    # ---- calls.switchboard.OutgoingLeg

    def begin(self, session: Session) -> None:
        self._session = session
        self._timer = asyncio.get_running_loop().call_later(dialling.RINGING, self._unanswered)
        if not self._begun(self):
            self.gone()
            return
        self._tell("incoming", self.told)
        self._background.spawn(session.ringing())

    def disconnected(self, reason: str) -> None:
        if self._answering is not None:
            self._answering.disconnected(reason)
        else:
            self._leave(reason)

    def media_lost(self, call: str) -> None:
        if self._answering is not None:
            self._answering.media_lost(call)

    def call_ended(self, call: str, reason: str) -> None:
        if self._answering is not None:
            self._answering.call_ended(call, reason)

    def picture_wanted(self, call: str) -> None:
        if self._answering is not None:
            self._answering.picture_wanted(call)

    def presentation_changed(self, presenter: str) -> None:
        if self._answering is not None:
            self._answering.presentation_changed(presenter)

    def refer(self, alias: str, role: Role | None) -> bool:
        return self._answering is not None and self._answering.refer(alias, role)

    # ---- inside

    def _unanswered(self) -> None:
        self._leave(dialling.NO_ANSWER)

    def _leave(self, reason: str, *, told: bool = True) -> None:
        """It rings no more; `told`: the device hears of it."""
        if self._timer is None or self._session is None:
            return
        self._end_ringing()
        if told:
            self._tell("incoming_cancelled", {"token": self.token})
        self._background.spawn(self._session.leave(reason))

    def _end_ringing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._over(self)
