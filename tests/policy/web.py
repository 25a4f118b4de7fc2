"""A policy server for tests: says what it is told to, in whatever bad way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

Reply = tuple[int, dict[str, str], bytes] | Iterator[bytes]
"""Status, headers and body; or what goes over the line, part by part, until that is closed."""


def said(value: object, status: int = 200, type: str = "application/json") -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": type}, json.dumps(value).encode()


class PolicyServer:
    """`answer` gets path and parameters of each request; None: it says nothing, for ever."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Reply | None]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        """Path, parameters and headers of each."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *lines = head.split("\r\n")
                target = urlsplit(line.split(" ")[1])
                headers = {
                    name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines if one)
                }
                parameters = dict(parse_qsl(target.query, keep_blank_values=True))
                self.requests.append((target.path, parameters, headers))
                reply = self.answer(target.path, parameters)
                if reply is None:
                    await asyncio.Event().wait()
                    return
                if not isinstance(reply, tuple):
                    for part in reply:
                        writer.write(part)
                        await writer.drain()
                    break
                status, more, body = reply
                told = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{told}content-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def running(
    answer: Callable[[str, dict[str, str]], Reply | None], tls: ssl.SSLContext | None = None
) -> AsyncIterator[PolicyServer]:
    """A server on a free port of this machine."""
    made = PolicyServer(answer)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        try:
            await made.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/base"
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def in_thread(answer: Callable[[str, dict[str, str]], Reply | None]) -> Iterator[PolicyServer]:
    """The same for tests without an event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = running(answer)
    try:
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(10)
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
