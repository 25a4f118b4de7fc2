"""Telling watchers what happens: one bounded queue each, the snapshot first, everything in one common order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import structlog

from rostra.conference.events import ConferenceEvent

logger = structlog.get_logger("rostra.conference")

QUEUE_SIZE = 1000
"""Unread events after which a watcher is cut off; it may subscribe anew and gets a fresh snapshot."""


class Watcher:
    """One subscription of one participant."""

    def __init__(self, participant: str) -> None:
        self.participant = participant
        self._queue: asyncio.Queue[ConferenceEvent | None] = asyncio.Queue(QUEUE_SIZE)
        self._closed = False

    def tell(self, event: ConferenceEvent) -> None:
        if self._closed:
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            logger.warning("Watcher too slow, cut off", participant=self.participant)
            self._queue = _drained(self._queue)
            self.close()

    def close(self) -> None:
        """End the iteration after what is already queued."""
        if not self._closed:
            self._closed = True
            if self._queue.full():
                self._queue.get_nowait()
            self._queue.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[ConferenceEvent]:
        return self

    async def __anext__(self) -> ConferenceEvent:
        event = await self._queue.get()
        if event is None:
            self._queue.put_nowait(None)
            raise StopAsyncIteration
        return event


def _drained(queue: asyncio.Queue[ConferenceEvent | None]) -> asyncio.Queue[ConferenceEvent | None]:
    while not queue.empty():
        queue.get_nowait()
    return queue


class Feed:
    """All watchers of one conference."""

    def __init__(self) -> None:
        self._watchers: dict[str, Watcher] = {}

    def subscribe(self, participant: str, snapshot: Iterable[ConferenceEvent]) -> Watcher:
        """A new stream of the same participant takes over from the previous one (API-049)."""
        self.close(participant)
        watcher = Watcher(participant)
        for event in snapshot:
            watcher.tell(event)
        self._watchers[participant] = watcher
        return watcher

    def nothing(self, participant: str) -> Watcher:
        """For somebody who has gone: a subscription that is over."""
        watcher = Watcher(participant)
        watcher.close()
        return watcher

    def watches(self, participant: str) -> bool:
        return participant in self._watchers

    def tell(self, participant: str, *events: ConferenceEvent) -> None:
        """To one participant."""
        watcher = self._watchers.get(participant)
        if watcher:
            for event in events:
                watcher.tell(event)

    def tell_all(self, event: ConferenceEvent, participants: Iterable[str]) -> None:
        for participant in participants:
            self.tell(participant, event)

    def close(self, participant: str) -> None:
        watcher = self._watchers.pop(participant, None)
        if watcher:
            watcher.close()

    def __len__(self) -> int:
        return len(self._watchers)
