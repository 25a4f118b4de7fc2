"""Time that passes at once: an event loop whose clock jumps to the next thing that is due."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

START = 1_700_000_000.0
"""Unix seconds at which the loop's time 0 is."""


class _Selector(selectors.SelectSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing is due")
            self.loop.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code without sockets or threads."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def unix(self) -> float:
        return START + self.now


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def unix() -> float:
    """The running loop's Unix time."""
    return START + asyncio.get_running_loop().time()


def clock() -> float:
    return asyncio.get_running_loop().time()
