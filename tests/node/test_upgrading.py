"""A node is told to upgrade: it fetches, unpacks, and ends to start again by the new software."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rostra import software
from rostra.bundle import BundleProblem
from rostra.cli.roles import END_CODES
from rostra.environment import Environment
from rostra.fabric import upgrading as words
from rostra.management import restart
from rostra.node import upgrading
from rostra.node.identity import NodeIdentity
from rostra.node.upgrading import UPGRADED, Upgrading
from tests.ports import free_port
from tests.test_bundle import KEY, make

INSTALL = words.Install(version="99.1", build="7", size=1, token="abc")


class Bus:
    """Delivers to the one subscriber."""

    def __init__(self) -> None:
        self._handler: Callable[[str, bytes], Awaitable[bytes]] | None = None

    async def subscribe(self, subject: str, handler: Any, **_: Any) -> Callable[[], Awaitable[None]]:
        assert subject == words.subject("n7")
        self._handler = handler

        async def stop() -> None:
            self._handler = None

        return stop

    async def tell(self, payload: bytes) -> words.Progress:
        assert self._handler is not None
        return words.decode_progress(await self._handler("", payload))

    async def until(self, state: str) -> words.Progress:
        async with asyncio.timeout(30):
            while True:
                progress = await self.tell(words.encode_command(words.Ask()))
                if progress.state == state:
                    return progress
                await asyncio.sleep(0.02)


@dataclasses.dataclass
class Node:
    environment: Environment
    bus: Bus
    ends: list[str]


@pytest.fixture
async def node(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(upgrading, "_SEND", 0.0)
    keys = tmp_path / "keys.pem"
    keys.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    own = dataclasses.replace(environment, software_keys=str(keys))
    identity = NodeIdentity(key=7, name="seven", address="127.0.0.1", management=("https://gone", "https://mgr"))
    found = Node(own, Bus(), [])
    running = Upgrading(own, identity, found.bus, found.ends.append)  # type: ignore[arg-type]
    await running.start()
    yield found
    await running.stop()


@pytest.mark.spec("NODE-095", "NODE-107")
async def test_the_new_software_is_the_current_one(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def fetch(address: str, file: Path, size: int) -> None:
        asked.append(address)
        if "gone" in address:
            raise httpx.ConnectError("nobody")
        shutil.copy(make(tmp_path), file)

    monkeypatch.setattr(upgrading, "fetch", fetch)
    assert (await node.bus.tell(words.encode_command(INSTALL))).state == "fetching"
    await node.bus.tell(words.encode_command(INSTALL))
    await node.bus.until("restarting")
    async with asyncio.timeout(5):
        while not node.ends:  # noqa: ASYNC110 - the end is told by a call
            await asyncio.sleep(0.01)
    assert node.ends == [UPGRADED]
    assert asked == [f"https://gone{words.PATH}abc", f"https://mgr{words.PATH}abc"], "once, though told twice"
    assert software.current(node.environment.home) == software.directory(node.environment.home) / "99.1-7"
    assert END_CODES[UPGRADED] == restart.WHOLE_MACHINE


async def test_what_fails_is_said_and_can_be_tried_again(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: Any) -> None:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr(upgrading, "fetch", nobody)
    for _ in range(2):
        assert (await node.bus.tell(words.encode_command(INSTALL))).state == "fetching"
        assert "nobody there" in (await node.bus.until("failed")).reason

    (tmp_path / "nonsense").write_bytes(b"nonsense")

    async def nonsense(_address: str, file: Path, _size: int) -> None:
        shutil.copy(tmp_path / "nonsense", file)

    monkeypatch.setattr(upgrading, "fetch", nonsense)
    await node.bus.tell(words.encode_command(INSTALL))
    assert "not a software bundle" in (await node.bus.until("failed")).reason
    assert node.ends == []
    assert software.current(node.environment.home) is None
    assert (await node.bus.tell(b"\xff")).state == "failed"


async def test_a_bundle_of_another_size_is_not_taken(tmp_path: Path) -> None:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1000})

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application, port=port, lifespan="off", log_config=None))  # type: ignore[arg-type]
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    try:
        await upgrading.fetch(f"http://127.0.0.1:{port}/", tmp_path / "whole", 1000)
        assert (tmp_path / "whole").stat().st_size == 1000
        for size in (999, 1001):
            with pytest.raises(BundleProblem, match="as a whole"):
                await upgrading.fetch(f"http://127.0.0.1:{port}/", tmp_path / "other", size)
    finally:
        server.should_exit = True
        await task
