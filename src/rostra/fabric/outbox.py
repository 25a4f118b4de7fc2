"""Events for the Management Node: kept on disk until it has them, however long it is away.

`record` only puts an event into memory; a moment later it is in an SQLite file, and from there it goes to the
Management Node in order and in batches, at least once. What it acknowledged is deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import structlog

from rostra.domain.history import Event
from rostra.fabric import subjects
from rostra.fabric.bus import Unreachable
from rostra.fabric.outbox_store import Kept, Store
from rostra.fabric.peers import Connection

logger = structlog.get_logger("rostra.fabric.outbox")

EVENTS = subjects.EVENTS.pattern
"""Where the Management Node takes batches."""

BATCH = 250
BATCH_BYTES = 512 * 1024
IN_MEMORY = 100_000
"""Events kept in memory while the disk takes none."""
_RETRY = 1.0
"""Seconds between attempts while the Management Node or the disk is away."""
_PATIENCE = 10.0
"""Seconds the Management Node may take to store a batch."""
_PARTING = 1.0
"""Seconds spent on delivering the last events when we stop."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One event. Node, run and sequence say which, so that a second delivery is recognised."""

    node: str
    boot: str
    sequence: int
    event: msgspec.Raw
    """A MessagePack-encoded `domain.history.Event`; the reader may not know a newer node's kinds."""


class Batch(msgspec.Struct, frozen=True):
    records: tuple[Record, ...]


class Acknowledged(msgspec.Struct, frozen=True):
    """The Management Node has the whole batch."""

    count: int = 0


encode_event = msgspec.msgpack.Encoder().encode
decode_event = msgspec.msgpack.Decoder(Event).decode
encode_batch = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
encode_acknowledged = msgspec.msgpack.Encoder().encode
_decode_acknowledged = msgspec.msgpack.Decoder(Acknowledged).decode


class Outbox:
    """The node's side. Everything but the store's work happens in the event loop."""

    def __init__(
        self,
        path: Path,
        bus: Connection,
        node: str,
        boot: str,
        *,
        most_events: int = 1_000_000,
        most_bytes: int = 500_000_000,
        in_memory: int = IN_MEMORY,
        on_disk: Callable[[bool, str], None] = lambda _fails, _problem: None,
    ) -> None:
        """`on_disk` is told when the disk begins to take nothing, and when it does again."""
        self._store = Store(path, most_events=most_events, most_bytes=most_bytes)
        self._bus = bus
        self._node = node
        self._boot = boot
        self._sequence = 0
        self._fresh: deque[Kept] = deque()
        self._in_memory = in_memory
        self._on_disk = 0
        self._disk_fails = False
        self._tell_disk = on_disk
        self._overflowing = False
        self._away = False
        self._due = asyncio.Event()
        self._ready = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def queued(self) -> int:
        """Events the Management Node has not acknowledged."""
        return self._on_disk + len(self._fresh)

    def record(self, event: Event) -> None:
        """Take an event. Cheap, never raises; call it in the event loop's thread, also before `start`."""
        try:
            content = encode_event(event)
        except Exception:
            logger.exception("An event cannot be encoded", kind=type(event).__name__)
            return
        self._sequence += 1
        self._fresh.append(Kept(0, self._node, self._boot, self._sequence, content))
        if len(self._fresh) > self._in_memory:
            self._fresh.popleft()
            if not self._overflowing:
                self._overflowing = True
                logger.error("Too many events wait in memory; the oldest are dropped", kept=self._in_memory)
        self._due.set()

    async def start(self) -> None:
        """Begin to keep and to deliver; what an earlier run left behind goes first."""
        await self._count()
        self._ready.set()
        self._tasks = [
            asyncio.create_task(self._always(self._keep, self._due), name="outbox keeper"),
            asyncio.create_task(self._always(self._deliver_all, self._ready), name="outbox delivery"),
        ]

    async def stop(self) -> None:
        """Put everything on disk, try once more to deliver it. Safe to repeat."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._tasks = []
        await self._keep()
        if self._bus.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PARTING):
                    await self._deliver_all()
        await self._in_thread(self._store.close)
        self._threads.shutdown()

    def debug_state(self) -> dict[str, Any]:
        return {"queued": self.queued, "in_memory": len(self._fresh), "disk_fails": self._disk_fails}

    async def _always(self, work: Callable[[], Any], due: asyncio.Event) -> None:
        """Do `work` whenever it is due; again after a pause while it returns False."""
        while True:
            try:
                done = await work()
            except Exception:
                logger.exception("The outbox failed")
                done = False
            if not done:
                await asyncio.sleep(_RETRY)
                continue
            await due.wait()

    # ---- from memory to disk

    async def _keep(self) -> bool:
        self._due.clear()
        while waiting := list(self._fresh)[:5000]:
            try:
                dropped = await self._in_thread(self._store.add, waiting)
            except (sqlite3.Error, OSError) as problem:
                self._disk_failed(problem)
                self._ready.set()  # they may still be delivered
                return False
            if self._disk_fails:
                logger.info("Events can be written to disk again")
                self._tell_disk(False, "")
            self._disk_fails = self._overflowing = False
            if dropped:
                logger.error("The outbox is full; the oldest events are dropped", dropped=dropped)
            self._on_disk += len(waiting) - dropped
            self._forget(waiting)
            self._ready.set()
        return True

    def _forget(self, kept: list[Kept]) -> None:
        """Take out of memory what is safe elsewhere; some of it may be gone already."""
        while self._fresh and self._fresh[0].sequence <= kept[-1].sequence:
            self._fresh.popleft()

    # ---- to the Management Node

    async def _deliver_all(self) -> bool:
        self._ready.clear()
        while batch := await self._next():
            records = tuple(Record(kept.node, kept.boot, kept.sequence, msgspec.Raw(kept.event)) for kept in batch)
            try:
                reply = await self._bus.request(EVENTS, encode_batch(Batch(records)), timeout=_PATIENCE)
                _decode_acknowledged(reply)
            except (Unreachable, msgspec.DecodeError) as problem:
                if not self._away:
                    logger.info("The Management Node takes no events now", queued=self.queued, problem=str(problem))
                self._away = True
                return False
            if self._away:
                logger.info("The Management Node takes events again", queued=self.queued)
            self._away = False
            await self._delivered(batch)
        return True

    async def _next(self) -> list[Kept]:
        found: list[Kept] = []
        with contextlib.suppress(sqlite3.Error, OSError):  # said by `_keep`
            found = await self._in_thread(self._store.first, BATCH, BATCH_BYTES)
        if not found and self._disk_fails:
            found = list(self._fresh)[:BATCH]
        return found

    async def _delivered(self, batch: list[Kept]) -> None:
        if not batch[-1].key:  # straight from memory
            self._forget(batch)
            return
        self._on_disk = max(0, self._on_disk - len(batch))
        try:
            await self._in_thread(self._store.remove, batch[-1].key)
        except (sqlite3.Error, OSError) as problem:
            logger.warning("Delivered events cannot be deleted now", problem=str(problem))

    async def _count(self) -> None:
        try:
            self._on_disk = await self._in_thread(self._store.open)
        except (sqlite3.Error, OSError) as problem:
            self._disk_failed(problem)

    def _disk_failed(self, problem: Exception) -> None:
        if self._disk_fails:
            return
        self._disk_fails = True
        logger.error("Events cannot be written to disk; they wait in memory", problem=str(problem))
        self._tell_disk(True, str(problem))

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
