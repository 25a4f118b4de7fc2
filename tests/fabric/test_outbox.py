"""Nothing that happened is lost while the Management Node, the disk or the node itself is away."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rostra.domain.history import NodeEvent
from rostra.fabric import outbox as module
from rostra.fabric.bus import Bus
from rostra.fabric.outbox import EVENTS, Acknowledged, Outbox, decode_batch, decode_event, encode_acknowledged
from rostra.fabric.outbox_store import Kept, Store


class Management:
    """The Management Node's side: takes batches, can be mute or refuse."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.taken: list[tuple[str, int, str]] = []
        self.batches = 0
        self.mute = False
        self._stop: Callable[[], object] | None = None

    async def open(self) -> None:
        self._stop = await self._bus.subscribe(EVENTS, self._take)

    async def close(self) -> None:
        assert self._stop is not None
        await self._stop()  # type: ignore[misc]

    async def _take(self, _subject: str, payload: bytes) -> bytes | None:
        batch = decode_batch(payload)
        self.batches += 1
        for record in batch.records:
            event = decode_event(record.event)
            assert isinstance(event, NodeEvent)
            self.taken.append((record.boot, record.sequence, event.details))
        return None if self.mute else encode_acknowledged(Acknowledged(len(batch.records)))


def event(number: int) -> NodeEvent:
    return NodeEvent(time=float(number), kind="started", details=str(number))


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(bus: Bus, path: Path, boot: str = "one", **options: Any) -> AsyncIterator[Outbox]:
    outbox = Outbox(path, bus, "n1", boot, **options)
    await outbox.start()
    try:
        yield outbox
    finally:
        await outbox.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY", 0.05)
    monkeypatch.setattr(module, "_PATIENCE", 0.3)


async def test_events_arrive_in_order_and_are_forgotten(bus: Bus, tmp_path: Path) -> None:
    management = Management(bus)
    await management.open()
    async with running(bus, tmp_path / "outbox.db") as outbox:
        for number in range(10):
            outbox.record(event(number))
        assert outbox.queued == 10
        await until(lambda: outbox.queued == 0)
        assert management.taken == [("one", number + 1, str(number)) for number in range(10)]


async def test_a_management_node_away_for_days_gets_everything_once_it_is_back(bus: Bus, tmp_path: Path) -> None:
    count = 20_000
    async with running(bus, tmp_path / "outbox.db") as outbox:
        for number in range(count):
            outbox.record(event(number))
            if number % 1000 == 0:
                await asyncio.sleep(0)
        await until(lambda: outbox.debug_state()["in_memory"] == 0)
        assert outbox.queued == count
        management = Management(bus)
        await management.open()
        await until(lambda: outbox.queued == 0, 60)
    assert [details for _, _, details in management.taken] == [str(number) for number in range(count)]
    assert management.batches < count / 100


async def test_restarts_lose_nothing_and_keep_the_order_of_runs(bus: Bus, tmp_path: Path) -> None:
    for boot in ("one", "two", "three"):
        async with running(bus, tmp_path / "outbox.db", boot) as outbox:
            outbox.record(event(1))
            outbox.record(event(2))
    management = Management(bus)
    await management.open()
    async with running(bus, tmp_path / "outbox.db", "four") as outbox:
        await until(lambda: outbox.queued == 0)
    assert management.taken == [(boot, n, str(n)) for boot in ("one", "two", "three") for n in (1, 2)]


async def test_what_was_not_acknowledged_comes_again(bus: Bus, tmp_path: Path) -> None:
    management = Management(bus)
    management.mute = True
    await management.open()
    async with running(bus, tmp_path / "outbox.db") as outbox:
        outbox.record(event(7))
        await until(lambda: len(management.taken) >= 2)
        assert outbox.queued == 1
        management.mute = False
        await until(lambda: outbox.queued == 0)
    assert set(management.taken) == {("one", 1, "7")}


async def test_events_recorded_before_the_start_and_the_last_words_arrive(bus: Bus, tmp_path: Path) -> None:
    management = Management(bus)
    await management.open()
    outbox = Outbox(tmp_path / "outbox.db", bus, "n1", "one")
    outbox.record(event(1))
    await outbox.start()
    await until(lambda: outbox.queued == 0)
    outbox.record(event(2))
    await outbox.stop()
    assert [details for _, _, details in management.taken] == ["1", "2"]
    await outbox.stop()


async def test_a_full_disk_costs_nothing_while_memory_lasts(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    told: list[tuple[bool, str]] = []
    async with running(bus, path, in_memory=50, on_disk=lambda *what: told.append(what)) as outbox:
        outbox.record(event(0))
        await until(lambda: outbox.debug_state()["in_memory"] == 0)
        database = outbox._store._database
        assert database is not None
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count={pages}")  # SQLite says "database or disk is full" from now on
        for number in range(1, 31):
            outbox.record(NodeEvent(time=0.0, kind="x" * 4000, details=str(number)))
        await until(lambda: outbox.debug_state()["disk_fails"])
        assert outbox.queued == 31
        assert told == [(True, "database or disk is full")]
        management = Management(bus)
        await management.open()
        await until(lambda: outbox.queued == 0)
        assert [details for _, _, details in management.taken] == [str(number) for number in range(31)]
        await management.close()
        for number in range(31, 131):
            outbox.record(NodeEvent(time=0.0, kind="x" * 4000, details=str(number)))
        assert outbox.queued == 50
        database.execute("PRAGMA max_page_count=1000000")
        await until(lambda: outbox.debug_state()["in_memory"] == 0)
        assert not outbox.debug_state()["disk_fails"]
        assert told[1:] == [(False, "")]
        await management.open()
        await until(lambda: outbox.queued == 0)
    taken = list(dict.fromkeys(management.taken[31:]))  # what a slow machine acknowledges late is sent again
    assert [details for _, _, details in taken] == [str(number) for number in range(81, 131)]


async def test_the_oldest_go_when_the_limit_is_reached(bus: Bus, tmp_path: Path) -> None:
    async with running(bus, tmp_path / "outbox.db", most_events=100) as outbox:
        for number in range(300):
            outbox.record(event(number))
        await until(lambda: outbox.debug_state()["in_memory"] == 0)
        assert 90 <= outbox.queued <= 100
        management = Management(bus)
        await management.open()
        await until(lambda: outbox.queued == 0)
    assert management.taken[-1] == ("one", 300, "299")
    assert 90 <= len(management.taken) <= 100


async def test_a_damaged_file_is_put_aside(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"this is no database" * 1000)
    management = Management(bus)
    await management.open()
    async with running(bus, path) as outbox:
        outbox.record(event(1))
        await until(lambda: outbox.queued == 0)
    assert len(management.taken) == 1
    assert any("damaged" in name for name in os.listdir(tmp_path))  # noqa: PTH208


async def test_a_path_that_cannot_be_used_still_delivers(bus: Bus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    management = Management(bus)
    await management.open()
    async with running(bus, tmp_path / "file" / "outbox.db") as outbox:
        outbox.record(event(1))
        await until(lambda: outbox.queued == 0)
    assert len(management.taken) == 1


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "outbox.db", most_events=1000, most_bytes=50_000)
    dropped = sum(store.add([Kept(0, "n1", "one", number, b"x" * 900)]) for number in range(1, 201))
    kept = store.first(1000, 10_000_000)
    assert len(kept) + dropped == 200
    assert len(kept) <= 50
    assert kept[-1].sequence == 200
    store.close()
