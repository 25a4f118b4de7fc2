"""The fabric: publish, request and subscribe over NATS. The only module that holds a NATS connection.

Payloads are bytes; encoding belongs to whoever declares the messages. The connection heals by itself; while it
is down, publishing buffers (bounded by the client library) and requests fail with `Unreachable`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

logger = structlog.get_logger("rostra.fabric")

Handler = Callable[[str, bytes], Awaitable[bytes | None]]
"""Takes subject and payload; what it returns is sent as the reply when one is asked for."""


FLUSH = 2
"""Seconds a subscription may take to be known to the server; with a lost connection it is known after the next."""


class Unreachable(Exception):
    """Nobody answered a request, or the fabric is down. `nobody`: the fabric knows that nobody listens there."""

    def __init__(self, reason: str, *, nobody: bool = False) -> None:
        super().__init__(reason)
        self.nobody = nobody


class Bus:
    """One connection to the fabric."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    async def connect(cls, url: str, *, name: str, timeout: float = 10.0) -> Bus:
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
        return cls(client)

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    async def publish(self, subject: str, payload: bytes) -> None:
        await self._client.publish(subject, payload)

    async def request(self, subject: str, payload: bytes, *, timeout: float = 5.0) -> bytes:
        """Send and wait for one reply. Raises Unreachable after `timeout` seconds or when nobody listens."""
        try:
            reply = await self._client.request(subject, payload, timeout=timeout)
        except (nats.errors.Error, TimeoutError) as problem:
            nobody = isinstance(problem, nats.errors.NoRespondersError)
            raise Unreachable(f"no answer on {subject}: {type(problem).__name__}", nobody=nobody) from problem
        return reply.data

    async def subscribe(
        self, subject: str, handler: Handler, *, concurrent: bool = False
    ) -> Callable[[], Awaitable[None]]:
        """Call `handler` for every message, one at a time and in order; returns the way to stop.

        With `concurrent` the calls still begin in order but do not wait for each other.

        An exception of the handler is logged and ends only the handling of that message.
        """

        async def receive(message: Msg) -> None:
            try:
                reply = await handler(message.subject, message.data)
            except Exception:
                logger.exception("Handler failed", subject=message.subject)
                return
            if reply is not None and message.reply:
                try:
                    await message.respond(reply)
                except nats.errors.Error as problem:  # we are closing; who asked sees us go
                    logger.info("Answer not sent", subject=message.subject, problem=type(problem).__name__)

        running: set[asyncio.Task[None]] = set()

        async def begin(message: Msg) -> None:
            task = asyncio.create_task(receive(message))
            running.add(task)
            task.add_done_callback(running.discard)

        subscription: Subscription = await self._client.subscribe(subject, cb=begin if concurrent else receive)
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
        return {"connected": self.connected, **dict(self._client.stats)}
