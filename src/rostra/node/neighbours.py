"""The other nodes, for this node's clients: where to go when this one is lost, and ending who went on elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rostra.fabric.bus import Bus
from rostra.fabric.peers import VERSION, Peers

RELEASE = f"rostra.v{VERSION}.clients.release"
"""Says to all nodes the token of a session that has begun anew elsewhere; whoever issued it ends that session."""


class Neighbours:
    """What the client API is given of the other nodes."""

    def __init__(self, bus: Bus, peers: Peers, node: str, location: Callable[[], int]) -> None:
        self._bus = bus
        self._peers = peers
        self._node = node
        self._location = location
        self._stop: Callable[[], Any] | None = None

    def alternatives(self) -> list[str]:
        """Nodes that take calls, as `https://host:port`: those of our location first, the least loaded first."""
        reports = [
            report for node, report in self._peers.alive.items() if node != self._node and not report.maintenance
        ]
        here = self._location()
        reports.sort(key=lambda report: (report.location != here, report.media_load, report.node))
        return [f"https://{report.address}:{report.https_port}" for report in reports]

    async def release(self, token: str) -> None:
        """End the session of a token, whichever node issued it."""
        await self._bus.publish(RELEASE, token.encode())

    async def start(self, release: Callable[[str], Awaitable[bool]]) -> None:
        """Begin to hear of sessions of ours that went on elsewhere."""

        async def told(_subject: str, payload: bytes) -> None:
            await release(payload.decode("ascii", "replace"))

        self._stop = await self._bus.subscribe(RELEASE, told)

    async def stop(self) -> None:
        if self._stop is not None:
            await self._stop()
