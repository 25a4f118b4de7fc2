"""Made-up Conferencing Nodes: they report, say what they carry and obey, as far as the Management Node can tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from rostra.fabric import status
from rostra.fabric.bus import Bus
from rostra.fabric.peers import NodeReport, Peers


class FakeNode:
    """One node on a real fabric; change `report`, `status` and `reply` as the test goes."""

    def __init__(self, bus: Bus, number: int, *, boot: str = "boot", location: int = 1, **report: Any) -> None:
        self.id = f"n{number}"
        self.report = NodeReport(
            node=self.id,
            boot=boot,
            name=f"node{number}",
            location=location,
            address=f"10.0.0.{number}",
            version="0.1.0",
            capacity=120,
            position=1,
            time=time.time(),
            started=time.time() - 60,
            **report,
        )
        self.status: status.NodeStatus | bytes | None = status.NodeStatus(node=self.id, boot=boot)
        self.reply: status.CommandReply = status.Moved(legs=0)
        self.commands: list[status.Command] = []
        self._bus = bus
        self._peers = Peers(bus, lambda: self.report)
        self._stops: list[Callable[[], Awaitable[None]]] = []

    async def start(self) -> None:
        await self._peers.start()
        self._stops = [
            await self._bus.subscribe(status.status_subject(self.id), self._asked),
            await self._bus.subscribe(status.command_subject(self.id), self._told),
        ]

    async def stop(self) -> None:
        await self._peers.stop()
        for stop in self._stops:
            await stop()
        self._stops = []

    async def restart(self, boot: str) -> None:
        await self.stop()
        self.report = msgspec.structs.replace(self.report, boot=boot)
        await self.start()

    async def _asked(self, _subject: str, _payload: bytes) -> bytes | None:
        if isinstance(self.status, status.NodeStatus):
            return status.encode_status(self.status)
        return self.status

    async def _told(self, _subject: str, payload: bytes) -> bytes | None:
        self.commands.append(status.decode_command(payload))
        return status.encode_reply(self.reply)


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for what no event announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.02)
