"""What is too large, too slow or nobody's is refused before it is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from rostra.management import asgi, limits
from rostra.management.limits import ANYBODY, GENERAL, MIB, Limits
from tests.ports import free_port

UPLOADS = (("/upload/", 3 * GENERAL),)


class Client:
    """Sends a request to an application behind the limits, piece by piece."""

    def __init__(
        self, pieces: list[bytes], *, patience: float = 5.0, seconds_a_piece: float = 0.0, known: bool = True
    ) -> None:
        self.pieces = pieces
        self.time = 0.0
        self.read = 0
        self.questions = 0
        self.sent: list[Any] = []
        self.stalls = False
        self._step = seconds_a_piece
        self.app = Limits(
            self._application, UPLOADS, known=lambda _: self.asked() and known, patience=patience, now=lambda: self.time
        )

    def asked(self) -> bool:
        """Who sends it is asked."""
        self.questions += 1
        return True

    async def _application(self, _scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            self.read += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _receive(self) -> Any:
        self.time += self._step
        if not self.pieces:
            if self.stalls:
                await asyncio.get_running_loop().create_future()
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": self.pieces.pop(0), "more_body": bool(self.pieces) or self.stalls}

    async def ask(self, path: str = "/api/", **headers: str) -> tuple[int, Any]:
        async def send(message: Any) -> None:
            self.sent.append(message)

        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self.app({"type": "http", "path": path, "headers": named}, self._receive, send)
        body = b"".join(message.get("body", b"") for message in self.sent)
        return self.sent[0]["status"], json.loads(body)


async def test_an_ordinary_request_passes() -> None:
    client = Client([b"x" * MIB] * 16)
    assert await client.ask(content_length=str(GENERAL), authorization="x") == (200, {})
    assert (client.read, client.questions) == (GENERAL, 1)


@pytest.mark.parametrize("size", [{"content_length": str(ANYBODY + 1)}, {"transfer_encoding": "chunked"}])
@pytest.mark.parametrize("claim", [{}, {"authorization": "Basic x"}, {"cookie": "sessionid=x"}])
async def test_who_is_not_known_sends_little(size: dict[str, str], claim: dict[str, str]) -> None:
    """A sign-in and a new node, but nothing that fills a disk or a memory."""
    client = Client([b"x" * (MIB // 4)] * 60, known=False)
    assert (await client.ask(**size, **claim))[0] == 401
    assert client.read <= ANYBODY
    assert client.questions == len(claim), "once, and who says nothing is not looked for"
    little = Client([b"x" * (MIB // 4)] * 4, known=False)
    assert (await little.ask(transfer_encoding="chunked"))[0] == 200
    assert (little.read, little.questions) == (ANYBODY, 0)


async def test_a_large_body_is_refused_by_its_length_alone() -> None:
    client = Client([b"x"])
    status, body = await client.ask(content_length=str(GENERAL + 1))
    assert (status, client.read) == (413, 0)
    assert "16 MB" in body["error"]
    assert (b"connection", b"close") in client.sent[0]["headers"]


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/admin/csv/import/conference/", 51 * MIB),
        ("/admin/utilities/backup/", 4096 * MIB),
        ("/admin/configuration/conference/add/", GENERAL),
        ("/api/admin/configuration/v1/conference/", GENERAL),
    ],
)
async def test_what_nobody_would_send_there_fills_no_disk(path: str, limit: int) -> None:
    """Of an administrator too, whatever length the headers claim, or none."""
    names = [(b"cookie", b"sessionid=x")]
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def more() -> Any:
        return {"type": "http.request", "body": piece, "more_body": True}

    async def spool(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            kept.append(len((await receive())["body"]))

    piece, kept = bytes(limit // 64), list[int]()
    app = Limits(spool, asgi.UPLOADS, known=lambda _: True)
    for length in ([], [(b"content-length", b"%d" % (8192 * MIB))]):
        told.clear(), kept.clear()
        await app({"type": "http", "path": path, "headers": [*names, *length]}, more, send)
        assert told[0]["status"] == 413
        assert sum(kept) <= (0 if length else limit)


async def test_what_comes_in_chunks_is_counted() -> None:
    client = Client([b"x" * MIB] * 40)
    assert (await client.ask(transfer_encoding="chunked", authorization="x"))[0] == 413
    assert client.read <= GENERAL
    assert len(client.pieces) >= 40 - 17 - 4, "no more than a little is read of what is refused"


async def test_nonsense_for_a_length() -> None:
    assert (await Client([]).ask(content_length="1e3"))[0] == 400
    assert (await Client([]).ask(content_length="9" * 400))[0] == 413


async def test_uploads_may_be_larger_for_those_who_say_who_they_are() -> None:
    size = {"content_length": str(2 * GENERAL)}
    assert (await Client([]).ask("/upload/", **size))[0] == 401
    assert (await Client([]).ask("/upload/", transfer_encoding="chunked"))[0] == 401
    pieces = [b"x" * GENERAL] * 2
    assert (await Client([*pieces]).ask("/upload/", authorization="Basic x", **size))[0] == 200
    assert (await Client([*pieces]).ask("/upload/", cookie="a=b; sessionid=x", **size))[0] == 200
    assert (await Client([]).ask("/upload/", authorization="x", content_length=str(3 * GENERAL + 1)))[0] == 413


async def test_a_trickle_is_not_waited_for() -> None:
    slow = Client([b"x"] * 100, seconds_a_piece=1.0)
    assert (await slow.ask())[0] == 408
    assert slow.read < 10
    steady = Client([b"x" * 64 * 1024] * 50, seconds_a_piece=3.0)
    assert (await steady.ask(cookie="sessionid=x"))[0] == 200


async def test_a_client_that_stops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_SWALLOWING", 0.01)
    client = Client([b"x"], patience=0.01)
    client.stalls = True
    assert (await client.ask())[0] == 408


@pytest.fixture
async def address() -> AsyncIterator[int]:
    """A real server behind the limits."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    port = free_port()
    app: Any = Limits(application)
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await task


async def test_a_client_in_the_middle_of_sending_reads_the_answer(address: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", address)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n" + b"x" * MIB)
    await writer.drain()
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
    assert answer.startswith(b"HTTP/1.1 413 ")
    writer.close()
