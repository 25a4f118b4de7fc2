"""A WebRTC leg: what survives from one offer to the next, whatever becomes of the connection below."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from rostra.domain.media import MediaKind, StreamType
from rostra.domain.presenting import slides_of
from rostra.environment import Environment
from rostra.media import codecs
from rostra.media.engine import direct, rtp_statistics, rungs
from rostra.media.engine.leg import Feed, Leg, LegContext
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sending import lower
from rostra.media.engine.slides import LADDER, SlidesFeed, Taker
from rostra.media.engine.video_feed import VideoFeed
from rostra.media.engine.webrtc_answer import answer, slides_sources, transport_wide
from rostra.media.engine.webrtc_plan import Plan, PlannedSection, plan
from rostra.media.engine.webrtc_rates import WebRtcRates
from rostra.media.engine.webrtc_transport import WebRtcTransport
from rostra.media.messages import OpenWebRtc

logger = structlog.get_logger("rostra.media")


class WebRtcLeg(Leg):
    """One browser."""

    def __init__(self, context: LegContext, leg: str, environment: Environment) -> None:
        super().__init__(context, leg)
        self._environment = environment
        self._transport: WebRtcTransport | None = None
        self._feed: VideoFeed | None = None
        self._slides: SlidesFeed | None = None
        self._slides_source = ""
        self._slides_numbers: set[int] = set()
        """RTP sources that are slides, sent or received."""
        self._planned: Plan | None = None
        self._limit: int | None = None
        self._rates: WebRtcRates | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._started = False
        self._lock = asyncio.Lock()

    async def open(self, request: OpenWebRtc) -> str:
        """Answer an offer, on the running connection when it continues that. Raises what `plan` raises."""
        planned = plan(request.offer, request.media_type, request.slides)
        async with self._lock:
            transport = self._transport
            if transport is None or not transport.follows(planned, answered=request.answered):
                transport = await self._replace(request)
                self._started = request.start
            inner = await transport.negotiate(planned)
            self._planned, self._limit = planned, request.send_bandwidth
            self._rates = self._rates or WebRtcRates(self.id, transport, wide=transport_wide(planned))
            self.sending = self._rates.rate
            self._slides_numbers |= slides_sources(planned, inner)
            self._feed_video()
            self._feed_slides()
            self._apply()
            return answer(
                planned,
                inner,
                transport.fingerprint,
                receive_bandwidth=request.receive_bandwidth,
                media_address=self._environment.media_address,
            )

    async def _replace(self, request: OpenWebRtc) -> WebRtcTransport:
        if self._transport:
            await self._drop()
        transport = WebRtcTransport(
            self.id, self._environment.media_ports, self._connection_changed, self._transport_failed, request.servers
        )
        self._transport = transport
        return transport

    def _feed_video(self) -> None:
        section = self._planned.of_role("video") if self._planned else None
        branch = self._transport.sender("video") if self._transport else None
        if section is None or section.chosen is None or branch is None:
            return
        if self._feed is None:
            made = codecs.sent_as(section.chosen.row, section.chosen.payload.parameters)
            self._feed = VideoFeed(self.context, made, branch.get_by_name("stage"))
        rate = self._rates.rate.limit if self._rates else None
        taken = section.chosen.payload.parameters
        taker = direct.Taker(taken, self._limit_of(section, rate), self.context.quality())
        self._feed.tune(self.view, self._best(section, rate), taker)

    def _best(self, section: PlannedSection, rate: int | None) -> Rung:
        """The main picture that it is sent where the path takes so many bit/s."""
        parameters = section.chosen.payload.parameters if section.chosen else {}
        return rungs.pick(parameters, self._limit_of(section, rate), self.context.quality())

    def _limit_of(self, section: PlannedSection, rate: int | None = None) -> int | None:
        """bit/s of a section; main video and slides that are both sent share half and half (CONF-146, API-109)."""
        total = rungs.share(lower(self._limit, rate), both=self._both)
        return lower(total, section.offered.receive_limit)

    @property
    def _both(self) -> bool:
        """Main video and slides are sent."""
        video, slides = (self._planned.of_role(role) if self._planned else None for role in ("video", "slides"))
        return bool(self._slides_source and video and slides and slides.direction.sends)

    def _feed_slides(self) -> None:
        section = self._planned.of_role("slides") if self._planned else None
        branch = self._transport.sender("slides") if self._transport else None
        if section is None or section.chosen is None or branch is None or self.context.slides is None:
            return
        chosen = section.chosen
        limit = self._limit_of(section, self._rates.rate.limit if self._rates else None)
        taker = Taker(chosen.row, chosen.payload.parameters, limit)
        if self._slides is None:
            self._slides = SlidesFeed(self.context.slides, taker, branch.get_by_name("stage"))
        self._slides.take(taker)
        self._slides.show(self._slides_source if section.direction.sends else "")

    def show_slides(self, source: str) -> None:
        if source != self._slides_source:
            self._slides_source = source
            self._feed_video()
            self._feed_slides()

    def poll(self) -> None:
        if self._transport:
            self._transport.look(self._rates.lost if self._rates else None)
        for feed in self.feeds():
            feed.poll()
        section = self._planned.of_role("video") if self._planned else None
        if section is None or self._rates is None:
            return
        beside = LADDER[0].bitrate if self._both else 0
        now = asyncio.get_running_loop().time()
        if self._rates.poll(now, lambda rate: self._best(section, rate), beside):
            self._feed_video()
            self._feed_slides()

    def need(self, bitrate: int | None) -> None:
        if self._rates and self._transport:
            # what is asked of a browser is of all that it sends
            presenting = bool(self._transport.receivers.numbers(self.presents))
            self._rates.need(None if presenting else bitrate)

    def watch(self, view: str) -> None:
        super().watch(view)
        if self._feed:
            self._feed.tune(view)

    def add_candidate(self, mid: str, candidate: str, ufrag: str) -> None:
        if self._transport:
            self._transport.add_candidate(mid, candidate, ufrag)

    def start(self, *, early: bool = False) -> None:
        del early  # ICE has asked
        self._started = True
        self._apply()

    def hold(self, held: bool) -> None:
        super().hold(held)
        self._apply()

    def feeds(self) -> list[Feed]:
        return [feed for feed in (self._feed, self._slides) if feed]

    @property
    def presents(self) -> str:
        return slides_of(self.id) if self._planned and self._planned.of_role("slides") else ""

    @property
    def receivers(self) -> Receivers | None:
        return self._transport.receivers if self._transport else None

    def slides_bitrate(self) -> float:
        numbers = self._transport.receivers.numbers(self.presents) if self._transport else set[int]()
        received = rtp_statistics.read(self.rtpbin(), 0)[0] if numbers else []
        return sum(one.bitrate for one in received if one.source in numbers)

    def pictures_bitrate(self) -> float:
        slides = self._transport.receivers.numbers(self.presents) if self._transport else set[int]()
        received = rtp_statistics.read(self.rtpbin(), 0)[0] if self._transport else []
        return sum(one.bitrate for one in received if one.source not in slides)

    def request_pictures(self) -> None:
        if self._transport:
            self._transport.receivers.request_pictures()

    async def close(self) -> None:
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        self._quiet(None)
        feed, self._feed = self._feed, None
        slides, self._slides = self._slides, None
        transport, self._transport = self._transport, None
        rates, self._rates = self._rates, None
        if rates:
            rates.close()
        if transport:
            await transport.close()
        for one in (feed, slides):
            if one:
                one.close()

    def _apply(self) -> None:
        """Open or shut what we send by what the client wants; video runs on when held, so it never stagnates."""
        transport = self._transport
        if transport is None or transport.plan is None:
            return
        transport.receivers.muffle(self.held)
        for section in transport.plan.accepted:
            transport.gate(section.role, drop=not self._sends(section))

    def _sends(self, section: PlannedSection) -> bool:
        held = self.held and section.offered.kind != "video"
        return self._started and section.direction.sends and not held

    # ---- the connection's life ----------------------------------------------------------------------------

    def _connection_changed(self, state: str) -> None:
        if state == "connected":
            self._quiet(None)
            self.context.connected(self.id)
            self.request_keyframe()
        elif state in ("failed", "disconnected"):
            self._quiet(self.context.patience)

    def _quiet(self, patience: float | None) -> None:
        """Begin or end waiting for a lost connection to come back."""
        if patience is None:
            if self._silence:
                self._silence.cancel()
            self._silence = None
        elif self._silence is None:
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(patience, self.context.failed, self.id, "the connection is lost")

    def _transport_failed(self, reason: str) -> None:
        self.context.failed(self.id, reason)

    def codecs(self) -> dict[StreamType, str]:
        plan_now = self._transport.plan if self._transport else None
        agreed = plan_now.agreed if plan_now else []
        return {StreamType.of(MediaKind(s.offered.kind), slides=s.slides): chosen.row.name for s, chosen in agreed}

    def carries_slides(self, session: int, source: int) -> bool:
        if self._transport:
            # a source that stopped is no longer known there, but is still counted
            self._slides_numbers |= self._transport.receivers.numbers(self.presents)
        return source in self._slides_numbers

    def sent_slides(self) -> tuple[int, int, float] | None:
        return self._slides.picture if self._slides else None

    def sent_rung(self) -> Rung | None:
        return self._feed.rung if self._feed else None

    def rtpbin(self) -> Any:
        return self._transport.rtpbin() if self._transport else None
