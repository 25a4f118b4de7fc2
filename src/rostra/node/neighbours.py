"""The other nodes, for this node's clients: where to go when this one is lost, and ending who went on elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from rostra.fabric import subjects
from rostra.fabric.peers import Connection, Peers

RELEASE = subjects.RELEASE.pattern
"""Says to all nodes the token of a session that has begun anew elsewhere; whoever issued it ends that session."""
REMEMBERED = 120.0
"""Seconds a token lives: so long it is said again to nodes that come back."""


class Neighbours:
    """What the client API is given of the other nodes."""

    def __init__(
        self,
        bus: Connection,
        peers: Peers,
        node: str,
        location: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._peers = peers
        self._node = node
        self._location = location
        self._clock = clock
        self._released: dict[str, float] = {}
        self._stop: Callable[[], Any] | None = None
        self._saying: set[asyncio.Task[None]] = set()

    def alternatives(self) -> list[str]:
        """Nodes of our kind that take calls, as `https://host:port`: our location first, the least loaded first."""
        alive = self._peers.alive
        own = alive[self._node].role if self._node in alive else ""
        reports = [
            report
            for node, report in alive.items()
            if node != self._node and not report.maintenance and report.role == own
        ]
        here = self._location()
        reports.sort(key=lambda report: (report.location != here, report.media_load, report.node))
        return [f"https://{_host(report.address)}:{report.https_port}" for report in reports]

    async def release(self, token: str) -> None:
        """End the session of a token, whichever node issued it; one that is cut off is told when it is back."""
        now = self._clock()
        self._released = {old: since for old, since in self._released.items() if now - since < REMEMBERED}
        self._released[token] = now
        await self._bus.publish(RELEASE, token.encode())

    async def start(self, release: Callable[[str], Awaitable[bool]]) -> None:
        """Begin to hear of sessions of ours that went on elsewhere."""

        async def told(_subject: str, payload: bytes) -> None:
            await release(payload.decode("ascii", "replace"))

        self._stop = await self._bus.subscribe(RELEASE, told)
        self._peers.on_change(self._peer_changed)

    def _peer_changed(self, _node: str, alive: bool) -> None:
        if alive and self._released:
            task = asyncio.get_running_loop().create_task(self._say_again())
            self._saying.add(task)
            task.add_done_callback(self._saying.discard)

    async def _say_again(self) -> None:
        now = self._clock()
        for token, since in list(self._released.items()):
            if now - since < REMEMBERED:
                await self._bus.publish(RELEASE, token.encode())

    async def stop(self) -> None:
        if self._stop is not None:
            await self._stop()
            self._stop = None


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
