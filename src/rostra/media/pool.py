"""The pool of media workers: keeps idle ones warm, hands them out, notices when one dies or hangs.

A worker serves one conference and ends with it, so nothing of one conference can leak into the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.media import bounds
from rostra.media import messages as m
from rostra.media.client import MediaFailure, OnEvent, OnLost, Worker, WorkerLost
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.media")

STARTING = 20.0
"""Seconds a worker may take to get ready."""
SILENT = 6.0
"""Seconds without heartbeat after which a worker counts as stuck and is killed."""
ENDING = 3.0
"""Seconds a worker may take to end before it is killed."""
_MEMORY = {"MALLOC_ARENA_MAX": "2"}
"""GStreamer's many short threads would each keep an allocator arena of their own."""
STARTING_AT_ONCE = 2
"""Processes started side by side: more would only make each other slow."""
BACKOFF = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before another try after workers that died while starting."""


class _Process:
    """One worker process, from start to end."""

    def __init__(self, identity: str, bus: Bus, environment: Environment) -> None:
        self.id = identity
        self.ready = asyncio.Event()
        self.worker: Worker | None = None
        self.on_event: OnEvent | None = None
        self.on_lost: OnLost | None = None
        self._bus = bus
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._heard = 0.0
        self._legs = 0
        self._wanted = True
        self.over: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and wait until it serves. Raises WorkerLost when it does not."""
        stop = await self._bus.subscribe(m.events_subject(self.id), self._receive)
        variables = {name: text for name, text in os.environ.items() if not name.startswith("ROSTRA_")}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "rostra.media.engine.worker", "--id", self.id),
                env=variables | self._environment.variables() | _MEMORY,
                stdin=asyncio.subprocess.PIPE,
            )
        except OSError:
            await stop()
            raise
        self.worker = Worker(self.id, self._bus, self._process.pid)
        self._heard = asyncio.get_running_loop().time()
        self.over = asyncio.create_task(self._watch(self._process, stop))
        waiting = asyncio.create_task(self.ready.wait())
        try:
            await asyncio.wait({waiting, self.over}, timeout=STARTING, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not self.ready.is_set() or self.over.done():
            await self.end()
            raise WorkerLost(f"worker {self.id} did not start")

    @property
    def alive(self) -> bool:
        return self.worker is not None and self.worker.alive

    async def end(self) -> None:
        """End the process: politely, then for certain."""
        self._wanted = False
        process = self._process
        if process is None or self.over is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await in_time(asyncio.shield(self.over), ENDING)
        except TimeoutError:
            logger.warning("Media worker killed: it did not end", worker=self.id)
            self._kill()
            await self.over

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _watch(self, process: asyncio.subprocess.Process, stop: Callable[[], Awaitable[None]]) -> None:
        """Wait for the end of the process, ending it when it falls silent; then tell."""
        exited = asyncio.create_task(process.wait())
        clock = asyncio.get_running_loop().time
        while not exited.done():
            await asyncio.wait({exited}, timeout=0.5)
            if not self._bus.connected:
                self._heard = clock()  # nobody can be heard then
            elif self.ready.is_set() and clock() - self._heard > SILENT:
                logger.error("Media worker is stuck: killed", worker=self.id)
                self._kill()
            if (taken := bounds.resident(process.pid)) > bounds.most(self._legs, bounds.usable()):
                logger.error("Media worker takes too much memory: killed", worker=self.id, bytes=taken, legs=self._legs)
                self._kill()
        code = exited.result()
        if self.worker:
            self.worker.lose(f"worker {self.id} ended with {code}")
        if self._wanted:
            logger.error("Media worker died", worker=self.id, code=code)
            if self.on_lost and self.worker:
                try:
                    self.on_lost(self.worker)
                except Exception:  # a conference that cannot cope must not keep the pool from noticing
                    logger.exception("Loss of a media worker not coped with", worker=self.id)
        with contextlib.suppress(Exception):  # the connection may be closing: nothing is left to stop then
            await stop()

    async def _receive(self, subject: str, payload: bytes) -> None:
        del subject
        self._heard = asyncio.get_running_loop().time()
        try:
            event = m.event_decoder.decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Event not understood", worker=self.id, problem=str(problem))
            return
        match event:
            case m.Ready():
                self.ready.set()
            case m.Heartbeat(legs=legs):
                self._legs = legs
            case _ if self.on_event and self.alive and self._wanted:
                self.on_event(event)
            case _:
                pass


class WorkerPool:
    """All media workers of one node."""

    def __init__(self, environment: Environment, bus: Bus, node: str, dscp: Callable[[], int] = lambda: 0) -> None:
        """`dscp` marks the media of conferences that are given a worker."""
        self._dscp = dscp
        self._environment = environment
        self._bus = bus
        self._node = node
        self._idle: list[_Process] = []
        self._busy: dict[str, _Process] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._waiting = 0
        self._failures = 0
        """Starts that failed since the last one that did not."""
        self._filler: asyncio.Task[None] | None = None
        self._kick = asyncio.Event()
        self._closed = False

    async def start(self) -> None:
        """Begin to warm up; returns at once."""
        if self._filler is None:
            self._filler = asyncio.create_task(self._fill())

    @property
    def ready(self) -> bool:
        """A worker is at hand or at work."""
        return any(process.alive for process in (*self._idle, *self._busy.values()))

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers that live."""
        living = (process.worker for process in (*self._idle, *self._busy.values()) if process.alive)
        return [worker.process for worker in living if worker]

    async def acquire(
        self, conference: str, name: str, on_event: OnEvent, on_lost: OnLost, themes: tuple[str, ...] = (),
        quality: str = "hd", *, denoise: bool = False,
    ) -> Worker:  # fmt: skip
        """A worker for a conference, at once when one is warm. Raises MediaFailure when none can be had.

        `themes` are the directories of its theme; for these, `quality` and `denoise` see `messages.Assign`.
        `on_event` gets every event of its legs; `on_lost` is called once when it dies without `release`.
        """
        while True:
            process = await self._take()
            worker = process.worker
            if worker is None:
                continue
            try:
                await worker.assign(conference, name, themes, quality, self._dscp(), denoise=denoise)
            except WorkerLost:
                self._end(process)
                continue
            except BaseException:  # refused or no longer waited for: nobody else knows of this process
                self._end(process)
                raise
            if not worker.alive:  # it died between the answer and now
                continue

            def lost(worker: Worker) -> None:
                self._busy.pop(worker.id, None)
                on_lost(worker)

            process.on_event = on_event
            process.on_lost = lost
            self._busy[worker.id] = process
            return worker

    async def release(self, worker: Worker) -> None:
        """End a worker and everything on it. Safe to repeat."""
        process = self._busy.pop(worker.id, None)
        if process:
            self._end(process)

    async def close(self) -> None:
        """End all workers and wait for them."""
        self._closed = True
        if self._filler:
            self._filler.cancel()
            await asyncio.gather(self._filler, return_exceptions=True)
        for process in (*self._idle, *self._busy.values()):
            self._end(process)
        self._idle.clear()
        self._busy.clear()
        async with self._changed:
            self._changed.notify_all()
        await asyncio.gather(*self._ending)

    def debug_state(self) -> dict[str, object]:
        return {"idle": [process.id for process in self._idle], "busy": sorted(self._busy), "ending": len(self._ending)}

    async def _take(self) -> _Process:
        self._waiting += 1
        self._kick.set()
        try:
            async with asyncio.timeout(STARTING), self._changed:
                while not self._closed:
                    while self._idle:
                        process = self._idle.pop(0)
                        if process.alive:
                            return process
                    await self._changed.wait()
        except TimeoutError:
            logger.error("No media worker came up in time", waiting=self._waiting)
        finally:
            self._waiting -= 1
            self._kick.set()
        raise MediaFailure(m.Failure.Kind.INTERNAL, "no media worker can be started")

    async def _fill(self) -> None:
        """Keep enough workers idle: a few may start at once, so that several conferences can recover together."""
        starting: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._idle = [process for process in self._idle if process.alive]
                wanted = max(0, self._environment.warm_workers) + self._waiting - len(self._idle)
                while len(starting) < min(wanted, STARTING_AT_ONCE):
                    starting.add(asyncio.create_task(self._start_one()))
                self._kick.clear()
                kicked = asyncio.create_task(self._kick.wait())
                done, _ = await asyncio.wait({kicked, *starting}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                kicked.cancel()
                starting -= done
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    async def _start_one(self) -> None:
        """Start a worker and put it among the idle ones; when it does not start, wait a little for the next try."""
        process = _Process(f"{self._node}-{secrets.token_hex(4)}", self._bus, self._environment)
        try:
            await process.start()
        except asyncio.CancelledError:
            await process.end()
            raise
        except Exception as problem:  # whatever it is, also of the fabric: the pool goes on trying
            delay = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
            self._failures += 1
            logger.error("No media worker could be started", problem=repr(problem), retry=delay)
            await process.end()
            await asyncio.sleep(delay)
            return
        self._failures = 0
        process.on_lost = self._lost_idle
        self._idle.append(process)
        async with self._changed:
            self._changed.notify_all()

    def _lost_idle(self, worker: Worker) -> None:
        logger.warning("Idle media worker lost", worker=worker.id)
        self._kick.set()

    def _end(self, process: _Process) -> None:
        task = asyncio.create_task(process.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
