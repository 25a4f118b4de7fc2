"""How much of the processor this node really uses: its own process and its media workers, as the kernel counts."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

WINDOW = 10.0
"""Seconds over which use is averaged."""
PERIOD = 1.0
"""Seconds between two looks."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")


class Workers(Protocol):
    """What is needed of `media.pool.WorkerPool`."""

    @property
    def processes(self) -> Iterable[int]:
        """Their process ids."""
        ...


def processor_seconds(process: int) -> float | None:
    """User and system time of a process and its threads so far (proc(5)); None: there is none."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) * _TICK


class Usage:
    """Average number of cores in use over the last seconds; looks when it is asked."""

    def __init__(
        self,
        workers: Workers,
        clock: Callable[[], float] = time.monotonic,
        seconds: Callable[[int], float | None] = processor_seconds,
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._seconds = seconds
        self._before: dict[int, float] = {}
        self._looks: deque[tuple[float, float]] = deque()
        """When, and processor seconds of all so far, also of those that have ended since."""

    def cores(self) -> float:
        """Cores in use."""
        now = self._clock()
        if not self._looks or now - self._looks[-1][0] >= PERIOD:
            self._look(now)
        (first, used), (last, more) = self._looks[0], self._looks[-1]
        return (more - used) / (last - first) if last > first else 0.0

    def _look(self, now: float) -> None:
        found = {process: self._seconds(process) for process in (os.getpid(), *self._workers.processes)}
        present = {process: seconds for process, seconds in found.items() if seconds is not None}
        # of one that is new, what it took to start is no use of this time; a process id may come again
        spent = sum(max(0.0, seconds - self._before.get(process, seconds)) for process, seconds in present.items())
        self._before = present
        self._looks.append((now, spent + (self._looks[-1][1] if self._looks else 0.0)))
        while now - self._looks[0][0] > WINDOW and len(self._looks) > 2:
            self._looks.popleft()
