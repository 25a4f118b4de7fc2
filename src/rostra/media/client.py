"""A media worker as the node sees it: typed requests over the fabric, and two ways to fail.

No GStreamer here. `MediaFailure` is the worker's own refusal; `WorkerLost` means there is no worker any more (or
none that answers), so everything it held must be set up anew on another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from rostra.domain.camera import CameraCommand
from rostra.domain.ice import NO_SERVERS, IceServers, IceSide
from rostra.domain.media import MediaDescription, MediaKind
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Connection
from rostra.media import messages as m
from rostra.media import replies

REQUEST_TIMEOUT = 8.0
"""Seconds a worker may take for a request."""

R = TypeVar("R", bound=replies.Said)
SLIDES = m.Slides()


class MediaFailure(Exception):
    """The worker could not do what was asked."""

    def __init__(self, kind: m.Failure.Kind, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


class WorkerLost(Exception):
    """The worker is gone or does not answer."""


class Worker:
    """One running worker. Every request raises MediaFailure or WorkerLost, and may be repeated."""

    def __init__(self, identity: str, bus: Connection, process: int) -> None:
        self.id = identity
        self.process = process
        """Its process id."""
        self._bus = bus
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self._gone.done()

    def lose(self, reason: str) -> None:
        """The process has ended: requests under way and later ones fail at once."""
        if not self._gone.done():
            self._gone.set_result(reason)

    async def assign(
        self, conference: str, name: str, themes: tuple[str, ...] = (), quality: str = "hd", dscp: int = 0,
        *, denoise: bool = False,
    ) -> None:  # fmt: skip
        request = m.Assign(conference=conference, name=name, themes=themes, quality=quality, dscp=dscp, denoise=denoise)
        await self._ask(request, m.Done)

    async def open_webrtc(
        self,
        leg: str,
        offer: str,
        *,
        media_type: str = "video",
        receive_bandwidth: int | None = None,
        send_bandwidth: int | None = None,
        slides: m.Slides = SLIDES,
        start: bool = False,
        servers: IceServers = NO_SERVERS,
        answered: bool = False,
    ) -> str:
        """Open or renegotiate a WebRTC leg; the complete answer. See `messages.OpenWebRtc`."""
        request = m.OpenWebRtc(
            leg=leg,
            offer=offer,
            media_type=media_type,
            receive_bandwidth=receive_bandwidth,
            send_bandwidth=send_bandwidth,
            slides=slides,
            start=start,
            servers=servers,
            answered=answered,
        )
        return (await self._ask(request, m.WebRtcAnswer)).sdp

    async def add_candidate(self, leg: str, mid: str, candidate: str, ufrag: str = "") -> None:
        await self._ask(m.AddCandidate(leg=leg, mid=mid, candidate=candidate, ufrag=ufrag), m.Done)

    async def reserve_rtp(
        self, leg: str, kinds: Sequence[MediaKind], *, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        """Our address and one RTP port per stream (RTCP one higher)."""
        reply = await self._ask(m.ReserveRtp(leg=leg, kinds=tuple(kinds), ipv6=ipv6), m.RtpPorts)
        return reply.address, reply.ports

    async def reserve_ice(self, request: m.ReserveIce) -> tuple[IceSide, ...]:
        """What we state of ICE for each stream; nothing where there is none."""
        return (await self._ask(request, m.IceSides)).sides

    async def connect_rtp(
        self, leg: str, local: MediaDescription, remote: MediaDescription, proved: str | None = None
    ) -> None:
        """See `messages.ConnectRtp`."""
        await self._ask(m.ConnectRtp(leg=leg, local=local, remote=remote, proved=proved), m.Done)

    async def start(self, leg: str, *, early: bool = False) -> None:
        await self._ask(m.Start(leg=leg, early=early), m.Done)

    async def close_leg(self, leg: str) -> replies.LegReport | None:
        """End it; what it was over its life, None for one that there was not."""
        return (await self._ask(m.Close(leg=leg), m.Done)).report

    async def hold(self, leg: str, held: bool) -> None:
        await self._ask(m.Hold(leg=leg, held=held), m.Done)

    async def compose(self, compose: m.Compose) -> None:
        await self._ask(compose, m.Done)

    async def receive_backplane(self, request: m.ReceiveBackplane) -> tuple[str, int]:
        """Our address and port for a stream of another node."""
        reply = await self._ask(request, m.RtpPorts)
        return reply.address, reply.ports[0]

    async def send_backplane(self, request: m.SendBackplane) -> None:
        await self._ask(request, m.Done)

    async def show_still(self, leg: str, jpeg: bytes) -> None:
        await self._ask(m.ShowStill(leg=leg, jpeg=jpeg), m.Done)

    async def open_stream(self, request: m.OpenStream) -> None:
        """Send to an RTMP server; returns when it takes it."""
        await self._ask(request, m.Done)

    async def take_still(self, source: str, mark: bytes) -> m.StillTaken:
        """The picture of a source as JPEG, unless it looks like that of `mark`."""
        return await self._ask(m.TakeStill(source=source, mark=mark), m.StillTaken)

    async def keep_image(self, name: str, jpeg: bytes) -> None:
        await self._ask(m.KeepImage(name=name, jpeg=jpeg), m.Done)

    async def play(self, leg: str, *sounds: str) -> float:
        """Queue sounds of the theme for a leg; seconds until all that is queued has been heard."""
        return (await self._ask(m.Play(leg=leg, sounds=sounds), m.Playing)).seconds

    async def stop_playing(self, leg: str) -> None:
        await self._ask(m.StopPlaying(leg=leg), m.Done)

    async def request_keyframe(self, leg: str) -> None:
        await self._ask(m.RequestKeyframe(leg=leg), m.Done)

    async def send_dtmf(self, leg: str, digits: str) -> None:
        await self._ask(m.SendDtmf(leg=leg, digits=digits), m.Done)

    async def move_camera(self, leg: str, command: CameraCommand) -> None:
        await self._ask(m.MoveCamera(leg=leg, command=command), m.Done)

    async def statistics(self) -> m.StatisticsReply:
        return await self._ask(m.Statistics(), m.StatisticsReply)

    async def _ask(self, request: m.Request, kind: type[R]) -> R:
        if self._gone.done():
            raise WorkerLost(self._gone.result())
        answer = asyncio.ensure_future(
            self._bus.request(m.control_subject(self.id), m.encode(request), timeout=REQUEST_TIMEOUT)
        )
        try:
            await asyncio.wait({answer, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise WorkerLost(self._gone.result())
            reply = m.reply_decoder.decode(answer.result())
        except Unreachable as problem:
            raise WorkerLost(str(problem)) from problem
        finally:
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # seen: it is in the reply or the loss already
        if isinstance(reply, m.Failure):
            raise MediaFailure(reply.kind, reply.reason)
        if not isinstance(reply, kind):
            raise MediaFailure(
                m.Failure.Kind.INTERNAL, f"{type(reply).__name__} is no reply to {type(request).__name__}"
            )
        return reply


OnEvent = Callable[[m.Event], None]
OnLost = Callable[[Worker], None]
