"""The HTTPS server inside the node's event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from rostra.clientapi import serving
from rostra.clientapi.serving import PortTaken, serve
from rostra.clientapi.stream import EventStream
from rostra.environment import Environment
from rostra.tls import context_of

from .driver import Api
from .fakes import FakeSwitchboard

Certificate = tuple[Path, Path]


async def test_a_taken_port_is_named(app: Starlette, environment: Environment, certificate: Certificate) -> None:
    port = environment.node_https_port
    with socket.create_server(("", port)), pytest.raises(PortTaken) as taken:
        await serve(app, environment, context_of(*certificate)).start()
    assert str(port) in str(taken.value)
    assert "ROSTRA_NODE_HTTPS_PORT" in str(taken.value)


async def test_stopping_with_open_streams(
    app: Starlette, environment: Environment, certificate: Certificate, switchboard: FakeSwitchboard
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server = serve(app, environment, context_of(*certificate))
    await server.start()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    base = f"https://127.0.0.1:{environment.node_https_port}"
    async with httpx.AsyncClient(verify=False, base_url=base) as http:
        assert "max-age" in (await http.get("/healthz")).headers["strict-transport-security"]
        users = [await Api(http).join(name=str(number)) for number in range(5)]
        async with users[0].events() as first, users[1].events() as second:
            await first.until("layout")
            await second.until("layout")
            begun = time.monotonic()
            await server.stop()
            assert time.monotonic() - begun < 2.0
            for events in (first, second):
                assert (await events.end())[-1].data == {"reason": "Signaling node disconnected"}
    assert switchboard.conference("Demo").roster == {}
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", environment.node_https_port)


async def test_many_streams_come_and_go(live: Api, switchboard: FakeSwitchboard) -> None:
    watcher = await live.join(name="Watcher")
    async with watcher.events() as seen:
        await seen.until("layout")
        for number in range(20):
            user = await live.join(name=f"User {number}")
            async with user.events() as events:
                await events.until("layout")
            await user.post("release_token")
            await seen.until("participant_delete", uuid=user.uuid)
    assert list(switchboard.conference("Demo").roster) == [watcher.uuid]


async def test_a_closed_stream_removes_nobody(live: Api, switchboard: FakeSwitchboard) -> None:
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
    async with ada.events() as events:
        names = [event.event for event in [await events.next() for _ in range(8)]]
    assert names[-1] == "presentation_stop"
    assert ada.uuid in switchboard.conference("Demo").roster


@pytest.mark.parametrize("turns", range(4))
async def test_a_reader_that_leaves_as_an_event_comes_is_let_go(turns: int) -> None:
    stream = EventStream.__new__(EventStream)
    stream._drained, stream._outbox = False, asyncio.Queue()

    async def read() -> None:
        while await stream._next() is not None:
            pass

    reading = asyncio.create_task(read())
    for _ in range(3):
        await asyncio.sleep(0)
    stream._outbox.put_nowait(b"event")
    for _ in range(turns):
        await asyncio.sleep(0)
    reading.cancel()
    done, _ = await asyncio.wait([reading], timeout=1)
    assert done, "the reader goes on reading"
    assert reading.cancelled()


@pytest.mark.spec("API-043")
async def test_silence_is_broken_by_pings(live: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.clientapi.stream.KEEP_ALIVE", 0.05)
    ada = await live.join()
    async with ada.events() as events:
        assert (await events.until("ping")).data is None
        await ada.post("lock")
        await events.until("conference_update", locked=True)


def test_answers_do_not_wait_for_acknowledgements(environment: Environment) -> None:
    port = environment.node_https_port
    with serving._listen(port) as listener, socket.create_connection(("127.0.0.1", port)):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
