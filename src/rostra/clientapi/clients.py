"""The participants that hold a token of this node: their calls, their lifetime, their event stream.

A client lives until it releases its token, until 120 s pass without refresh (API-024), or until the platform
removes it. A closed event stream alone ends nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Coroutine, Iterator
from typing import Any

import structlog

from rostra.calls.switchboard import CallRefused, Refusal, Session, Switchboard
from rostra.clientapi import counters, steady
from rostra.clientapi.direct import PeerLink
from rostra.clientapi.envelope import TOKEN_EXPIRED
from rostra.clientapi.invitations import Invitations
from rostra.clientapi.pace import Pace
from rostra.clientapi.rooms import request_of
from rostra.clientapi.stream import EventStream
from rostra.clientapi.tokens import LIFETIME, SECRET_BYTES, TokenMint, former, mark_of
from rostra.domain.ending import End
from rostra.domain.rooms import Room
from rostra.domain.vocabulary import Role

logger = structlog.get_logger("rostra.clientapi")

ACK_TIMEOUT = 60.0
"""Seconds within which a call must be acknowledged (API-070)."""
LEAVING = 1.0
"""Seconds the answer to a leaving client waits for its media to be closed."""
REMEMBERED_CALLS = 32
"""Ended calls remembered, so that late `ack` or `disconnect` get their normal answers (API-014)."""

REMEMBERED_FRAMES = 8
REMEMBERED_ENDINGS = 1000
"""Participants of which is remembered why the platform ended them."""
_OVER = frozenset(end.text for end in End)
"""Reasons that are about the conference, and nobody in it."""


class Client:
    """One participant joined through this API. Is the `SessionListener` of its session."""

    def __init__(self, owner: Clients, aliases: set[str], *, parent: Client | None = None, room: str = "") -> None:
        """`parent`: that of the Host's own, for one that follows the breakout room of uuid `room`."""
        self.parent = parent
        self.room = room
        self.visits: dict[str, Client] = {}
        """In breakout rooms, by their uuid."""
        self.aliases = aliases
        """Case-folded aliases known to name the service."""
        self.calls: dict[str, asyncio.TimerHandle | None] = {}
        """Running calls; the handle drops a call that is never acknowledged."""
        self.main_call = ""
        self.secret = secrets.token_bytes(SECRET_BYTES)
        """By which it is known when it joins anew, also on another node."""
        self.frames: dict[str, int] = {}
        """Ids of the latest events about pictures of the presentation, and which pictures they told of (API-111)."""
        self.direct = PeerLink(self)
        """To the other client, with direct media."""
        self._presenting: dict[str, str] = {}
        self.negotiating = asyncio.Lock()
        """One negotiation at a time: the SDK's call queue may resend what is still under way."""
        self.pace = Pace()
        """How fast it asks."""
        self.deadline = 0.0
        self.gone = False
        self.streamed = False
        """An event stream was opened before: the next one is a repeated connection."""
        self._owner = owner
        self._session: Session | None = None
        self._own_stream: EventStream | None = None
        self._invited = ""
        """The one-time token it was given last."""
        self._ended: deque[str] = deque(maxlen=REMEMBERED_CALLS)
        self._reason: str | None = None
        self._early_reason: str | None = None

    @property
    def session(self) -> Session:
        """The session; only a client that was admitted is ever handed out."""
        if self._session is None:
            raise RuntimeError("the client has not joined yet")
        return self._session

    @property
    def uuid(self) -> str:
        return self.session.participant.uuid

    @property
    def stream(self) -> EventStream | None:
        """The one that is open, if any; in a room, that of the Host."""
        return self.parent.stream if self.parent else self._own_stream

    def joined(self, session: Session) -> bool:
        """The switchboard let it in. False: it was removed again before we got here."""
        self._session = session
        session.on_signal = self.direct.heard
        return self._early_reason is None

    # --- told by the platform (SessionListener)

    def disconnected(self, reason: str) -> None:
        if self._session is None:
            self._early_reason = reason
            return
        if reason not in _OVER:
            self.withdraw()  # who is put out has no way back
        if self.parent:
            self.parent.visits.pop(self.room, None)
            self.end(None)
        else:
            self._owner.forget(self, reason)

    def media_lost(self, call: str) -> None:
        """Our own web app restarts at once on this event; others ignore unknown events (API-054) and restart
        when their ICE fails."""
        if self.stream and call in self.calls:
            self.stream.tell("media_lost", {"call_uuid": call})

    def call_ended(self, call: str, reason: str) -> None:
        """Told to the client only while it believes in the call (API-076)."""
        if self.end_call(call) and self.stream:
            self.stream.tell("call_disconnected", {"call_uuid": call, "reason": reason})

    def presentation_changed(self, presenter: str) -> None:
        """The event stream tells it."""

    def picture_wanted(self, call: str) -> None:
        """Its media has feedback of its own."""

    def refer(self, alias: str, role: Role | None) -> bool:
        """It leaves by itself and joins there with a token that is good once (API-130)."""
        me, room = self.session.participant, self._owner.find_room(alias)
        shown = room.main_alias if room else alias
        token = self._owner.invitations.give(
            shown, role, display_name=me.display_name, call_tag=me.call_tag, room=room.alias if room else ""
        )
        self.withdraw()
        self._invited = token
        told = {"alias": shown, "token": token}
        if room:
            told |= {"target": "breakout", "breakout_name": room.name}
        elif (left := self.session.service.breakout) and alias == left.main_alias:
            told |= {"target": "main", "breakout_name": left.name}
        if self.stream:
            self.stream.tell("refer", told)
        return True

    def send_anew(self, target: str) -> None:
        """It joins this conference anew, as what it is, because its media takes another way (API-162)."""
        me = self.session.participant
        token = self._owner.invitations.give(
            me.local_alias, me.role, display_name=me.display_name, call_tag=me.call_tag, inside=True
        )
        self.withdraw()
        self._invited = token
        if self.stream:
            self.stream.tell("refer", {"alias": me.local_alias, "token": token, "target": target})

    def withdraw(self) -> None:
        """The token it was sent away with is good no more (API-132)."""
        self._owner.invitations.use(self._invited)
        self._invited = ""

    # --- breakout rooms

    async def enter_room(self, room: Room) -> Client:
        """Be in a room too, without media; a client of its own. Raises CallRefused."""
        known = self.visits.get(room.uuid)
        if known is not None:
            return known
        visit = Client(self._owner, self.aliases, parent=self, room=room.uuid)
        if not visit.joined(await self._owner.join(request_of(self, room), visit)):
            raise CallRefused(Refusal.NOT_FOUND)
        self.visits[room.uuid] = visit
        if self.gone:  # it left meanwhile
            await self.leave_room(room.uuid)
            raise CallRefused(Refusal.INVALID_TOKEN)
        return visit

    async def leave_room(self, uuid: str) -> None:
        visit = self.visits.pop(uuid, None)
        if visit is not None:
            visit.end(None)
            await visit.session.leave()

    def _conjoin(self) -> None:
        """In the main conference it shows whether the Host's media is in a room (API-157)."""
        host = self.parent
        if host is None or host.gone:
            return
        away = any(visit.calls for visit in (*host.visits.values(), self))
        if host.session.participant.is_conjoined != away:
            self._owner.spawn(host.session.conference.set_client_state(host.uuid, is_conjoined=away))

    # --- calls

    def begin_call(self, call: str, present: str = "") -> str:
        """A call was set up; it must be acknowledged within `ACK_TIMEOUT`. Returns the one it replaces, or nothing."""
        loop = asyncio.get_running_loop()
        self.calls[call] = loop.call_later(ACK_TIMEOUT, self._never_acknowledged, call)
        if present in ("send", "receive"):
            previous = self._presenting.get(present, "")
            self._presenting[present] = call
        else:
            previous, self.main_call = self.main_call, call
        self._conjoin()
        return previous

    def acknowledged(self, call: str) -> None:
        timer = self.calls.get(call)
        if timer:
            timer.cancel()
            self.calls[call] = None

    def end_call(self, call: str) -> bool:
        """Forget a call; True if it was running."""
        if call not in self.calls:
            return False
        timer = self.calls.pop(call)
        if timer:
            timer.cancel()
        if self.main_call == call:
            self.main_call = ""
        self._ended.append(call)
        self._conjoin()
        return True

    def had_call(self, call: str) -> bool:
        """`call` is or was one of this client's."""
        return call in self.calls or call in self._ended

    def _never_acknowledged(self, call: str) -> None:
        logger.info("Call dropped: not acknowledged", participant=self.uuid, call=call)
        self.call_ended(call, "Call disconnected")
        self._owner.spawn(self.session.close_call(call))

    def told_of_frame(self, event: str, number: int) -> None:
        """An event with this id told of a picture."""
        self.frames[event] = number
        while len(self.frames) > REMEMBERED_FRAMES:
            del self.frames[next(iter(self.frames))]

    # --- the event stream

    def open_stream(self, node: str) -> EventStream:
        """A new stream takes over; the previous one ends (API-049), and is told so (API-053)."""
        if self._own_stream:
            self._own_stream.tell("bye", None)
            self._own_stream.finish()
        self._own_stream = EventStream(self, node, repeated=self.streamed)
        self.streamed = True
        return self._own_stream

    def end(self, reason: str | None) -> None:
        """Nothing works any more. `reason` goes to the stream when the platform ended it.

        Of a room's: the Host's stream goes on, and is told of each call that ends with it (API-156).
        """
        self.gone = True
        for call in list(self.calls):
            if self.parent:
                self.call_ended(call, "Call disconnected")
            else:
                self.end_call(call)
        for uuid in list(self.visits):
            self._owner.spawn(self.leave_room(uuid))
        if self._own_stream:
            self._own_stream.finish(reason)


