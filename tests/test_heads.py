"""Connections without a request end by themselves, and so do requests without an end to their headers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from rostra import heads
from tests.ports import free_port

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    found = free_port()
    app: Any = application
    server = uvicorn.Server(
        uvicorn.Config(app, port=found, lifespan="off", log_config=None, access_log=False, http=heads.Heads)
    )
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield found
    server.should_exit = True
    await task


async def left(reader: asyncio.StreamReader) -> bytes:
    """What still comes, until the server closes."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


async def test_requests_are_answered_one_after_the_other(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LARGEST", 100)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(5):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 10)
            await writer.drain()
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 204 ")
    writer.close()


@pytest.mark.parametrize("begin", [b"", GET])
async def test_who_says_nothing_more_is_not_waited_for(
    port: int, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "PATIENCE", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    assert await left(reader) == b""
    writer.close()


async def test_nor_in_a_further_request(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET + b"\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 204 ")
    monkeypatch.setattr(heads, "PATIENCE", 0.05)
    writer.write(GET)
    assert await left(reader) == b""
    writer.close()


async def test_headers_without_end_are_not_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LARGEST", 10_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(ConnectionError):  # noqa: PT012 - it ends somewhere in it
        writer.write(GET)
        async with asyncio.timeout(5):
            while not reader.at_eof():
                writer.write(b"X-More: " + b"y" * 1000 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
            raise ConnectionResetError
    writer.close()
