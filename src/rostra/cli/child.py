"""One child process of the supervisor: its own process group, its own log file, restarted when it dies."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import BinaryIO

import structlog

logger = structlog.get_logger("rostra.cli")

LOG_LIMIT = 50_000_000
"""Bytes after which a log file moves aside; one older file is kept."""

_STEADY = 60.0
"""Seconds of life after which a child's next death counts as its first."""

_LONGEST_PAUSE = 30.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class EndedEarly(Exception):
    """A child ended before it was ready. The text holds its last log lines."""


class EndedForGood(Exception):
    """A child ended by itself and is not to be started again."""

    def __init__(self, child: Child, code: int) -> None:
        super().__init__(f"{child.name} ended with {describe(code)}")
        self.child = child
        self.code = code


class Child:
    """A program that is kept running from `start` to `stop`, until it ends with one of the `final` exit codes.

    `pause`: seconds before it is started again after its first death.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        variables: Mapping[str, str],
        log: Path,
        *,
        pause: float = 1.0,
        final: Container[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._first_pause = pause
        self._final = final
        self._command = command
        self._variables = dict(variables)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the program; its output goes to the end of the log file."""
        with self._output() as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._variables},
                start_new_session=True,
                preexec_fn=_end_with_parent(os.getpid()),
            )

    def _output(self) -> BinaryIO:
        """The log file; nowhere, where the disk is full."""
        try:
            self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            rotate(self.log)
            return self.log.open("ab")
        except OSError as problem:
            logger.error("No log can be written", name=self.name, problem=str(problem))
            return Path(os.devnull).open("ab")

    async def ended(self) -> int:
        """Wait until the running program ends; its exit code (negative: the signal that ended it)."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self._process.wait()

    async def keep_running(self) -> None:
        """Start the program again whenever it ends, each time after a longer pause, until `stop`.

        Raises EndedForGood after one of the final exit codes.
        """
        pause = self._first_pause
        started = time.monotonic()
        while True:
            code = await self.ended()
            if self._stopping:
                return
            if code in self._final:
                raise EndedForGood(self, code)
            if time.monotonic() - started > _STEADY:
                pause = self._first_pause
            logger.error("Process ended; starting it again", name=self.name, status=describe(code), pause=pause)
            self._signal(signal.SIGKILL)  # whatever it left behind in its group
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            started = time.monotonic()
            await self.start()

    async def stop(self, patience: float) -> None:
        """Ask the program to end, and end it with its whole group after `patience` seconds."""
        self._stopping = True
        if self._process is None:
            return
        if self.pid is not None:
            self._process.terminate()
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            logger.warning("Process did not end in time; killing it", name=self.name, patience=patience)
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of the log, for a person."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as lines:
                return "".join(deque(lines, maxlen=count)).rstrip()
        except FileNotFoundError:
            return ""

    def _signal(self, number: signal.Signals) -> None:
        """Signal the whole group. start_new_session made the child's id the group's."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # nobody of the group is left


def describe(code: int) -> str:
    """An exit code in words."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def rotate(log: Path, limit: int = LOG_LIMIT) -> None:
    """Move a long log aside. It is copied and cut, because the child holds the file open for appending."""
    if log.exists() and log.stat().st_size > limit:
        older = log.with_suffix(log.suffix + ".1")
        try:
            shutil.copyfile(log, older)
        except OSError:  # the disk is full: what is old makes room
            older.unlink(missing_ok=True)
        os.truncate(log, 0)


def _end_with_parent(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        # The kernel ends the child should the supervisor be killed and never get to it.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
