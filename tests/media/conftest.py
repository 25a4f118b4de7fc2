"""A real worker process on a real fabric, for tests of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.pool import WorkerPool


class Driven:
    """A worker with everything it told so far."""

    def __init__(self) -> None:
        self.events: list[m.Event] = []
        self.lost: list[Worker] = []
        self.worker: Worker
        self._news = asyncio.Event()

    def hear(self, event: m.Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until a condition on the events holds; AssertionError after the deadline."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = [event for event in self.events if not isinstance(event, m.Levels)]
            raise AssertionError(f"not within {seconds} s; told: {seen}") from None

    def told(self, wanted: m.Event) -> bool:
        return wanted in self.events

    def level(self, leg: str) -> float:
        """The latest level of a leg."""
        for event in reversed(self.events):
            if isinstance(event, m.Levels):
                return event.levels.get(leg, -127.0)
        return -127.0


@pytest.fixture
async def pool(fabric: Environment, bus: Bus) -> AsyncIterator[WorkerPool]:
    made = WorkerPool(fabric, bus, "test")
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def driven(pool: WorkerPool) -> Driven:
    """A worker of a conference of its own."""
    made = Driven()
    made.worker = await pool.acquire("conference", "Test", made.hear, made.lost.append)
    return made
