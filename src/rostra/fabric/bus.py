"""The fabric: publish, request and subscribe over NATS. The only module that holds a NATS connection.

Payloads are bytes; encoding belongs to whoever declares the messages. The connection heals by itself; while it
is down, publishing buffers (bounded by the client library) and requests fail with `Unreachable`. On a machine that is
a member of a platform everything is guarded: see `guard`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from rostra.environment import Environment
from rostra.fabric import credentials, membership, server, subjects
from rostra.fabric.guard import Guard, Heard, Members, OnRefused, Refused, row
from rostra.fabric.inbox import Inbox, Unreachable
from rostra.fabric.sessions import Once, Sessions
from rostra.fabric.speaking import now_speaks
from rostra.fabric.subjects import Subject

logger = structlog.get_logger("rostra.fabric")

Handler = Callable[[str, bytes], Awaitable[bytes | None]]
"""Takes subject and payload; what it returns is sent as the reply when one is asked for."""


FLUSH = 2
"""Seconds a subscription may take to be known to the server; with a lost connection it is known after the next."""


PROOF = 2.0
"""Seconds a process that was not heard before may take to show that it is there."""


class Bus:
    """One connection to the fabric."""

    def __init__(self, client: Client, guard: Guard | None = None) -> None:
        self._client = client
        self._guard = guard
        self._inbox = Inbox(client, guard) if guard else None
        self._sessions = Sessions(self._is_there)

    @classmethod
    async def join(cls, environment: Environment, *, name: str, timeout: float = 10.0) -> Bus:
        """Connect to the fabric of this machine, guarded if it is a member. Raises as `connect`."""
        return await cls.connect(
            server.url(environment), name=name, timeout=timeout, guard=await asyncio.to_thread(guard_of, environment)
        )

    @classmethod
    async def connect(cls, url: str, *, name: str, timeout: float = 10.0, guard: Guard | None = None) -> Bus:
        """Connect, retrying until `timeout` seconds have passed; raises Unreachable then."""
        client = Client()

        async def report(problem: Exception) -> None:
            logger.warning("Fabric connection problem", problem=str(problem) or type(problem).__name__)

        try:
            async with asyncio.timeout(timeout):
                await client.connect(
                    url,
                    name=name,
                    error_cb=report,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type] - takes fractions; a killed server is back as fast
                    ping_interval=5,
                    max_outstanding_pings=2,
                )
        except (OSError, nats.errors.Error, TimeoutError) as problem:
            await client.close()
            raise Unreachable("the fabric does not answer") from problem
        bus = cls(client, guard)
        await bus._open()
        return bus

    async def _open(self) -> None:
        """Take answers, and show whoever asks that we are there."""
        if self._guard is None or self._inbox is None:
            return
        await self._inbox.open()
        await self.subscribe(subjects.SESSION.of(self._guard.session.hex()), _here, concurrent=True)

    async def _is_there(self, heard: Heard) -> bool:
        if self._inbox is None:
            return False
        try:
            answer = await self._inbox.ask(subjects.SESSION.of(heard.session.hex()), b"", PROOF)
        except Unreachable:
            return False
        return (answer.speaker, answer.session) == (heard.speaker, heard.session)

    def on_refused(self, listener: OnRefused) -> None:
        """Have `listener` told what other members said although they must not."""
        if self._guard is not None:
            self._guard.on_refused(listener)

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    async def publish(self, subject: str, payload: bytes) -> None:
        await self._client.publish(subject, self._guard.seal(subject, "", payload) if self._guard else payload)

    async def request(self, subject: str, payload: bytes, *, timeout: float = 5.0) -> bytes:
        """Send and wait for one reply. Raises Unreachable after `timeout` seconds or when nobody listens."""
        if self._inbox is not None:
            heard = await self._inbox.ask(subject, payload, timeout)
            self._now_speaks(heard)
            return heard.payload
        task = asyncio.current_task()
        called_off = task.cancelling() if task else 0
        try:
            reply = await self._client.request(subject, payload, timeout=timeout)
        except (nats.errors.Error, TimeoutError) as problem:
            nobody = isinstance(problem, nats.errors.NoRespondersError)
            raise Unreachable(f"no answer on {subject}: {type(problem).__name__}", nobody=nobody) from problem
        if task and task.cancelling() > called_off:  # lost in the client, see `rostra.waiting`
            raise asyncio.CancelledError
        return reply.data

    def _now_speaks(self, heard: Heard) -> None:
        if (guard := self._guard) is not None:
            now_speaks(heard.speaker, lambda node: guard.carries(heard.speaker, node))

    async def subscribe(
        self, subject: str, handler: Handler, *, concurrent: bool = False
    ) -> Callable[[], Awaitable[None]]:
        """Call `handler` for every message, one at a time and in order; returns the way to stop.

        With `concurrent` the calls still begin in order but do not wait for each other.

        An exception of the handler is logged and ends only the handling of that message.
        """

        guard = self._guard
        on = row(subject) if guard else None
        turn: contextlib.AbstractAsyncContextManager[Any] = contextlib.nullcontext() if concurrent else asyncio.Lock()

        async def receive(message: Msg, payload: bytes, heard: Heard | None = None) -> None:
            async with turn:
                if heard is not None:
                    self._now_speaks(heard)
                try:
                    reply = await handler(message.subject, payload)
                except Exception:
                    logger.exception("Handler failed", subject=message.subject)
                    return
                if reply is not None and message.reply:
                    await _respond(message, guard.seal_answer(on, message.reply, reply) if guard and on else reply)

        running: set[asyncio.Task[None]] = set()

        async def begin(message: Msg, payload: bytes, heard: Heard | None = None) -> None:
            task = asyncio.create_task(receive(message, payload, heard))
            running.add(task)
            task.add_done_callback(running.discard)

        handle = begin if concurrent else receive

        async def plain(message: Msg) -> None:
            await handle(message, message.data)

        take = _guarded(guard, on, self._sessions, handle) if guard and on else plain

        subscription: Subscription = await self._client.subscribe(subject, cb=take)
        if self._client.is_connected:  # else it is made known with the next connection
            with contextlib.suppress(nats.errors.Error):
                await self._client.flush(timeout=FLUSH)

        async def stop() -> None:
            if not self._client.is_closed:
                await subscription.unsubscribe()

        return stop

    async def close(self) -> None:
        """Flush what is pending and close."""
        if self._client.is_connected:
            await self._client.drain()
        elif not self._client.is_closed:
            await self._client.close()

    def debug_state(self) -> dict[str, Any]:
        guarded = self._guard.debug_state() if self._guard else {}
        return {"connected": self.connected, **dict(self._client.stats), **guarded}


_Take = Callable[[Msg], Coroutine[Any, Any, None]]
_Handle = Callable[[Msg, bytes, Heard], Awaitable[None]]


def _guarded(guard: Guard, on: Subject, sessions: Sessions, handle: _Handle) -> _Take:
    """Only what may be said reaches `handle`, and that once."""

    async def passed(heard: Heard, message: Msg) -> None:
        await handle(message, heard.payload, heard)

    def refused(message: Msg, problem: Refused) -> None:
        guard.note(message.subject, problem)

    once = Once[Msg](sessions, passed, refused)

    async def take(message: Msg) -> None:
        try:
            heard = guard.open(message.subject, message.reply, message.data)
        except Refused as problem:
            return refused(message, problem)
        return await (once.take if on.fresh else passed)(heard, message)

    return take


async def _respond(message: Msg, payload: bytes) -> None:
    try:
        await message.respond(payload)
    except nats.errors.Error as problem:  # we are closing; who asked sees us go
        logger.info("Answer not sent", subject=message.subject, problem=type(problem).__name__)


async def _here(_subject: str, _payload: bytes) -> bytes:
    return b""


def guard_of(environment: Environment) -> Guard | None:
    """What guards the connections of this machine; None when it belongs to no platform. Touches the disk."""
    place = membership.load(environment.home)
    if place is None:
        return None
    key = credentials.read_key(credentials.of(environment.home).key.read_bytes())
    return Guard(Members(environment.home, place), key, server.near(environment))
