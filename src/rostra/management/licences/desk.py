"""Where nodes get licences for calls: counts what is held on the whole platform against what is installed.

It begins by asking the nodes what is held there; a node that wants a licence before that gets no answer and takes one
for granted, as it does when the Management Node is away, and tells of it when it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol

import msgspec
import structlog
from django.db import DatabaseError, connection

from rostra.configuration.threads import DatabaseThread
from rostra.domain.grants import Grants, Kinds
from rostra.domain.licensing import LicenceKind, Pool, Shortage, pool
from rostra.fabric import licensing
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import INTERVAL, Connection, NodeReport, Peers
from rostra.fabric.speaking import speaks_for
from rostra.management.alarms.raising import lower_alarm, raise_alarm
from rostra.management.licences import keeping, live
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.management.licences")

EVERY = 10.0
"""Seconds between two looks at licences and at what is held on the nodes."""
ANSWER = 1.0
"""Seconds a node has to say what is held there."""
EXHAUSTED = "licenses_exhausted"


class Known(Protocol):
    """The nodes, as `fabric.peers.Peers` knows them."""

    @property
    def known(self) -> Mapping[str, tuple[NodeReport, bool, float]]: ...

    def on_change(self, listener: Callable[[str, bool], None]) -> None: ...


class LicenceDesk:
    """Lives in the event loop of the fabric; `pool`, `used` and `reload` may be used from any thread."""

    def __init__(
        self, bus: Connection, peers: Known, *, clock: Callable[[], float] = time.monotonic, every: float = EVERY,
        hearing: float = 2 * INTERVAL,
    ) -> None:  # fmt: skip
        """`hearing`: seconds after which every node that is there has been heard."""
        self._bus = bus
        self._peers = peers
        self._clock = clock
        self._every = every
        self._hearing = hearing
        self._pool = Pool()
        self._grants = Grants()
        self._exhausted = True  # perhaps left behind by an earlier run
        self._due = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._threads = DatabaseThread("licences")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stop: Callable[[], Any] | None = None

    # ---- for the web half

    @property
    def pool(self) -> Pool:
        return self._pool

    @property
    def used(self) -> Mapping[LicenceKind, int]:
        return self._grants.used

    def reload(self) -> None:
        """Look at what is installed, soon."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._due.set)

    # ---- running

    async def start(self) -> None:
        """Open, at once when nothing is counted, else as soon as the nodes have been asked."""
        self._peers.on_change(lambda _node, _alive: self._due.set())
        await self._load()
        self._spawn(self._run(), "licences")
        live.open_desk(self)

    async def stop(self) -> None:
        live.open_desk(None)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._stop is not None:
            await self._stop()
        await self._loop.run_in_executor(self._threads, _disconnect)
        self._threads.shutdown()

    async def _run(self) -> None:
        if self._pool.counted:
            await asyncio.sleep(self._hearing)
            await self.settle()
        self._stop = await self._bus.subscribe(licensing.LICENCES, self._asked)
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("Counting of licenses failed")
            with contextlib.suppress(TimeoutError):
                await in_time(self._due.wait(), self._every)
            self._due.clear()

    async def look(self) -> None:
        """What is installed now, what is held; then have every node know whether calls are counted."""
        await self._load()
        if self._pool.counted:
            await self.settle()
        await self._bus.publish(licensing.POLICY, licensing.encode(self._policy()))

    async def _load(self) -> None:
        try:
            installed = await self._loop.run_in_executor(self._threads, keeping.refresh)
        except DatabaseError as problem:
            logger.warning("Licenses cannot be read now", problem=str(problem))
            return
        now = pool(installed, time.time())
        if now != self._pool:
            logger.info("Licenses have changed", counted=now.counted, port=now.port, audio=now.audio)
        self._pool = now

    async def settle(self) -> None:
        """Ask every node what is held there; what runs that are over held is free again."""
        alive = {node: report.boot for node, (report, there, _) in self._peers.known.items() if there}
        self._grants.keep_only(alive.items())
        await asyncio.gather(*(self._ask(node, boot) for node, boot in alive.items()))

    async def _ask(self, node: str, boot: str) -> None:
        asked = self._clock()
        try:
            answer = licensing.decode_holdings(
                await self._bus.request(licensing.holdings_subject(node), b"", timeout=ANSWER)
            )
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.info("A node does not say what licenses are held there", node=node, problem=str(problem))
            return
        if (answer.node, answer.boot) == (node, boot):
            held = {holder: _kinds(kinds) for holder, kinds in answer.held.items()}
            self._grants.settle((node, boot), held, asked)

    def _policy(self) -> licensing.Policy:
        return licensing.Policy(counted=self._pool.counted, limit=self._pool.licence.limit or 0)

    # ---- requests of nodes

    async def _asked(self, _subject: str, payload: bytes) -> bytes | None:
        try:
            request = licensing.decode_request(payload)
        except msgspec.DecodeError as problem:
            logger.warning("A request for a license is not understood", problem=str(problem))
            return None
        if not isinstance(request, licensing.AskPolicy) and not speaks_for(request.node):
            logger.warning("A request for a license in the name of another node is not heeded", node=request.node)
            return None
        match request:
            case licensing.GiveBack(node=node, boot=boot, holder=holder):
                self._grants.give_back((node, boot), holder, self._clock())
                return None
            case licensing.AskPolicy():
                return licensing.encode(self._policy())
            case licensing.Take() as wanted:
                return licensing.encode(self._take(wanted))
            case _:
                return None

    def _take(self, request: licensing.Take) -> licensing.LicenceReply:
        run = request.node, request.boot
        found = self._grants.take(run, request.holder, _kinds(request.kinds), self._pool, self._clock())
        if isinstance(found, Shortage):
            logger.warning("No license for a call", node=request.node, participant=request.holder, reason=str(found))
            if found is Shortage.INSUFFICIENT:
                self._tell(exhausted=True)
            return licensing.Denied(reason=str(found))
        self._tell(exhausted=False)
        return licensing.Granted(kinds=tuple(map(str, found)))

    def _tell(self, *, exhausted: bool) -> None:
        """Raise the alarm with a refusal, lower it with the next call that gets in (DIAG-100, DIAG-105)."""
        if exhausted != self._exhausted:
            self._exhausted = exhausted
            self._spawn(self._alarm(exhausted), "alarm of licences")

    async def _alarm(self, up: bool) -> None:
        change = raise_alarm if up else lower_alarm
        try:
            await self._loop.run_in_executor(self._threads, change, EXHAUSTED)
        except DatabaseError as problem:
            logger.warning("An alarm cannot be changed now", problem=str(problem))
            self._exhausted = not up

    def _spawn(self, work: Any, name: str) -> None:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _disconnect() -> None:
    connection.close()  # each thread has its own


def _kinds(words: tuple[str, ...]) -> Kinds:
    """What a node of another version may call otherwise counts as a port."""
    known = set(LicenceKind)
    return tuple(LicenceKind(word) if word in known else LicenceKind.PORT for word in words)


@contextlib.asynccontextmanager
async def licensing_calls(bus: Connection, peers: Peers) -> AsyncGenerator[LicenceDesk]:
    """Hand out licences while the context lasts."""
    desk = LicenceDesk(bus, peers)
    try:
        await desk.start()
        yield desk
    finally:
        await desk.stop()
