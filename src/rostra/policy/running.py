"""Runs policy scripts in processes beside the node, kept warm, and replaced when a script kills one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import structlog

from rostra.policy.sandbox import SECONDS, Run
from rostra.policy.scripts import OUTPUT, Rendered
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.policy")

PROCESSES = 2
"""At most: a script that does not end holds up one of them."""
WAITED = 5.0
"""Seconds for one run in all, when the machine is so busy that processor time is no measure."""
QUEUE = 5.0
"""Seconds that a script waits for its turn."""
QUEUED = 200
"""Scripts that wait; with so many of them, a further one does not begin to."""
_LINE = 8 * OUTPUT
_KEPT = frozenset({"PATH", "PYTHONPATH", "VIRTUAL_ENV"})
_FAILURES = (EOFError, OSError, TimeoutError, msgspec.DecodeError, ValueError, RecursionError)
"""Of the process, or of variables that cannot be JSON: text that is none, or what is nested too deeply."""
_USED_UP = f"the script takes more than {SECONDS:g} s of processor time"


class NoTurn(Exception):
    """Too many scripts are waiting: this one has not run, so nobody knows what it would have decided."""


class Scripts(Protocol):
    """Where scripts run."""

    async def run(self, source: str, variables: Mapping[str, Any]) -> Rendered:
        """Raises NoTurn."""
        ...


class Sandbox:
    """Implements `Scripts`; nothing runs before the first script does."""

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self._places = asyncio.Semaphore(PROCESSES)
        self._waiting = 0
        self._closed = False

    async def run(self, source: str, variables: Mapping[str, Any]) -> Rendered:
        """Never raises for what a script does: that is the problem of what is returned. Raises NoTurn."""
        if self._waiting >= QUEUED:
            raise NoTurn
        self._waiting += 1
        try:
            async with asyncio.timeout(QUEUE):
                await self._places.acquire()
        except TimeoutError:
            raise NoTurn from None
        finally:
            self._waiting -= 1
        try:
            return await self._run(source, variables)
        finally:
            self._places.release()

    async def _run(self, source: str, variables: Mapping[str, Any]) -> Rendered:
        process = None
        try:
            process = await self._take()
            rendered = await in_time(_ask(process, source, variables), WAITED)
        except _FAILURES as failure:
            status = await _end(process)
            used_up = status == -signal.SIGPROF or isinstance(failure, TimeoutError)
            return Rendered(problem=_USED_UP if used_up else "the script could not be run")
        except BaseException:
            await asyncio.shield(_end(process))
            raise
        if self._closed:
            await _end(process)
        else:
            self._idle.append(process)
        return rendered

    async def warm(self) -> None:
        """Have a process ready."""
        async with self._places:
            if not self._idle:
                with contextlib.suppress(OSError):
                    self._idle.append(await _begin())

    async def close(self) -> None:
        self._closed = True
        idle, self._idle = self._idle, []
        for process in idle:
            await _end(process)

    async def _take(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await _begin()


async def _begin() -> Process:
    """A new one, with nothing of our environment but where programs are."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rostra.policy.sandbox", stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=kept, limit=_LINE,
        start_new_session=True,
    )  # fmt: skip


async def _ask(process: Process, source: str, variables: Mapping[str, Any]) -> Rendered:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(msgspec.json.encode(Run(source, dict(variables))) + b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return msgspec.json.decode(line, type=Rendered)


async def _end(process: Process | None) -> int | None:
    """Its status, once it is gone."""
    if process is None:
        return None
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):  # it may be dying already, of what it did
        return await in_time(process.wait(), 0.2)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    return await process.wait()
