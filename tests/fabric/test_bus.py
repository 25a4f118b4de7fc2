import asyncio
import contextlib
import gc
from types import SimpleNamespace

import pytest

from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus, Unreachable


async def test_request_is_answered_by_a_subscriber(bus: Bus) -> None:
    async def double(subject: str, payload: bytes) -> bytes:
        return payload * 2

    stop = await bus.subscribe("test.double", double)
    assert await bus.request("test.double", b"ab") == b"abab"
    await stop()
    with pytest.raises(Unreachable):
        await bus.request("test.double", b"ab", timeout=0.5)


async def test_a_failing_handler_does_not_stop_the_subscription(bus: Bus) -> None:
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    async def moody(subject: str, payload: bytes) -> None:
        if payload == b"bad":
            raise ValueError("no")
        seen.put_nowait(payload)

    await bus.subscribe("test.moody", moody)
    await bus.publish("test.moody", b"bad")
    await bus.publish("test.moody", b"good")
    assert await asyncio.wait_for(seen.get(), 5) == b"good"


async def test_an_answer_that_comes_after_the_end_disturbs_nobody(fabric: Environment, bus: Bus) -> None:
    asked, go = asyncio.Event(), asyncio.Event()
    troubles: list[object] = []

    async def slow(subject: str, payload: bytes) -> bytes:
        asked.set()
        await go.wait()
        return payload

    other = await Bus.connect(server.url(fabric), name="ending")
    await other.subscribe("test.slow", slow, concurrent=True)
    request = asyncio.create_task(bus.request("test.slow", b"x", timeout=2))
    await asyncio.wait_for(asked.wait(), 20)
    await other.close()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: troubles.append(context))
    go.set()
    with pytest.raises(Unreachable):
        await request
    gc.collect()
    assert troubles == []


async def test_who_is_called_off_as_the_answer_comes_does_not_go_on(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answered_all_the_same(*_: object, **__: object) -> SimpleNamespace:
        with contextlib.suppress(asyncio.CancelledError):  # as the client does, if only by chance
            await asyncio.Event().wait()
        return SimpleNamespace(data=b"x")

    monkeypatch.setattr(bus._client, "request", answered_all_the_same)
    request = asyncio.create_task(bus.request("test.slow", b"x"))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_nobody_connects_without_the_token(fabric: Environment) -> None:
    await (await Bus.connect(server.url(fabric), name="insider")).close()
    with pytest.raises(Unreachable):
        await Bus.connect(f"nats://127.0.0.1:{fabric.nats_port}", name="outsider", timeout=0.5)


async def test_connecting_to_nothing_is_unreachable(environment: Environment) -> None:
    with pytest.raises(Unreachable):
        await Bus.connect(f"nats://127.0.0.1:{environment.nats_port}", name="lonely", timeout=0.3)
