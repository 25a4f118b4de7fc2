"""A media pool without media, and listeners that remember what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from rostra.domain.camera import CameraCommand
from rostra.domain.media import MediaKind
from rostra.domain.presenting import call_of
from rostra.domain.vocabulary import Role
from rostra.media import messages as m
from rostra.media.client import MediaFailure, WorkerLost
from rostra.media.messages import Event
from rostra.media.replies import StreamStatistics, StreamType

ANSWER = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n"


class FakeWorker:
    """Answers every request on the fabric and remembers it."""

    def __init__(
        self, identity: str, bus: Any, on_event: Callable[[Event], None], on_lost: Callable[[Any], None]
    ) -> None:
        self.id = identity
        self.bus = bus
        self.process = 1
        self.tell = on_event
        self._on_lost = on_lost
        self.alive = True
        self.legs: set[str] = set()
        self.started: set[str] = set()
        self.early: set[str] = set()
        """Of those, who has not confirmed."""
        self.composed: list[m.Compose] = []
        self.images: dict[str, bytes] = {}
        self.sending: dict[str, m.SendBackplane] = {}
        self.receiving: dict[str, m.ReceiveBackplane] = {}
        self.digits: list[tuple[str, str]] = []
        self.opened: list[m.OpenWebRtc] = []
        self.cameras: list[tuple[str, CameraCommand]] = []
        """Leg and what its camera was told."""
        self.played: list[tuple[str, tuple[str, ...]]] = []
        """Leg and sounds."""
        self.streams: list[m.OpenStream] = []
        self.refuse: m.Failure.Kind | None = None

    def kill(self) -> None:
        self.alive = False
        self.bus.subscriptions[:] = [one for one in self.bus.subscriptions if one.handler != self.answer]
        self._on_lost(self)

    async def compose(self, compose: m.Compose) -> None:
        """As the director calls it."""
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        self.composed.append(compose)

    async def keep_image(self, name: str, jpeg: bytes) -> None:
        """As the director calls it."""
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        self.images[name] = jpeg

    async def statistics(self) -> m.StatisticsReply:
        """As the hosting calls it: ten packets of sound each way."""
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        legs = sorted({*self.legs, *self.sending})
        streams = [
            StreamStatistics(leg=leg, kind=StreamType.AUDIO, sending=sending, packets=10, since=1.0)
            for leg in legs
            for sending in (False, True)
        ]
        return m.StatisticsReply(streams=tuple(streams), processor_seconds=1.0, quality=dict.fromkeys(self.legs, 1))

    async def close_leg(self, leg: str) -> None:
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        self._close(leg)

    async def take_still(self, source: str, mark: bytes) -> m.StillTaken:
        """As the hosting calls it."""
        reply = self._carry_out(m.TakeStill(source=source, mark=mark))
        if not isinstance(reply, m.StillTaken):
            raise MediaFailure(m.Failure.Kind.UNKNOWN_LEG, source)
        return reply

    async def receive_backplane(self, request: m.ReceiveBackplane) -> tuple[str, int]:
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        self.receiving[request.leg] = request
        return "127.0.0.1", 50000 + len(self.receiving)

    async def send_backplane(self, request: m.SendBackplane) -> None:
        await asyncio.sleep(0)
        if not self.alive:
            raise WorkerLost("killed")
        here = self.legs | {one.source for one in self.receiving.values()}
        if request.kind is MediaKind.VIDEO and not {request.source, call_of(request.source)} & here:
            raise MediaFailure(m.Failure.Kind.UNKNOWN_LEG, request.source)
        self.sending[request.leg] = request

    async def answer(self, _subject: str, payload: bytes) -> bytes | None:
        request = m.request_decoder.decode(payload)
        await asyncio.sleep(0)
        if not self.alive:
            return None
        return m.encode(self._carry_out(request))

    def _carry_out(self, request: m.Request) -> m.Reply:
        if isinstance(request, m.Close):
            self._close(request.leg)
            return m.Done()
        if self.refuse:
            return m.Failure(kind=self.refuse, reason="refused")
        match request:
            case m.OpenWebRtc(leg=leg):
                self.legs.add(leg)
                self.opened.append(request)
                return m.WebRtcAnswer(sdp=ANSWER.split("m=video")[0] if request.media_type == "audio" else ANSWER)
            case m.OpenStream(leg=leg):
                self.streams.append(request)
                self.legs.add(leg)
            case m.ShowStill(leg=leg):
                self.legs.add(leg)
            case m.TakeStill(mark=mark):
                return m.StillTaken(mark=b"m") if mark else m.StillTaken(mark=b"m", small=b"small", large=b"large")
            case m.ReserveRtp(leg=leg, kinds=kinds):
                self.legs.add(leg)
                return m.RtpPorts(address="127.0.0.1", ports=tuple(40000 + 2 * index for index in range(len(kinds))))
            case _ if getattr(request, "leg", "") not in self.legs:
                return m.Failure(kind=m.Failure.Kind.UNKNOWN_LEG, reason="no such leg")
            case m.Start(leg=leg, early=early):
                self.started.add(leg)
                self.early = self.early | {leg} if early else self.early - {leg}
            case m.Play(leg=leg, sounds=sounds):
                self.played.append((leg, sounds))
                return m.Playing(seconds=float(len(sounds)))
            case m.SendDtmf(leg=leg, digits=digits):
                self.digits.append((leg, digits))
            case m.MoveCamera(leg=leg, command=command):
                self.cameras.append((leg, command))
            case _:
                pass
        return m.Done()

    def _close(self, leg: str) -> None:
        self.legs.discard(leg)
        self.started.discard(leg)
        self.sending.pop(leg, None)
        self.receiving.pop(leg, None)


class FakePool:
    """Makes workers on request."""

    ready = True
    bus: Any
    node = "n1"

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.released: list[FakeWorker] = []
        self.denoising: list[bool] = []
        """Which of the workers were to take noise out of voices."""
        self.stocked = asyncio.Event()
        """Clear: who wants a worker has to wait for one."""
        self.stocked.set()
        self.broken = False
        self.doomed = 0
        """So many of the next workers die as soon as they are at work."""

    async def acquire(
        self,
        conference: str,
        name: str,
        on_event: Callable[[Event], None],
        on_lost: Callable[[Any], None],
        themes: tuple[str, ...] = (),
        quality: str = "hd",
        *,
        denoise: bool = False,
    ) -> FakeWorker:
        await self.stocked.wait()
        if self.broken:
            raise MediaFailure(m.Failure.Kind.INTERNAL, "no media worker can be started")
        worker = FakeWorker(f"{self.node}-worker{len(self.workers)}", self.bus, on_event, on_lost)
        await self.bus.subscribe(m.control_subject(worker.id), worker.answer, concurrent=True)
        self.workers.append(worker)
        self.denoising.append(denoise)
        if self.doomed:
            self.doomed -= 1
            asyncio.get_running_loop().call_soon(worker.kill)
        return worker

    async def release(self, worker: FakeWorker) -> None:
        worker.legs.clear()
        self.released.append(worker)


class Listener:
    """An adapter's listener that remembers."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.lost: list[str] = []
        self.ended: list[tuple[str, str]] = []
        self.presenters: list[str] = []
        self.referred: list[tuple[str, Role | None]] = []
        self.goes = True
        """Goes by itself when it is sent to another conference."""

    def disconnected(self, reason: str) -> None:
        self.reasons.append(reason)

    def media_lost(self, call: str) -> None:
        self.lost.append(call)

    def call_ended(self, call: str, reason: str) -> None:
        self.ended.append((call, reason))

    def picture_wanted(self, call: str) -> None:
        del call

    def refer(self, alias: str, role: Role | None) -> bool:
        """Sent to another conference."""
        self.referred.append((alias, role))
        return self.goes

    def presentation_changed(self, presenter: str) -> None:
        self.presenters.append(presenter)
