"""A node takes a snapshot of the whole configuration from the Management Node, which may have many to serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from rostra.configuration.changes import SnapshotChunk, SnapshotRequest
from rostra.configuration.replica import Gap, Replica, SnapshotLoad
from rostra.fabric import subjects
from rostra.fabric.bus import Bus, Unreachable

SNAPSHOT = subjects.SNAPSHOT.pattern
_PATIENCE = 10.0
"""Seconds until a part of it has to be there."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SnapshotChunk).decode

KEPT_BYTES = 64 * 1024 * 1024
"""Most that the Management Node keeps of answers."""
KEPT_SECONDS = 60.0


class Answers:
    """Parts of snapshots as they were answered last: nodes that start together ask for the same ones.

    They hold for one state of the configuration, `state`: its epoch and position.
    """

    def __init__(self) -> None:
        self._state: tuple[str, int] | None = None
        self._kept: dict[bytes, bytes] = {}
        self._size = 0
        self._used = 0.0

    def get(self, state: tuple[str, int], question: bytes, now: float) -> bytes | None:
        """The answer to `question`, if it was given in this state; `now` is monotonic, in seconds."""
        if state != self._state:
            self.forget()
            self._state = state
        self._used = now
        return self._kept.get(question)

    def keep(self, question: bytes, answer: bytes) -> None:
        if self._size + len(answer) <= KEPT_BYTES:
            self._kept[question] = answer
            self._size += len(answer)

    def expire(self, now: float) -> None:
        """Forget everything when nobody asked for a while."""
        if now - self._used > KEPT_SECONDS:
            self.forget()

    def forget(self) -> None:
        self._kept.clear()
        self._size = 0


InThread = Callable[..., Awaitable[Any]]
"""Carries out a function in the thread that the replica belongs to."""


class Snapshot:
    """One snapshot: `begin`, then `load`. Both raise Unreachable."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._first: SnapshotChunk | None = None
        self.rows = 0
        self.bytes = 0

    async def begin(self) -> str:
        """Ask for the first part; returns the epoch of the whole."""
        self._first = await self._ask(SnapshotRequest(plain=True))
        return self._first.epoch

    async def load(self, replica: Replica, in_thread: InThread) -> int:
        """Put everything into `replica`, or nothing; returns the sequence it stands for."""
        context = replica.snapshot()
        load: SnapshotLoad = await in_thread(context.__enter__)
        try:
            await self._take(load, in_thread)
        except BaseException as problem:
            with contextlib.suppress(type(problem)):  # rolls back, raises the same again
                await in_thread(context.__exit__, type(problem), problem, problem.__traceback__)
            if isinstance(problem, Gap):
                raise Unreachable("the Management Node's database changed while it was read") from problem
            raise
        await in_thread(context.__exit__, None, None, None)
        return load.sequence

    async def _take(self, load: SnapshotLoad, in_thread: InThread) -> None:
        """Each part is asked for while the one before is written."""
        chunk = self._first
        while chunk is not None:
            coming = asyncio.ensure_future(self._after(chunk))
            try:
                await in_thread(load.add, chunk)
                self.rows += sum(part.count or len(part.rows) for part in (chunk, *chunk.also))
                chunk = await coming
            finally:
                coming.cancel()

    async def _after(self, chunk: SnapshotChunk) -> SnapshotChunk | None:
        if not chunk.next_table:
            return None
        return await self._ask(SnapshotRequest(chunk.next_table, chunk.next_after, plain=True))

    async def _ask(self, request: SnapshotRequest) -> SnapshotChunk:
        answer = await self._bus.request(SNAPSHOT, _encode(request), timeout=_PATIENCE)
        self.bytes += len(answer)
        return _decode(answer)
