"""The Management Node's eyes and hands on the fabric: who is there, what they carry, and what they are told to do.

The web half of the process reaches it from its threads through `platform()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import msgspec
import structlog
from django.db import OperationalError, connection

from rostra.configuration.threads import DatabaseThread
from rostra.fabric import status
from rostra.fabric.bus import Unreachable
from rostra.fabric.outbox import EVENTS, Acknowledged, decode_batch, encode_acknowledged
from rostra.fabric.peers import Connection, Peers
from rostra.fabric.speaking import speaks_for
from rostra.fabric.survey import ANSWER, Seen, Snapshot, look
from rostra.management.history import keeping
from rostra.management.history.absences import Absences, Run
from rostra.management.history.receiving import store
from rostra.management.loads import PERIOD, Loads

logger = structlog.get_logger("rostra.management.status")

Result = TypeVar("Result")

COMMAND = 15.0
"""Seconds a node has to accept a command, and to look for room elsewhere."""
SILENT = "The node does not answer."
_GLANCE = 0.8
"""Seconds for which those who only look share an answer."""
_SWEEP = 5.0
"""Seconds between looks at calls of vanished nodes."""
_TIDY = 600.0
"""Seconds between deletions of old history."""


class Observatory:
    """Runs beside the publisher of configuration: hears reports, takes events, ends calls of vanished nodes."""

    def __init__(self, bus: Connection, *, clock: Callable[[], float] = time.monotonic, sweep: float = _SWEEP) -> None:
        self.peers = Peers(bus)
        self._bus = bus
        self._clock = clock
        self._sweep = sweep
        self._loop = asyncio.get_running_loop()
        self._absences = Absences()
        self._heard: dict[Run, float] = {}
        self._threads = DatabaseThread("history")
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[], Any] | None = None
        self._glance: asyncio.Task[Snapshot] | None = None
        self._tidied = -_TIDY
        self._sampled = -PERIOD
        self.loads = Loads()
        """How full nodes and locations were lately."""

    async def start(self) -> None:
        await self.peers.start()
        self._stop = await self._bus.subscribe(EVENTS, self._take)
        self._task = asyncio.create_task(self._run(), name="history")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._stop is not None:
            await self._stop()
        await self.peers.stop()
        await self._in_thread(_disconnect)
        self._threads.shutdown()

    # ---- for the web half; from any thread but the loop's

    def snapshot(self, *, fresh: bool = True) -> Snapshot:
        """What is there now; not `fresh`: what somebody saw a moment ago is good enough."""
        return self._from_thread(self._look(fresh=fresh), ANSWER + 2)

    def heard(self) -> dict[str, Seen] | None:
        """The nodes that were heard since we began, without asking them; None while we are cut off."""
        return self._from_thread(self._known(), ANSWER)

    def tell(self, nodes: Iterable[str], command: status.Command) -> dict[str, status.CommandReply]:
        """Tell several nodes at once to do something; one that does not answer refuses, with the reason."""
        return self._from_thread(self._tell(list(nodes), command), COMMAND + 2)

    def request(self, subject: str, payload: bytes) -> bytes | None:
        """Ask a node something on a subject of its own; None: no answer."""
        return self._from_thread(self._request(subject, payload), COMMAND + 2)

    async def _request(self, subject: str, payload: bytes) -> bytes | None:
        try:
            return await self._bus.request(subject, payload, timeout=COMMAND)
        except Unreachable:
            return None

    def _from_thread(self, work: Coroutine[Any, Any, Result], limit: float) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)

    async def _known(self) -> dict[str, Seen] | None:
        if not self._bus.connected:
            return None
        return self._seen()

    def _seen(self) -> dict[str, Seen]:
        known = self.peers.known.items()
        return {node: Seen(report=report, alive=alive, ago=ago) for node, (report, alive, ago) in known}

    async def _look(self, *, fresh: bool) -> Snapshot:
        if fresh:
            return await look(self._bus, self.peers)
        shared = self._glance
        if shared is None or (shared.done() and (shared.exception() or time.time() - shared.result().time > _GLANCE)):
            shared = self._glance = asyncio.create_task(look(self._bus, self.peers), name="look at the platform")
        return await asyncio.shield(shared)

    async def _tell(self, nodes: list[str], command: status.Command) -> dict[str, status.CommandReply]:
        replies = await asyncio.gather(*(self._command(node, command) for node in nodes))
        return dict(zip(nodes, replies, strict=True))

    async def _command(self, node: str, command: status.Command) -> status.CommandReply:
        subject = status.command_subject(node)
        try:
            return status.decode_reply(
                await self._bus.request(subject, status.encode_command(command), timeout=COMMAND)
            )
        except Unreachable:
            return status.Refused(reason=SILENT)
        except msgspec.DecodeError as problem:
            return status.Refused(reason=f"The answer is not understood: {problem}")

    # ---- history

    async def _take(self, _subject: str, payload: bytes) -> bytes | None:
        try:
            batch = decode_batch(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Events are not understood", problem=str(problem))
            return None
        records = tuple(record for record in batch.records if speaks_for(record.node))
        if len(records) < len(batch.records):
            logger.warning("Events in the name of another node are not heeded", count=len(batch.records) - len(records))
        try:
            await self._in_thread(store, records)
        except OperationalError as problem:  # no answer: the node offers them again
            logger.warning("Events cannot be stored now", problem=str(problem))
            return None
        return encode_acknowledged(Acknowledged(len(batch.records)))

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:
                logger.exception("Keeping history failed")
            await asyncio.sleep(self._sweep)

    async def sweep(self) -> None:
        """Note who is there, end or reopen calls by that, forget what is old."""
        now = time.time()
        if not self._bus.connected:
            self._absences.forget()
            return
        if self._clock() - self._sampled >= PERIOD:
            self._sampled = self._clock()
            await self._in_thread(self.loads.take, self._seen(), now)
        alive = {node: report for node, (report, there, _) in self.peers.known.items() if there}
        self._heard |= {(node, report.boot): now for node, report in alive.items()}
        await self._in_thread(keeping.note_contacts, alive, now)
        runs: set[Run] = await self._in_thread(keeping.open_runs)
        lost, there = self._absences.judge(runs, {node: report.boot for node, report in alive.items()}, self._clock())
        if lost:
            await self._in_thread(self._end, lost, now)
        if there:
            await self._in_thread(keeping.reopen, there)
        self._heard = {run: heard for run, heard in self._heard.items() if run in runs or run[0] in alive}
        if self._clock() - self._tidied >= _TIDY:
            self._tidied = self._clock()
            await self._in_thread(keeping.forget_old, now)

    def _end(self, lost: Iterable[Run], now: float) -> None:
        ended = keeping.end_lost(lost, keeping.last_heard(lost) | self._heard, now)
        if ended:
            logger.warning("Calls of vanished nodes are taken for ended", calls=ended)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await self._loop.run_in_executor(self._threads, function, *arguments)


def _disconnect() -> None:
    connection.close()  # each thread has its own


class _Nobody:
    """Before the fabric is there: nothing to see, nobody to talk to."""

    def __init__(self) -> None:
        self.loads = Loads()

    def snapshot(self, *, fresh: bool = True) -> Snapshot:
        return Snapshot(time=time.time())

    def heard(self) -> dict[str, Seen] | None:
        return None

    def tell(self, nodes: Iterable[str], command: status.Command) -> dict[str, status.CommandReply]:
        return {node: status.Refused(reason=SILENT) for node in nodes}

    def request(self, subject: str, payload: bytes) -> bytes | None:
        return None


class _Current:
    value: Observatory | _Nobody = _Nobody()


def platform() -> Observatory | _Nobody:
    """What the web half sees the platform through."""
    return _Current.value


@contextlib.asynccontextmanager
async def observed(bus: Connection) -> AsyncGenerator[Observatory]:
    """Observe the platform while the context lasts."""
    observatory = Observatory(bus)
    try:
        await observatory.start()
        _Current.value = observatory
        yield observatory
    finally:
        _Current.value = _Nobody()
        await observatory.stop()