class Clients:
    """All clients of this node, by participant."""

    def __init__(self, switchboard: Switchboard) -> None:
        self.join = switchboard.join
        self.find_room = switchboard.room
        self.mint = TokenMint()
        self.invitations = Invitations()
        self._clients: dict[str, Client] = {}
        self._endings: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients.values()))

    def __len__(self) -> int:
        return len(self._clients)

    def get(self, participant: str) -> Client | None:
        return self._clients.get(participant)

    def admit(self, client: Client) -> str:
        """Take in a joined client; returns its first token."""
        self._clients[client.uuid] = client
        counters.CLIENTS.set(len(self._clients))
        token = self.refresh(client)
        self._watch(client)
        return token

    def refresh(self, client: Client) -> str:
        """Another token; the client lives `LIFETIME` from now."""
        client.deadline = steady.now() + LIFETIME
        return self.mint.issue(client.uuid, client.deadline, client.secret)

    def holder(self, token: str) -> Client | None:
        """The client a token belongs to; None when forged, expired or the participant is gone."""
        read = self.mint.read(token)
        if read is None or read.expires <= steady.now():
            return None
        return self._clients.get(read.participant)

    def ended(self, token: str) -> bool:
        """The token is genuine and unexpired, but its participant is gone (API-025)."""
        read = self.mint.read(token)
        return read is not None and read.expires > steady.now() and read.participant not in self._clients

    def forget(self, client: Client, reason: str | None = None) -> None:
        """The participant has ended; `reason` is told to its stream when the client did not ask for it."""
        if self._clients.get(client.uuid) is client:
            del self._clients[client.uuid]
            counters.CLIENTS.set(len(self._clients))
        if reason is not None:
            self._endings[client.uuid] = reason
            while len(self._endings) > REMEMBERED_ENDINGS:
                del self._endings[next(iter(self._endings))]
        client.end(reason)

    def ending(self, token: str) -> str | None:
        """Why the platform ended the participant of a genuine token, as far back as that is remembered.

        For clients whose stream was broken at that moment: they can tell removal from a node that knows them no more.
        """
        read = self.mint.read(token)
        return None if read is None else self._endings.get(read.participant)

    async def release(self, token: str) -> bool:
        """End the participant a token belongs to; False when it is not one of ours, or gone already.

        Known by the same secret as who joins anew: else one could do so as often as it likes, beside itself.
        """
        known = former(token)
        client = self._clients.get(known[0]) if known else None
        if client is None or known is None or known[1] != mark_of(client.secret):
            return False
        logger.info("Participant goes on in a new session", participant=client.uuid)
        await self.leave(client)
        return True

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """Run something in the background; failures are logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def leave(self, *leavers: Client, reason: str | None = None) -> None:
        """End participants; `reason` is told to their streams. Returns when their media is closed too, or goes on
        with that in the background after `LEAVING` seconds."""
        tasks: set[asyncio.Task[Any]] = set()
        for client in leavers:
            self.forget(client, reason)
            session = client.session
            tasks.add(self.spawn(session.leave(reason) if reason else session.leave()))
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVING)

    async def close(self) -> None:
        """The node stops: every participant leaves."""
        await self.leave(*self, reason="Signaling node disconnected")

    def debug_state(self) -> dict[str, object]:
        return {"clients": len(self._clients), "tasks": len(self._tasks)}

    def _watch(self, client: Client) -> None:
        """One timer per client, moved on lazily: refreshing costs nothing."""
        if client.gone:
            return
        left = client.deadline - steady.now()
        if left > 0:
            asyncio.get_running_loop().call_later(left, self._watch, client)
            return
        logger.info(TOKEN_EXPIRED, participant=client.uuid)
        counters.EXPIRED.inc()
        self.spawn(self.leave(client, reason=TOKEN_EXPIRED))

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            logger.error("Background work failed", problem=repr(task.exception()))
