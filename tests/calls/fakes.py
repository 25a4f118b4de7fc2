"""A media pool without media, and listeners that remember what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from rostra.domain.media import MediaDescription, MediaKind
from rostra.media.client import MediaFailure, WorkerLost
from rostra.media.messages import Compose, Event, Failure

ANSWER = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n"


class FakeWorker:
    """Takes every request and remembers it."""

    def __init__(self, identity: str, on_event: Callable[[Event], None], on_lost: Callable[[Any], None]) -> None:
        self.id = identity
        self.tell = on_event
        self._on_lost = on_lost
        self.alive = True
        self.legs: set[str] = set()
        self.started: set[str] = set()
        self.composed: list[Compose] = []
        self.refuse: Failure.Kind | None = None

    def kill(self) -> None:
        self.alive = False
        self._on_lost(self)

    async def _check(self, leg: str = "") -> None:
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        if self.refuse:
            raise MediaFailure(self.refuse, "refused")
        if leg and leg not in self.legs:
            raise MediaFailure(Failure.Kind.UNKNOWN_LEG, leg)

    async def open_webrtc(self, leg: str, offer: str, **_: Any) -> str:
        await self._check()
        self.legs.add(leg)
        return ANSWER

    async def add_candidate(self, leg: str, mid: str, candidate: str, ufrag: str = "") -> None:
        await self._check(leg)

    async def reserve_rtp(self, leg: str, kinds: Sequence[MediaKind]) -> tuple[str, tuple[int, ...]]:
        await self._check()
        self.legs.add(leg)
        return "127.0.0.1", tuple(40000 + 2 * index for index in range(len(kinds)))

    async def connect_rtp(self, leg: str, local: MediaDescription, remote: MediaDescription) -> None:
        await self._check(leg)

    async def start(self, leg: str) -> None:
        await self._check(leg)
        self.started.add(leg)

    async def close_leg(self, leg: str) -> None:
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        self.legs.discard(leg)

    async def compose(self, compose: Compose) -> None:
        await self._check()
        self.composed.append(compose)

    async def request_keyframe(self, leg: str) -> None:
        await self._check(leg)

    async def send_dtmf(self, leg: str, digits: str) -> None:
        await self._check(leg)


class FakePool:
    """Makes workers on request."""

    ready = True

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.released: list[FakeWorker] = []
        self.stocked = asyncio.Event()
        """Clear: who wants a worker has to wait for one."""
        self.stocked.set()
        self.broken = False
        self.doomed = 0
        """So many of the next workers die as soon as they are at work."""

    async def acquire(
        self, conference: str, name: str, on_event: Callable[[Event], None], on_lost: Callable[[Any], None]
    ) -> FakeWorker:
        await self.stocked.wait()
        if self.broken:
            raise MediaFailure(Failure.Kind.INTERNAL, "no media worker can be started")
        worker = FakeWorker(f"worker{len(self.workers)}", on_event, on_lost)
        self.workers.append(worker)
        if self.doomed:
            self.doomed -= 1
            asyncio.get_running_loop().call_soon(worker.kill)
        return worker

    async def release(self, worker: FakeWorker) -> None:
        self.released.append(worker)


class Listener:
    """An adapter's listener that remembers."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.lost: list[str] = []
        self.ended: list[tuple[str, str]] = []

    def disconnected(self, reason: str) -> None:
        self.reasons.append(reason)

    def media_lost(self, call: str) -> None:
        self.lost.append(call)

    def call_ended(self, call: str, reason: str) -> None:
        self.ended.append((call, reason))
