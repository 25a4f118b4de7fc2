"""A media pool without media, and listeners that remember what they were told."""

from __future__ import annotations

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

    def _check(self) -> None:
        if not self.alive:
            raise WorkerLost("killed")
        if self.refuse:
            raise MediaFailure(self.refuse, "refused")

    async def open_webrtc(self, leg: str, offer: str, **_: Any) -> str:
        self._check()
        self.legs.add(leg)
        return ANSWER

    async def add_candidate(self, leg: str, mid: str, candidate: str, ufrag: str = "") -> None:
        self._check()

    async def reserve_rtp(self, leg: str, kinds: Sequence[MediaKind]) -> tuple[str, tuple[int, ...]]:
        self._check()
        self.legs.add(leg)
        return "127.0.0.1", tuple(40000 + 2 * index for index in range(len(kinds)))

    async def connect_rtp(self, leg: str, local: MediaDescription, remote: MediaDescription) -> None:
        self._check()

    async def start(self, leg: str) -> None:
        self._check()
        self.started.add(leg)

    async def close_leg(self, leg: str) -> None:
        self._check()
        self.legs.discard(leg)

    async def compose(self, compose: Compose) -> None:
        self._check()
        self.composed.append(compose)

    async def request_keyframe(self, leg: str) -> None:
        self._check()

    async def send_dtmf(self, leg: str, digits: str) -> None:
        self._check()


class FakePool:
    """Makes workers on request."""

    ready = True

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.released: list[FakeWorker] = []

    async def acquire(
        self, conference: str, name: str, on_event: Callable[[Event], None], on_lost: Callable[[Any], None]
    ) -> FakeWorker:
        worker = FakeWorker(f"worker{len(self.workers)}", on_event, on_lost)
        self.workers.append(worker)
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
