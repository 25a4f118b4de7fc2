"""Calls that move: transfers by REFER in both roles, and calls that take the place of others."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.switchboard import CallRequest, NotDialled, Session, Switchboard
from rostra.domain import dialling
from rostra.domain.dialling import Wanted
from rostra.domain.vocabulary import Role, ServiceType
from rostra.sip.aliases import aliases
from rostra.sip.errors import RemoteError
from rostra.sip.events import ReferReceived, Referred
from rostra.sip.replacing import Replaces
from rostra.sip.uri import Uri, parse_uri

log = structlog.get_logger("rostra.sip")

MOVED = "Call transferred"
FAILED = "transfer failed"
"""API-017."""
LOOKING = 0.2
"""Seconds between two looks at whether a called party has answered."""

_INSIDE = frozenset({ServiceType.CONFERENCE, ServiceType.LECTURE, ServiceType.WAITING_ROOM, ServiceType.GATEWAY})
"""Where somebody has been let in."""


class Line(Protocol):
    """What is needed of the service."""

    def report(self, call: str, name: str, status: int) -> None: ...

    def refer(self, call: str, uri: str, by: str) -> bool: ...

    def hang_up(self, call: str, reason: str) -> None: ...

    def is_ours(self, host: str) -> bool: ...

    def session_of(self, call: str) -> Session | None:
        """The participant of another call."""
        ...

    def replaced(self, replaces: Replaces) -> str | None: ...


class Moving:
    """Of one call. `session` gives its participant, once there is one."""

    def __init__(
        self, switchboard: Switchboard, line: Line, session: Callable[[], Session | None], call: Callable[[], str]
    ) -> None:
        self._switchboard = switchboard
        self._line = line
        self._session = session
        self._call = call
        self._background = Background()
        self._going: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """The call is over."""
        for task in self._going:
            task.cancel()

    # ---- the far end wants somebody called (RFC 3515)

    def wanted(self, event: ReferReceived) -> None:
        """Decide, and go about it."""
        task = self._background.spawn(self._follow(event))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _follow(self, event: ReferReceived) -> None:
        status = 500
        try:
            status = await self._carry_out(event)
        except NotDialled as problem:
            status = problem.status
        except TimeoutError:
            status = 408
        except Exception:
            log.exception("sip_transfer_failed", call=event.call)
        self._line.report(event.call, event.name, status)
        log.info("sip_transfer", call=event.call, target=str(event.target), status=status)

    async def _carry_out(self, event: ReferReceived) -> int:
        """The status that is the end of it. Raises NotDialled."""
        session = self._session()
        if session is None or session.participant.service_type not in _INSIDE:
            return 403
        other = self._line.replaced(event.replaces) if event.replaces is not None else None
        if other is not None:
            return await self._join_other(session, event, other)
        if session.participant.service_type is ServiceType.GATEWAY:
            return await self._hand_over(session, event)
        alias = await self._service(event.target)
        if alias and event.replaces is None:
            return await self._go(session, event, alias, None)
        if session.participant.role is not Role.HOST:
            return 403  # who calls somebody from a conference is its Host (CONF-107)
        return await self._call_out(session, event)

    async def _service(self, target: Uri) -> str:
        """What of ours a target names; empty: nothing."""
        for alias in aliases(target, ours=self._line.is_ours(target.bare_host)):
            if not isinstance(await self._switchboard.admits(alias, None, None), bool):
                return alias
        return ""

    async def _join_other(self, session: Session, event: ReferReceived, other: str) -> int:
        """It goes where another call of the same caller is, in whose place."""
        there = self._line.session_of(other)
        if there is None or there is session:
            return 481
        if ServiceType.GATEWAY in (session.participant.service_type, there.participant.service_type):
            return await self._connect(session, there, event, other)
        role = there.participant.role if there.participant.service_type in _INSIDE else None
        status = await self._go(session, event, there.participant.local_alias, role)
        self._line.hang_up(other, MOVED)
        return status

    async def _connect(self, session: Session, there: Session, event: ReferReceived, other: str) -> int:
        """Whoever it talks to in one call gets to talk to whoever is in the other (RFC 5589 7)."""
        self._line.report(event.call, event.name, 100)
        if not await self._switchboard.connect(session.participant.uuid, there.participant.uuid):
            return 503
        self._line.hang_up(other, MOVED)
        return 200

    async def _hand_over(self, session: Session, event: ReferReceived) -> int:
        """In a gateway call, one end sends the other on and leaves. A call that is none of ours is not replaced.

        Who is no registered caller does not have one call by rules that are for registered callers.
        """
        me = session.participant.uuid
        other = next((one for one in session.conference.participants if one.uuid != me and one.joined), None)
        if other is None or event.replaces is not None:
            return 403
        target = dataclasses.replace(event.target, headers="")
        self._line.report(event.call, event.name, 100)
        alias = await self._service(target) or target.address
        await session.conference.transfer(other.uuid, alias, None, trusted=session.participant.is_trusted)
        return 200

    async def _go(self, session: Session, event: ReferReceived, alias: str, role: Role | None) -> int:
        self._line.report(event.call, event.name, 100)
        await session.conference.transfer(session.participant.uuid, alias, role)
        return 200

    async def _call_out(self, session: Session, event: ReferReceived) -> int:
        """Call the target from the conference, in place of the call it replaces, if any."""
        headers = [("Referred-By", event.by)] if event.by else []
        if event.replaces is not None:
            headers.append(("Replaces", str(event.replaces)))
        destination = str(dataclasses.replace(event.target, headers=""))
        wanted = Wanted(destination=destination, role=session.participant.role, headers=tuple(headers))
        conference = session.conference
        called = await self._switchboard.dial(session.participant.local_alias, wanted)
        self._line.report(event.call, event.name, 100)
        async with asyncio.timeout(dialling.RINGING + 5):
            while True:
                found = [known for one in called if (known := conference.participant(one)) is not None]
                if any(one.service_type is not ServiceType.CONNECTING for one in found):
                    return 200
                if not found:
                    return 487
                await asyncio.sleep(LOOKING)

    # ---- the far end shall call somebody

    def send(self, alias: str) -> bool:
        """Have the far end go to an address that is none of ours; False: it has to be moved by us, or cannot."""
        session = self._session()
        try:
            target = parse_uri(alias)
        except RemoteError:
            return False
        if session is None or not target.is_sip:
            return False
        known = aliases(target, ours=self._line.is_ours(target.bare_host))
        if any(self._switchboard.lookup(one) is not None for one in known):
            return False
        local = session.participant.local_alias
        by = f"<sip:{local}>" if "@" in local else f"<sip:{local}@{target.host}>"
        return self._line.refer(self._call(), str(target), by)

    def told(self, event: Referred) -> str:
        """What became of it: why the call ends with that, or empty while it goes on."""
        log.info("sip_referred", call=event.call, status=event.status, over=event.over)
        if not event.over:
            return ""
        return MOVED if event.status < 300 else FAILED


def taking_place(request: CallRequest, replaced: Session | None) -> CallRequest:
    """A call that takes the place of another one goes where that is, as who it is there (RFC 3891)."""
    if replaced is None:
        return request
    there = replaced.participant
    inside = there.service_type in _INSIDE
    role = there.role if inside else None
    return msgspec.structs.replace(
        request, alias=there.local_alias, role=role, readmitted=inside, replaces=there.uuid if inside else ""
    )  # fmt: skip
