"""How much a client may send, and how slowly: judged before a byte of it is kept.

Django spools a body to disk as a whole before anything looks at it, so what is too large, too slow or nobody's has to
end before it gets there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import msgspec

from rostra.waiting import in_time

MIB = 1024 * 1024
GENERAL = 16 * MIB
"""Bytes of an ordinary request."""
ANYBODY = MIB
"""Bytes of a request of who is not known: enough for signing in, for a token, and for a new node."""
PATIENCE = 30.0
"""Seconds a client has before its speed counts, and the longest pause between two pieces."""
SLOWEST = 16 * 1024
"""Bytes per second below which a client is not waited for any longer."""
_SWALLOWED = 4 * MIB
_SWALLOWING = 2.0
"""What is still read of a refused body, and for how long: a client that is writing does not read our answer."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Known = Callable[[Scope], bool]
"""Is the sender of a request an administrator who may send files? Called in a thread."""
_NOBODY = "Sign in before you send as much."


class Refusal(Exception):
    """The request ends here, with an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def judge(scope: Scope, uploads: Sequence[tuple[str, int]]) -> int:
    """How many bytes the body of this request may have. Raises Refusal for what its headers give away.

    `uploads`: beginnings of addresses that take large files, and their limits in bytes.
    """
    path = str(scope["path"])
    headers = _headers(scope)
    limit = next((limit for beginning, limit in uploads if path.startswith(beginning)), GENERAL)
    claimed = headers.get(b"content-length", b"").strip()
    if claimed and not claimed.isdigit():
        raise Refusal(400, "The length of this request is not a number.")
    size = int(claimed[:20] or 0)
    if size > limit:
        raise Refusal(413, f"This request is too large; {limit // MIB} MB are allowed here.")
    if is_large(headers, limit) and not _says_who(headers):
        raise Refusal(401, _NOBODY)
    return limit


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}


def is_large(headers: dict[bytes, bytes], limit: int) -> bool:
    """Do the headers tell that this is more than anybody may send? One of unknown size is taken for a file, where
    files are sent (`limit`).
    """
    size = int(headers.get(b"content-length", b"").strip()[:20] or 0)
    return size > ANYBODY or (limit > GENERAL and b"transfer-encoding" in headers)


def _says_who(headers: dict[bytes, bytes]) -> bool:
    return b"authorization" in headers or b"sessionid=" in headers.get(b"cookie", b"")


class Limits:
    """ASGI middleware that holds requests to their limits."""

    def __init__(
        self,
        app: App,
        uploads: Sequence[tuple[str, int]] = (),
        *,
        known: Known | None = None,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`known`: who sends more than ANYBODY has to be somebody, not only to say so."""
        self._app = app
        self._uploads = uploads
        self._known = known
        self._patience = patience
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            limit = judge(scope, self._uploads)
            body = _Body(receive, limit, lambda: self._is_known(scope), self._patience, self._now)
            if is_large(_headers(scope), limit):
                await body.ask_who()
            await self._app(scope, body.receive, sending)
        except Refusal as refusal:
            if not started:
                await _refuse(refusal, receive, send)
        return None

    async def _is_known(self, scope: Scope) -> bool:
        if not _says_who(_headers(scope)):
            return False
        return self._known is None or await asyncio.to_thread(self._known, scope)


class _Body:
    """Counts what comes, and how fast; asks who sends it before it is more than anybody may send."""

    def __init__(
        self,
        receive: Receive,
        limit: int,
        is_known: Callable[[], Awaitable[bool]],
        patience: float,
        now: Callable[[], float],
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._is_known = is_known
        self._asked = False
        self._patience = patience
        self._now = now
        self._began = now()
        self._size = 0
        self._complete = False

    async def ask_who(self) -> None:
        """Raises Refusal unless it is somebody."""
        self._asked = True
        if not await self._is_known():
            raise Refusal(401, _NOBODY)

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()  # waits for the client to leave
        try:
            message = await in_time(self._receive(), self._patience)
        except TimeoutError:
            raise Refusal(408, "This request did not arrive in time.") from None
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._size > ANYBODY and not self._asked:
                await self.ask_who()
            if self._size > self._limit:
                raise Refusal(413, f"This request is too large; {self._limit // MIB} MB are allowed here.")
            if not self._complete and self._now() - self._began > self._patience + self._size / SLOWEST:
                raise Refusal(408, "This request did not arrive in time.")
        return message


async def _refuse(refusal: Refusal, receive: Receive, send: Send) -> None:
    content = msgspec.json.encode({"error": str(refusal)})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Rostra management API"'))
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    with contextlib.suppress(TimeoutError):
        await in_time(_swallow(receive), _SWALLOWING)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _swallow(receive: Receive) -> None:
    size = 0
    while size < _SWALLOWED:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return
