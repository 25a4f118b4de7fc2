"""A running node notices that it was deleted, and that another machine has its identity."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rostra.configuration import setup_node
from rostra.configuration.changes import Changes, Operation, RowChange
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.environment import Environment
from rostra.fabric import membership, server
from rostra.fabric.bus import Bus
from rostra.fabric.claims import Verdict
from rostra.fabric.membership import Member
from rostra.fabric.speaking import now_speaks
from rostra.node import belonging
from rostra.node.belonging import Belonging
from rostra.node.identity import NodeIdentity
from tests.fabric.sites import new_authority, site

IDENTITY = NodeIdentity(key=7, name="London", address="127.0.0.7", management=("https://127.0.0.1:9",))
NODES, MEMBERS = "configuration_workervm", "configuration_fabricmember"


class Configuration:
    """Stands in for the replica: rows are put by hand, and listeners hear of them."""

    def __init__(self, path: Path) -> None:
        setup_node(path)
        self._replica = Replica(path)
        self._replica.apply(Changes("e", 0, []), vouched=True)
        self.synchronised = asyncio.Event()
        self.silence = 0.0
        self.on_change = lambda listener: setattr(self, "listener", listener)

    def put(self, table: str, key: int, **row: object) -> None:
        self._change(RowChange(self._replica.position + 1, table, key, Operation.PUT, {"id": key, **row}))

    def delete(self, table: str, key: int) -> None:
        self._change(RowChange(self._replica.position + 1, table, key, Operation.DELETE))

    def _change(self, change: RowChange) -> None:
        for resource, key in self._replica.apply(Changes("e", self._replica.position, [change])):
            if hasattr(self, "listener"):
                self.listener(resource, key)

    def close(self) -> None:
        self._replica.close()


@pytest.fixture
def home(tmp_path: Path) -> Environment:
    environment, _ = site(tmp_path, 7, new_authority(tmp_path))
    return environment


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Configuration]:
    found = Configuration(tmp_path / "configuration.db")
    required = {"netmask": "255.0.0.0", "gateway": "127.0.0.1", "password": "x", "system_location_id": 1}
    found.put(NODES, 7, name="London", hostname="l", domain="d", address="127.0.0.7", **required)
    yield found
    found.close()


@contextlib.asynccontextmanager
async def watching(
    environment: Environment, bus: Bus, configuration: Configuration, tmp_path: Path
) -> AsyncIterator[list[str]]:
    ended: list[str] = []
    lookup = Lookup(tmp_path / "configuration.db")
    watch = Belonging(environment, IDENTITY, bus, configuration, lookup, ended.append)  # type: ignore[arg-type]
    await watch.start()
    try:
        yield ended
    finally:
        await watch.stop()
        lookup.close()


async def until(ended: list[str], why: str, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while ended != [why]:  # noqa: ASYNC110 - the end is a call, not an event
            await asyncio.sleep(0.01)


async def become(home: Environment, *members: Member) -> None:
    """Wait until these are let in."""
    async with asyncio.timeout(5):
        while (place := membership.load(home.home)) is None or place.members != list(members):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_full_disk_delays_a_change_of_members_but_does_not_lose_it(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belonging, "AGAIN", 0.05)
    full = [OSError(28, "No space left on device")] * 3
    write = server._write

    def sometimes(*arguments: Any) -> None:
        if full:
            raise full.pop()
        write(*arguments)

    monkeypatch.setattr(server, "_write", sometimes)
    async with watching(home, bus, configuration, tmp_path):
        configuration.put(MEMBERS, 2, node_id=7, fingerprint="bb" * 32, address="127.0.0.7", port=6222)
        configuration.synchronised.set()
        await become(home, Member("n7", "bb" * 32, "127.0.0.7", 6222))
    assert not full


async def test_members_are_those_configured_and_a_deleted_node_ends(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path
) -> None:
    async with watching(home, bus, configuration, tmp_path) as ended:
        configuration.put(MEMBERS, 1, node_id=None, fingerprint="aa" * 32, address="127.0.0.1", port=6222)
        assert membership.load(home.home).members[0].name == "n7", "nothing before we know everything"  # type: ignore[union-attr]
        configuration.synchronised.set()
        configuration.put(MEMBERS, 2, node_id=7, fingerprint="bb" * 32, address="127.0.0.7", port=6222)
        configuration.put(MEMBERS, 3, node_id=8, fingerprint="cc" * 32, address="127.0.0.8", port=6222)
        await become(
            home,
            Member("management", "aa" * 32, "127.0.0.1", 6222),
            Member("n7", "bb" * 32, "127.0.0.7", 6222),
            Member("n8", "cc" * 32, "127.0.0.8", 6222),
        )
        configuration.delete(MEMBERS, 3)
        await become(
            home, Member("management", "aa" * 32, "127.0.0.1", 6222), Member("n7", "bb" * 32, "127.0.0.7", 6222)
        )
        assert ended == []
        configuration.delete(NODES, 7)
        await until(ended, belonging.DELETED)


async def test_a_node_deleted_while_it_was_off_notices_at_its_start(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path
) -> None:
    configuration.delete(NODES, 7)
    async with watching(home, bus, configuration, tmp_path) as ended:
        assert ended == [], "an empty database before the first contact means nothing"
        configuration.synchronised.set()
        await until(ended, belonging.DELETED)


@pytest.mark.spec("NODE-006")
async def test_of_two_machines_with_one_identity_the_later_leaves(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path
) -> None:
    copy = dataclasses.replace(home)
    async with watching(home, bus, configuration, tmp_path) as first:
        await asyncio.sleep(0)
        async with watching(copy, bus, configuration, tmp_path) as second:
            await until(second, belonging.COPIED)
        assert first == []


async def test_one_member_alone_cannot_send_a_node_away(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path
) -> None:
    """It may be lying; the Management Node, or two that say the same, are believed."""
    for who, over in ((["n8", "n8"], False), (["n8", "n9"], True), (["management"], True)):
        ended: list[str] = []
        lookup = Lookup(tmp_path / "configuration.db")
        watch = Belonging(home, IDENTITY, bus, configuration, lookup, ended.append)  # type: ignore[arg-type]
        for name in who:
            now_speaks(name, lambda _node: False)
            await watch._judged("", msgspec.json.encode(Verdict(watch._boot)))
        lookup.close()
        assert (ended == [belonging.COPIED]) is over, who


async def test_no_answer_means_nothing(
    home: Environment, bus: Bus, configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Management Node is away for long: nobody says that we were deleted, so we were not."""
    asked: list[str] = []

    async def ask(address: str, _question: object) -> object:
        asked.append(address)
        raise ValueError("a stranger answers")

    monkeypatch.setattr(belonging, "ask", ask)
    monkeypatch.setattr(belonging, "_SILENCE", 0.02)
    configuration.silence = 1e9
    configuration.synchronised.set()
    async with watching(home, bus, configuration, tmp_path) as ended:
        async with asyncio.timeout(10):
            while len(asked) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert ended == []
    assert asked[0] == "https://127.0.0.1:9/api/enrol/member"
