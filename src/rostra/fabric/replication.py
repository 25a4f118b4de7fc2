"""Configuration from the Management Node to every node.

The publisher sends each change as it is committed and says every second which one is the newest. The replica applies
what follows on what it has; when something is missing it asks for it, and when the Management Node cannot tell (it
has forgotten, or has another history) it loads a snapshot. Either side may be away for any time; both retry for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import msgspec
import nats.errors
import structlog

from rostra.configuration import local, sealing
from rostra.configuration.changes import Changes, ChangesReply, ChangesRequest, SnapshotChunk, SnapshotRequest
from rostra.configuration.replica import Gap, Replica
from rostra.configuration.threads import DatabaseThread
from rostra.environment import Environment
from rostra.fabric import platformkey, subjects
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.platformkey import PlatformKey
from rostra.fabric.snapshots import SNAPSHOT, Answers, Snapshot
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.fabric.replication")

CHANGES = subjects.CHANGES.pattern
CATCH_UP = subjects.CATCH_UP.pattern

ANNOUNCE = 1.0
"""Seconds between two words about which change is the newest."""
_POLL = 0.25
"""Seconds until changes are noticed that nobody announced (made by another process)."""
_PRUNE = 3600.0
_RETRY = 1.0
_PATIENCE = 10.0
"""Seconds a request to the Management Node may take."""
_RENEW = 60.0
"""Seconds after a damaged local database was replaced before that is done again."""
_WAITING = 200
"""Messages waiting to be applied; beyond that they are dropped and asked for again."""

_FABRIC_PROBLEMS = (nats.errors.Error, Unreachable, TimeoutError, OSError)

_encode = msgspec.json.Encoder().encode
_decode_changes = msgspec.json.Decoder(Changes).decode
_decode_catch_up = msgspec.json.Decoder(ChangesRequest).decode
_decode_reply = msgspec.json.Decoder(ChangesReply).decode
_decode_request = msgspec.json.Decoder(SnapshotRequest).decode


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel `task` until it has ended: `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)


class Journal(Protocol):
    """What the publisher reads, in a thread of its own: `rostra.configuration.journal`."""

    def position(self) -> int: ...

    def after(self, sequence: int, /) -> Changes: ...

    def catch_up(self, request: ChangesRequest, /) -> ChangesReply: ...

    def chunk(self, request: SnapshotRequest, /) -> SnapshotChunk: ...

    def prune(self) -> int: ...


OnPublished = Callable[[Changes], None]


class Publisher:
    """The Management Node's side."""

    def __init__(self, bus: Bus, journal: Journal) -> None:
        self._bus = bus
        self._journal = journal
        self._due = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._threads = DatabaseThread("journal")
        self._task: asyncio.Task[None] | None = None
        self._stops: list[Any] = []
        self._listeners: list[OnPublished] = []
        self._newest: Changes | None = None
        self._count = 0
        self._answers = Answers()

    def on_published(self, callback: OnPublished) -> None:
        """Call `callback` in the event loop with all that was just sent to the nodes."""
        self._listeners.append(callback)

    async def start(self) -> None:
        """Begin to publish and to answer; returns at once, whether or not the fabric is there."""
        self._stops.append(await self._bus.subscribe(SNAPSHOT, self._answer_snapshot))
        self._stops.append(await self._bus.subscribe(CATCH_UP, self._answer_catch_up))
        self._stops.append(await self._bus.subscribe(platformkey.KEY, platformkey.answer))
        self._task = asyncio.create_task(self._run(), name="configuration publisher")

    async def stop(self) -> None:
        """Safe to repeat."""
        await _end(self._task)
        while self._stops:
            await self._stops.pop()()
        self._threads.shutdown()

    def wake(self) -> None:
        """Say that something was committed. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._due.set)

    def debug_state(self) -> dict[str, Any]:
        return {
            "published": self._count,
            "position": self._newest.last if self._newest else 0,
            "running": self._task is not None and not self._task.done(),
        }

    async def _run(self) -> None:
        said = pruned = float("-inf")
        while True:
            try:
                if self._loop.time() - pruned > _PRUNE:
                    pruned = self._loop.time()
                    await self._in_thread(self._journal.prune)
                if await self._publish() or self._loop.time() - said >= ANNOUNCE:
                    said = self._loop.time()
                    await self._announce()
            except _FABRIC_PROBLEMS as problem:
                logger.warning("Configuration cannot be published now", problem=type(problem).__name__)
                await asyncio.sleep(_RETRY)
            except Exception:
                logger.exception("Publishing configuration failed")
                await asyncio.sleep(_RETRY)
            with contextlib.suppress(TimeoutError):
                await in_time(self._due.wait(), _POLL)
            self._due.clear()

    async def _publish(self) -> bool:
        """Send what is new since the last time. What came before our start, nodes ask for."""
        if self._newest is None:
            position = await self._in_thread(self._journal.position)
            self._newest = await self._in_thread(self._journal.after, position)
            return True
        sent = False
        newest = self._newest
        while (changes := await self._in_thread(self._journal.after, newest.last)).changes:
            self._newest = newest = changes
            sent = True
            if self._bus.connected:  # else nodes ask for it when they hear our position
                await self._bus.publish(CHANGES, _encode(changes))
            self._count += len(changes.changes)
            for listener in self._listeners:
                listener(changes)
        return sent

    async def _announce(self) -> None:
        await self._in_thread(self._answers.expire, time.monotonic())
        if self._newest is not None and self._bus.connected:
            epoch = (await self._in_thread(self._journal.after, self._newest.last)).epoch
            await self._bus.publish(CHANGES, _encode(Changes(epoch, self._newest.last, [])))

    async def _answer_snapshot(self, _subject: str, payload: bytes) -> bytes | None:
        return await self._in_thread(self._snapshot_part, payload)

    def _snapshot_part(self, question: bytes) -> bytes:
        state = self._journal.after(self._journal.position())
        answer = self._answers.get((state.epoch, state.last), question, time.monotonic())
        if answer is None:
            chunk = self._journal.chunk(_decode_request(question))
            answer = _encode(chunk)
            if (chunk.epoch, chunk.sequence) == (state.epoch, state.last):
                self._answers.keep(question, answer)
        return answer

    async def _answer_catch_up(self, _subject: str, payload: bytes) -> bytes | None:
        return _encode(await self._in_thread(self._journal.catch_up, _decode_catch_up(payload)))

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await self._loop.run_in_executor(self._threads, function, *arguments)


OnChange = Callable[[str, int], None]


class ConfigurationReplica:
    """The node's side: keeps the local database the same as the Management Node's.

    After `start` the database can be used, whatever else is up. `synchronised` is set once it has held everything
    there is; `on_change` listeners hear of each changed row, in the event loop, after it can be read.
    """

    def __init__(self, environment: Environment, bus: Bus, database_path: Path | None = None) -> None:
        self.path = database_path or environment.node_home / "configuration.db"
        self._bus = bus
        self._key = PlatformKey(sealing.key_file(self.path.parent), bus)
        self._listeners: list[OnChange] = []
        self._replica: Replica | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="replica")
        self._task: asyncio.Task[None] | None = None
        self._stop_hearing: Any = None
        self._heard: asyncio.Queue[Changes | None] = asyncio.Queue()
        self._position = 0
        self._snapshots = 0
        self._received = 0
        self._renewed = float("-inf")
        self._renewals = 0
        self._last_heard = float("-inf")
        self.synchronised = asyncio.Event()

    @property
    def position(self) -> int:
        """Sequence of the last change in the local database."""
        return self._position

    @property
    def silence(self) -> float:
        """Seconds since the Management Node was heard last; infinite before the first time."""
        return time.monotonic() - self._last_heard

    def on_change(self, callback: OnChange) -> None:
        """Call `callback(resource, key)` for every changed row; key 0: the whole resource may have changed."""
        self._listeners.append(callback)

    async def start(self) -> None:
        """Open the local database and begin to follow; returns when the database can be read."""
        await self._in_thread(self._key.open)
        await self._open()
        self._stop_hearing = await self._bus.subscribe(CHANGES, self._hear)
        self._task = asyncio.create_task(self._run(), name="configuration replica")

    async def stop(self) -> None:
        await _end(self._task)
        if self._stop_hearing is not None:
            await self._stop_hearing()
        if self._replica is not None:
            await self._in_thread(self._replica.close)
        self._threads.shutdown()

    def debug_state(self) -> dict[str, Any]:
        return {
            "position": self._position,
            "snapshots": self._snapshots,
            "snapshot_bytes": self._received,
            "renewals": self._renewals,
            "synchronised": self.synchronised.is_set(),
            "running": self._task is not None and not self._task.done(),
        }

    async def checksum(self) -> str:
        """One number for all that the local database holds; see `journal.checksum`. Takes a while when that is much."""
        return await self._in_thread(lambda: self._opened.checksum())

    async def _hear(self, _subject: str, payload: bytes) -> None:
        self._last_heard = time.monotonic()
        if self._heard.qsize() >= _WAITING:
            while not self._heard.empty():
                self._heard.get_nowait()
        self._heard.put_nowait(_decode_changes(payload))

    async def _open(self) -> None:
        """Open the local database; a damaged one is set aside, and everything fetched again."""
        try:
            self._replica = await self._in_thread(Replica, self.path)
        except local.Damaged as problem:
            aside = await self._in_thread(local.put_in_place, None, self.path)
            logger.error("The local database is damaged and set aside", problem=str(problem), file=aside.name)
            self._replica = await self._in_thread(Replica, self.path)
            self._renewals += 1
        self._position = await self._in_thread(lambda: self._opened.position)

    @property
    def _opened(self) -> Replica:
        if self._replica is None:
            raise RuntimeError("the replica is not started")
        return self._replica

    async def _run(self) -> None:
        self._heard.put_nowait(None)  # ask once, without waiting to be told
        while True:
            changes = await self._heard.get()
            try:
                if local.is_suspected(self.path) and time.monotonic() - self._renewed > _RENEW:
                    await self._renew()
                await self._take(changes)
            except _FABRIC_PROBLEMS as problem:
                logger.info("Configuration cannot be followed now", problem=type(problem).__name__)
            except local.Damaged as problem:
                logger.warning("The local database is damaged", problem=str(problem))
                local.suspect(self.path)
                await asyncio.sleep(_RETRY)
                self._heard.put_nowait(None)
            except sqlite3.OperationalError as problem:
                logger.error("The local database takes no changes now", problem=str(problem))
                await asyncio.sleep(_RETRY)
            except Exception:
                logger.exception("Following the configuration failed")
                await asyncio.sleep(_RETRY)

    async def _take(self, changes: Changes | None) -> None:
        """Apply what was heard; ask for the rest when it does not follow on what we have."""
        if changes is None:
            return await self._catch_up()
        if changes.changes:
            try:
                return await self._apply(changes)
            except Gap:
                return await self._catch_up()
        if changes.previous == self._position and changes.epoch == await self._epoch():
            await self._use_key(changes.epoch)
            return self.synchronised.set()
        # Ahead of us, or behind, as after a restored backup: the Management Node knows which.
        return await self._catch_up()

    async def _epoch(self) -> str:
        return await self._in_thread(self._opened.read_epoch)

    async def _apply(self, changes: Changes, *, vouched: bool = False) -> None:
        touched = await self._in_thread(lambda: self._opened.apply(changes, vouched=vouched))
        self._position = max(self._position, changes.last)
        self._tell(touched)

    async def _catch_up(self) -> None:
        while True:
            request = ChangesRequest(await self._epoch(), self._position)
            reply = _decode_reply(await self._bus.request(CATCH_UP, _encode(request), timeout=_PATIENCE))
            if reply.changes is None:
                self._position = await self._load(self._opened)
                self._tell_all()
                continue
            await self._use_key(reply.changes.epoch)
            await self._apply(reply.changes, vouched=True)
            if self._position >= reply.newest or not reply.changes.changes:
                return self.synchronised.set()

    async def _load(self, replica: Replica) -> int:
        """Take a snapshot; changes made before it began are part of it."""
        began = time.monotonic()
        snapshot = Snapshot(self._bus)
        await self._use_key(await snapshot.begin())
        position = await snapshot.load(replica, self._in_thread)
        self._snapshots += 1
        self._received += snapshot.bytes
        taken = round(time.monotonic() - began, 2)
        logger.info("Configuration loaded", rows=snapshot.rows, bytes=snapshot.bytes, seconds=taken)
        return position

    async def _renew(self) -> None:
        """Take a snapshot into another file, which then takes the place of the damaged one.

        Until then, and while the Management Node is away, the node reads what can be read.
        """
        file = self.path.with_name(f"{self.path.name}.new")
        await self._in_thread(local.remove, file)
        fresh = await self._in_thread(Replica, file)
        try:
            position = await self._load(fresh)
        finally:
            await self._in_thread(fresh.close)
        await self._in_thread(self._opened.close)
        aside = await self._in_thread(local.put_in_place, file, self.path)
        self._replica = await self._in_thread(Replica, self.path)
        self._position = position
        self._renewed = time.monotonic()
        self._renewals += 1
        logger.error("The local database was damaged and is fetched again", file=aside.name)
        self._tell_all()

    async def _use_key(self, epoch: str) -> None:
        """Have the key of `epoch` before what was sealed with it; with another key every secret reads differently."""
        if not self._key.is_of(epoch) and await self._key.fetch(epoch):
            self._tell_all()

    def _tell_all(self) -> None:
        self._tell([(name, 0) for name in self._opened.resource_names])

    def _tell(self, touched: list[tuple[str, int]]) -> None:
        for resource, key in touched:
            for listener in self._listeners:
                try:
                    listener(resource, key)
                except Exception:
                    logger.exception("A listener to configuration changes failed", resource=resource)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
