"""Configuration from the Management Node to every node, over the stream `ROSTRA_CONFIG`.

The publisher drains the journal into the stream and answers snapshot requests. The replica follows the stream
into the node's local database, and loads a snapshot when it has never followed it or has missed something.
Either side may be away for any time; both retry for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import structlog
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from rostra.configuration.changes import Changes, SnapshotChunk, SnapshotRequest
from rostra.configuration.replica import Gap, Replica
from rostra.environment import Environment
from rostra.fabric.bus import Bus, Unreachable

logger = structlog.get_logger("rostra.fabric.replication")

STREAM = "ROSTRA_CONFIG"
CHANGES = "rostra.config.changes"
SNAPSHOT = "rostra.config.snapshot"

_KEPT_SECONDS = 7 * 24 * 3600
_KEPT_BYTES = 1024 * 1024 * 1024
_POLL = 0.25
"""Seconds until changes are noticed that nobody announced (made by another process)."""
_RETRY = 1.0
_QUIET = 2.0
"""Seconds without a message after which the replica checks that its consumer still exists."""

_FABRIC_PROBLEMS = (nats.errors.Error, JetStreamError, Unreachable, TimeoutError, OSError)

_encode = msgspec.json.Encoder().encode
_decode_changes = msgspec.json.Decoder(Changes).decode
_decode_request = msgspec.json.Decoder(SnapshotRequest).decode
_decode_chunk = msgspec.json.Decoder(SnapshotChunk).decode


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel `task` until it has ended: `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)


async def ensure_stream(jetstream: JetStreamContext) -> None:
    """Make the stream unless it exists."""
    await jetstream.add_stream(
        StreamConfig(
            name=STREAM,
            subjects=[CHANGES],
            retention=RetentionPolicy.LIMITS,
            max_age=_KEPT_SECONDS,
            max_bytes=_KEPT_BYTES,
        )
    )


class Publisher:
    """The Management Node's side. The three callables read the journal; they run in a thread of the publisher's."""

    def __init__(
        self,
        bus: Bus,
        *,
        unpublished: Callable[[], Changes | None],
        published: Callable[[Changes], None],
        chunk: Callable[[SnapshotRequest], SnapshotChunk],
    ) -> None:
        self._bus = bus
        self._unpublished = unpublished
        self._published = published
        self._chunk = chunk
        self._due = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Any = None
        self._count = 0

    async def start(self) -> None:
        """Begin to publish and to answer; returns at once, whether or not the fabric is there."""
        self._unsubscribe = await self._bus.subscribe(SNAPSHOT, self._answer)
        self._task = asyncio.create_task(self._run(), name="configuration publisher")

    async def stop(self) -> None:
        await _end(self._task)
        if self._unsubscribe is not None:
            await self._unsubscribe()
        self._threads.shutdown()

    def wake(self) -> None:
        """Say that something was committed. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._due.set)

    def debug_state(self) -> dict[str, Any]:
        return {"published": self._count, "running": self._task is not None and not self._task.done()}

    async def _run(self) -> None:
        ready = False
        while True:
            try:
                if not ready:
                    await ensure_stream(self._bus.jetstream)
                    ready = True
                await self._drain()
            except _FABRIC_PROBLEMS as problem:
                ready = False
                logger.warning("Configuration cannot be published now", problem=type(problem).__name__)
                await asyncio.sleep(_RETRY)
            except Exception:
                logger.exception("Publishing configuration failed")
                await asyncio.sleep(_RETRY)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), _POLL)
            self._due.clear()

    async def _drain(self) -> None:
        while changes := await self._in_thread(self._unpublished):
            identity = f"{changes.epoch}:{changes.last}"
            await self._bus.jetstream.publish(CHANGES, _encode(changes), headers={"Nats-Msg-Id": identity})
            await self._in_thread(self._published, changes)
            self._count += len(changes.changes)

    async def _answer(self, _subject: str, payload: bytes) -> bytes | None:
        return _encode(await self._in_thread(self._chunk, _decode_request(payload)))

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
        self._listeners: list[OnChange] = []
        self._replica: Replica | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="replica")
        self._task: asyncio.Task[None] | None = None
        self._position = 0
        self._snapshots = 0
        self.synchronised = asyncio.Event()

    @property
    def position(self) -> int:
        """Sequence of the last change in the local database."""
        return self._position

    def on_change(self, callback: OnChange) -> None:
        """Call `callback(resource, key)` for every changed row; key 0: the whole resource may have changed."""
        self._listeners.append(callback)

    async def start(self) -> None:
        """Open the local database and begin to follow; returns when the database can be read."""
        replica: Replica = await self._in_thread(Replica, self.path)
        self._replica = replica
        self._position = await self._in_thread(lambda: replica.position)
        self._task = asyncio.create_task(self._run(replica), name="configuration replica")

    async def stop(self) -> None:
        await _end(self._task)
        if self._replica is not None:
            await self._in_thread(self._replica.close)
        self._threads.shutdown()

    def debug_state(self) -> dict[str, Any]:
        return {
            "position": self._position,
            "snapshots": self._snapshots,
            "synchronised": self.synchronised.is_set(),
            "running": self._task is not None and not self._task.done(),
        }

    async def _run(self, replica: Replica) -> None:
        while True:
            try:
                await self._follow(replica)
            except Gap:
                await self._resynchronise(replica)
            except _FABRIC_PROBLEMS as problem:
                logger.info("Configuration cannot be followed now", problem=type(problem).__name__)
                await asyncio.sleep(_RETRY)
            except Exception:
                logger.exception("Following the configuration failed")
                await asyncio.sleep(_RETRY)

    async def _resynchronise(self, replica: Replica) -> None:
        try:
            await self._load(replica)
        except _FABRIC_PROBLEMS as problem:
            logger.info("No snapshot of the configuration to be had now", problem=type(problem).__name__)
            await asyncio.sleep(_RETRY)
        except Gap:
            logger.info("The Management Node's database changed while it was read")
        except Exception:
            logger.exception("Loading the configuration failed")
            await asyncio.sleep(_RETRY)

    async def _load(self, replica: Replica) -> None:
        """Take a snapshot; changes published before it began are part of it."""
        began = time.monotonic()
        stream = await _where(self._bus.jetstream)
        chunk = await self._ask(SnapshotRequest())
        context = replica.snapshot(f"{stream.created} {stream.last}")
        load = await self._in_thread(context.__enter__)
        rows = 0
        try:
            while True:
                await self._in_thread(load.add, chunk)
                rows += len(chunk.rows)
                if not chunk.next_table:
                    break
                chunk = await self._ask(SnapshotRequest(chunk.next_table, chunk.next_after))
        except BaseException as problem:
            with contextlib.suppress(type(problem)):  # rolls back, raises the same again
                await self._in_thread(context.__exit__, type(problem), problem, problem.__traceback__)
            raise
        await self._in_thread(context.__exit__, None, None, None)
        self._snapshots += 1
        self._position = load.sequence
        logger.info("Configuration loaded", rows=rows, seconds=round(time.monotonic() - began, 2))
        self._tell([(name, 0) for name in replica.resource_names])

    async def _ask(self, request: SnapshotRequest) -> SnapshotChunk:
        return _decode_chunk(await self._bus.request(SNAPSHOT, _encode(request), timeout=10))

    async def _follow(self, replica: Replica) -> None:
        """Apply the stream's messages from where we are until something goes wrong. Raises Gap."""
        if not await self._in_thread(lambda: replica.epoch):
            raise Gap
        jetstream = self._bus.jetstream
        here = await _where(jetstream)
        created, _, last = (await self._in_thread(lambda: replica.stream)).partition(" ")
        known = created == here.created and int(last or 0) <= here.last
        begin = int(last) + 1 if known else 1
        consumer = await jetstream.pull_subscribe(
            CHANGES,
            stream=STREAM,
            config=ConsumerConfig(
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=begin,
                inactive_threshold=60,
                mem_storage=True,
            ),
        )
        try:
            if begin > here.last:
                self.synchronised.set()
            while True:
                try:
                    messages = await consumer.fetch(1, timeout=_QUIET)
                except TimeoutError:
                    await consumer.consumer_info()  # raises when a restart of the server has ended it
                    continue
                for message in messages:
                    sequence = message.metadata.sequence.stream
                    changes = _decode_changes(message.data)
                    touched = await self._in_thread(replica.apply, changes, f"{here.created} {sequence}")
                    self._position = max(self._position, changes.last)
                    self._tell(touched)
                    if sequence >= here.last:
                        self.synchronised.set()
        finally:
            with contextlib.suppress(*_FABRIC_PROBLEMS):
                await consumer.unsubscribe()

    def _tell(self, touched: list[tuple[str, int]]) -> None:
        for resource, key in touched:
            for listener in self._listeners:
                try:
                    listener(resource, key)
                except Exception:
                    logger.exception("A listener to configuration changes failed", resource=resource)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


class _Stream(msgspec.Struct, frozen=True):
    created: str
    last: int


async def _where(jetstream: JetStreamContext) -> _Stream:
    """Identity and last sequence of the stream; made when there is none yet."""
    try:
        info = await jetstream.stream_info(STREAM)
    except NotFoundError:
        await ensure_stream(jetstream)
        info = await jetstream.stream_info(STREAM)
    return _Stream(str(info.created).replace(" ", "T"), info.state.last_seq)
