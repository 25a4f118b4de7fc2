"""One event stream: snapshot and events of the conference as server-sent events (sections 4 and 5).

A pump reads the conference's events, an outbox holds at most `OUTBOX` frames, the HTTP response takes them out.
When the outbox is full the pump waits; the conference then cuts the pump off after its own limit and the client
connects anew.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rostra.clientapi import counters
from rostra.clientapi.rendering import Rendered, StreamView
from rostra.clientapi.reporting import report
from rostra.clientapi.rooms import RoomWatch
from rostra.conference.events import PresentationFrame, RoleChanged, RoomsChanged

if TYPE_CHECKING:
    from rostra.clientapi.clients import Client

logger = structlog.get_logger("rostra.clientapi")

KEEP_ALIVE = 10.0
"""Seconds of silence after which a `ping` is sent (API-043)."""
OUTBOX = 256
"""Frames waiting for a slow reader."""
LAST_WORDS = 2.0
"""Seconds an ending stream may still take to deliver what is queued."""

_encoder = msgspec.json.Encoder()


def frame(node: str, counter: int, event: str, data: Any) -> bytes:
    """One event; data is JSON on one line, never empty (API-040, API-041)."""
    data = _encoder.encode(data)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (identifier(node, counter).encode(), event.encode(), data)


def identifier(node: str, counter: int) -> str:
    """Unique and increasing within a stream (API-042)."""
    return base64.b64encode(f"{node}_{counter}".encode()).decode()


class Frames:
    """Frames on their way to one reader; subclasses say where they come from."""

    def __init__(self, node: str, who: str) -> None:
        """`who` is for logs."""
        self._node = node
        self._who = who
        self._counter = itertools.count(1)
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue(OUTBOX)
        self._finishing = False
        self._drained = False
        self._ending = asyncio.Event()
        self._said_goodbye = False
        self._pump: asyncio.Task[None] | None = None

    async def _run(self) -> None:
        """Put what there is into the outbox, until there is no more."""
        raise NotImplementedError

    def _stop(self) -> None:
        """Whatever feeds the stream ends."""
        if self._pump:
            self._pump.cancel()

    def tell(self, event: str, data: Any) -> None:
        """Send something that is not from the conference's own events; a full outbox ends the stream."""
        if self._finishing:
            return
        try:
            self._outbox.put_nowait(frame(self._node, next(self._counter), event, data))
        except asyncio.QueueFull:
            logger.warning("Event stream too slow, closed", participant=self._who)
            self.finish()

    def finish(self, reason: str | None = None) -> None:
        """End the stream; `reason`: the platform removed the participant, which is the last event (API-052)."""
        if self._finishing:
            return
        self._finishing = True
        self._ending.set()
        self._stop()
        while self._outbox.qsize() > OUTBOX - 2:
            self._outbox.get_nowait()
        if reason is not None and not self._said_goodbye:
            self._said_goodbye = True
            self._outbox.put_nowait(frame(self._node, next(self._counter), "disconnect", {"reason": reason}))
        self._outbox.put_nowait(None)

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """What the HTTP response sends, until the stream ends."""
        counters.STREAMS.inc()
        self._pump = asyncio.get_running_loop().create_task(self._run())
        if self._finishing:
            self._pump.cancel()
        try:
            while (chunk := await self._next()) is not None:
                yield chunk
        finally:
            self.closed()
            counters.STREAMS.dec()

    async def overdue(self) -> None:
        """Returns when the stream was ended but its reader does not take what is left."""
        await self._ending.wait()
        await asyncio.sleep(LAST_WORDS)

    def closed(self) -> None:
        """The response is over, whoever ended it."""
        self._finishing = True
        self._stop()

    async def _next(self) -> bytes | None:
        """Everything that waits to be sent, in one piece; a `ping` after silence; None at the end."""
        if self._drained:
            return None
        try:
            # Not wait_for: that of Python 3.11 may swallow a cancellation, and the stream would live on unread.
            async with asyncio.timeout(KEEP_ALIVE):
                first = await self._outbox.get()
        except TimeoutError:
            return frame(self._node, next(self._counter), "ping", None)
        chunks: list[bytes] = []
        while first is not None:
            chunks.append(first)
            if self._outbox.empty():
                return b"".join(chunks)
            first = self._outbox.get_nowait()
        self._drained = True
        return b"".join(chunks) or None

    async def _put(self, event: str, data: Any) -> str:
        """Send an event; its id."""
        number = next(self._counter)
        await self._outbox.put(frame(self._node, number, event, data))
        return identifier(self._node, number)


class EventStream(Frames):
    """The current stream of one client."""

    def __init__(self, client: Client, node: str, *, repeated: bool) -> None:
        super().__init__(node, client.uuid)
        self._client = client
        self._repeated = repeated
        self._rooms = RoomWatch(client, self._put, self._wrap, self.finish)

    def _stop(self) -> None:
        super()._stop()
        self._rooms.close()

    async def _wrap(self, room: str, rendered: Rendered) -> None:
        """Send an event of a breakout room (API-153)."""
        number = next(self._counter)
        event, data = rendered
        wrapped = {"breakout_uuid": room, "event": event, "id": identifier(self._node, number), "data": data}
        await self._outbox.put(frame(self._node, number, "breakout_event", wrapped))

    async def _run(self) -> None:
        """Pass on the subscription; the conference repeats its snapshot by itself on admission (API-055)."""
        view = StreamView(self._client, repeated=self._repeated)
        try:
            await self._put("hello", None)
            async for happened in self._client.session.conference.subscribe(self._client.uuid):
                for event, data in view.render(happened):
                    sent_as = await self._put(event, data)
                    if isinstance(happened, PresentationFrame):
                        self._client.told_of_frame(sent_as, happened.number)
                    self._said_goodbye = self._said_goodbye or event == "disconnect"
                if isinstance(happened, RoomsChanged | RoleChanged):
                    await self._rooms.follow()
                if self._said_goodbye:
                    break
        except asyncio.CancelledError:
            raise
        except Exception as problem:
            report(problem, "Event stream failed", participant=self._client.uuid)
        self.finish()


class EventResponse(Response):
    """The endless HTTP answer. Headers go out before the first event (API-039)."""

    def __init__(self, stream: Frames) -> None:
        super().__init__(status_code=200)
        self.raw_headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-cache"),
            (b"connection", b"keep-alive"),
            (b"x-accel-buffering", b"no"),
        ]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        sending = loop.create_task(self._send(send))
        leaving = loop.create_task(_gone(receive))
        overdue = loop.create_task(self._stream.overdue())
        tasks = (sending, leaving, overdue)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._stream.closed()

    async def _send(self, send: Send) -> None:
        frames = self._stream.frames()
        try:
            async for chunk in frames:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await frames.aclose()


async def _gone(receive: Receive) -> None:
    """Returns when the client closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
