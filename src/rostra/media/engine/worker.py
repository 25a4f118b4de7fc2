"""The media worker process: `python -m rostra.media.engine.worker --id ID`.

One asyncio loop for control; media runs in GStreamer's threads. The process ends by itself when its parent
does, when standard input closes, or when the fabric has been gone for long.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from rostra import garbage, logs
from rostra.environment import Environment
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.speaking import speaker, speaks_for
from rostra.media import bounds
from rostra.media import messages as m
from rostra.media.engine.engine import Engine
from rostra.media.engine.owners import Owners

logger = structlog.get_logger("rostra.media")

POLL = 0.1
HEARTBEAT = 1.0
ORPHANED = 120.0
"""Seconds without fabric after which the process ends."""
_PR_SET_PDEATHSIG = 1


class Worker:
    """The engine joined to the fabric."""

    def __init__(self, worker: str, environment: Environment, bus: Bus) -> None:
        self.id = worker
        self._bus = bus
        self._events: asyncio.Queue[m.Event] = asyncio.Queue(maxsize=1000)
        self._engine = Engine(environment, self._emit)
        self._owners = Owners()
        self._sweep = garbage.Sweep()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until told to quit."""
        stop = await self._bus.subscribe(m.control_subject(self.id), self._receive, concurrent=True)
        jobs = [asyncio.create_task(job) for job in (self._publish(), self._poll(), self._beat())]
        self._emit(m.Ready(worker=self.id, process=os.getpid()))
        logger.info("Media worker ready", worker=self.id)
        await self._ended.wait()
        await stop()
        await self._engine.close()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    def end(self) -> None:
        """Leave `run`."""
        self._ended.set()

    def _emit(self, event: m.Event) -> None:
        if isinstance(event, m.LegFailed):
            self._sweep.soon()
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            logger.error("Event lost: the fabric does not take them", event=type(event).__name__)

    async def _receive(self, subject: str, payload: bytes) -> bytes | None:
        del subject
        try:
            request = m.request_decoder.decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Request not understood", problem=str(problem))
            return m.encode(m.Failure(kind=m.Failure.Kind.INTERNAL, reason=f"not a request: {problem}"))
        if not self._owners.permit(request, speaker(), own=speaks_for(self.id.partition("-")[0])):
            logger.error("Another node asks for what is not its own", member=speaker(), request=type(request).__name__)
            return m.encode(m.Failure(kind=m.Failure.Kind.UNKNOWN_LEG, reason="not a leg of yours"))
        if isinstance(request, m.Quit):
            asyncio.get_running_loop().call_soon(self.end)
            return m.encode(m.Done())
        if isinstance(request, m.Close):
            self._sweep.soon()
        try:
            return m.encode(await self._engine.handle(request))
        except Exception as problem:
            logger.exception("Request failed", request=type(request).__name__)
            return m.encode(m.Failure(kind=m.Failure.Kind.INTERNAL, reason=f"{type(problem).__name__}: {problem}"))

    async def _publish(self) -> None:
        subject = m.events_subject(self.id)
        while True:
            await self._bus.publish(subject, m.encode(await self._events.get()))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            try:
                self._engine.poll()
            except Exception:  # what goes wrong with one look must not end all looking
                logger.exception("Poll failed")

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        seen = clock()
        while True:
            if self._bus.connected:
                seen = clock()
                self._emit(m.Heartbeat(worker=self.id, legs=self._engine.legs))
            elif clock() - seen > ORPHANED:
                logger.error("Fabric gone for long: ending", worker=self.id)
                self.end()
            await asyncio.sleep(HEARTBEAT)


def follow_parent() -> None:
    """End when the parent process does, whatever way it ends (Linux)."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent process has ended")


async def _watch_input(end: Callable[[], None]) -> None:
    """End when standard input closes: that is how a parent that lives on lets go of a worker."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    end()


async def _main(worker: str) -> None:
    environment = Environment.load()
    logs.configure(environment, process=f"worker {worker}")
    bus = await Bus.join(environment, name=f"media worker {worker}")
    try:
        process = Worker(worker, environment, bus)
        garbage.settle()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.end)
        watching: Awaitable[None] = asyncio.create_task(_watch_input(process.end))
        await process.run()
        del watching
    finally:
        await bus.close()


def main() -> None:
    """Entry point of the process."""
    arguments = argparse.ArgumentParser(prog="rostra.media.engine.worker", description=__doc__)
    arguments.add_argument("--id", required=True, help="the worker's id on the fabric")
    follow_parent()
    try:
        bounds.be_first()
    except OSError as problem:
        logger.warning("The kernel may end others before this worker when memory runs out", problem=str(problem))
    try:
        asyncio.run(_main(arguments.parse_args().id))
    except Unreachable as problem:
        sys.exit(str(problem))
    # GStreamer's threads may outlive the loop by a moment; nothing of ours is left to save
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
