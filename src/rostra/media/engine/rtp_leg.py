"""An RTP leg (SIP, H.323): keeps the sockets, follows each agreement, and latches onto the real far end."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from rostra.domain import camera
from rostra.domain.camera import CameraCommand
from rostra.domain.ice import IceSide
from rostra.domain.media import Content, MediaDescription, MediaKind, StreamType
from rostra.domain.presenting import slides_of
from rostra.environment import Environment
from rostra.media import codecs
from rostra.media.engine import direct, dtmf, ports, rtp_rates, rungs
from rostra.media.engine.consent import Consent
from rostra.media.engine.ice import Agent
from rostra.media.engine.leg import Feed, Leg, LegContext
from rostra.media.engine.ports import PortPair
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.rtp_parts import DISCARD, NOWHERE, NOWHERE_6
from rostra.media.engine.rtp_rates import RtpRates
from rostra.media.engine.rtp_statistics import Received
from rostra.media.engine.rtp_streams import Stream, pair_index, plain, reports_port, usable
from rostra.media.engine.rtp_transport import RtpTransport
from rostra.media.engine.rtp_wires import Wire, wire
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.slides import SlidesFeed, Taker
from rostra.media.engine.video_feed import VideoFeed
from rostra.media.messages import ReserveIce

logger = structlog.get_logger("rostra.media")

ASKING = 2.0
"""Seconds between requests for a key frame by signalling."""


class RtpLeg(Leg):
    """One SIP or H.323 system."""

    def __init__(self, context: LegContext, leg: str, environment: Environment) -> None:
        super().__init__(context, leg)
        self._environment = environment
        self._pairs: list[PortPair] = []
        self._transport: RtpTransport | None = None
        self._streams: dict[int, Stream] = {}
        self._feed: VideoFeed | None = None
        self._slides: SlidesFeed | None = None
        self._slides_source = ""
        self._rates = RtpRates(leg)
        self.sending = self._rates.rate
        self._remote: MediaDescription | None = None
        self._started = self._connected = False
        self._packets, self._heard, self._looked = 0, 0.0, 0.0
        self._asked = 0, -ASKING
        """Packets that had come when its signalling was last asked for a key frame, and when that was."""
        self._presses, self._consent = dtmf.Presses(), Consent()
        self._agent: Agent | None = None

    async def reserve(self, kinds: tuple[MediaKind, ...], *, ipv6: bool = False) -> tuple[str, tuple[int, ...]]:
        """A port pair for each stream; those of earlier streams are kept. Raises OutOfPorts."""
        if any(pair.ipv6 != ipv6 for pair in self._pairs):
            await self._drop()
            self._give_up()
        while len(self._pairs) < len(kinds):
            self._pairs.append(ports.reserve(self._environment.media_ports, ipv6=ipv6))
        return ports.announced_address(self._environment, ipv6=ipv6), tuple(
            pair.port for pair in self._pairs[: len(kinds)]
        )

    async def reserve_ice(self, request: ReserveIce) -> tuple[IceSide, ...]:
        """What we state of ICE for each stream. Raises OutOfPorts."""
        if self._agent is None:
            announced = ports.announced_address(self._environment)
            self._agent = Agent(
                self.id, self._environment.media_ports, request.servers,
                controlling=request.controlling, announced=announced, changed=self._follow_consent,
            )  # fmt: skip
        return await self._agent.reserve(request.components, request.generation)

    async def connect(self, local: MediaDescription, remote: MediaDescription, proved: str | None = None) -> None:
        """Run what was agreed, see `messages.ConnectRtp`. Raises BadDescription, BadPipeline."""
        if len(local.streams) != len(remote.streams):
            raise BadDescription("the sides have different streams")
        self._consent.told(proved)
        streams, wires = self._agreed(local, remote)
        fresh = self._transport is None or self._transport.wires != wires
        transport = await self._rebuild(wires) if fresh or self._transport is None else self._transport
        self._retarget(transport, streams, fresh=fresh)
        if fresh:
            transport.play()
        self._tune(remote)
        self._apply()
        self._heard = asyncio.get_running_loop().time()

    def _limit(self, content: Content, rate: int | None) -> int | None:
        """bit/s of a picture where its path takes `rate`."""
        transport, remote = self._transport, self._remote
        if transport is None or remote is None:
            return None
        pictures = [w for w in transport.wires if w.kind is MediaKind.VIDEO]
        both = bool(self._slides_source) and any(self._streams[w.index].sends for w in pictures if w.slides)
        asked = [transport.rates.limit(w.index) for w in pictures if w.slides is (content is Content.SLIDES)]
        return rtp_rates.limit(remote, content, [rate, *asked], both=both)

    def _best(self, video: Wire, rate: int | None) -> Rung:
        """The main picture that it is sent where its path takes so many bit/s of it."""
        taken, limit = video.send.parameters, self._limit(Content.MAIN, rate)
        return rungs.pick(taken, limit, self.context.quality(), video.row.sizes(taken))

    @property
    def _main(self) -> Wire | None:
        wires = self._transport.wires if self._transport else ()
        return next((w for w in wires if w.kind is MediaKind.VIDEO and not w.slides), None)

    def _tune_slides(self, transport: RtpTransport) -> None:
        found = next((w for w in transport.wires if w.slides), None)
        if found is None or self.context.slides is None:
            return
        limit = self._limit(Content.SLIDES, self._rates.limit)
        taker = Taker(found.row, found.send.parameters, limit, shaped=True)
        if self._slides is None:
            self._slides = SlidesFeed(self.context.slides, taker, transport.subscriber(found.index))
        self._slides.take(taker)
        self._slides.show(self._slides_source)

    def show_slides(self, source: str) -> None:
        if source != self._slides_source:
            self._slides_source = source
            if self._transport and self._remote:
                self._tune(self._remote)

    @property
    def presents(self) -> str:
        return slides_of(self.id) if self._transport and any(w.slides for w in self._transport.wires) else ""

    def slides_bitrate(self) -> float:
        return self._arriving_bitrate(slides=True)

    def pictures_bitrate(self) -> float:
        return self._arriving_bitrate(slides=False)

    def _arriving_bitrate(self, *, slides: bool) -> float:
        transport = self._transport
        found = [w.index for w in transport.wires if w.slides is slides] if transport else []
        return sum(one.bitrate for index in found if transport for one in transport.received(index))

    def need(self, bitrate: int | None) -> None:
        if self._transport and (main := self._main):
            self._transport.rates.need(main.index, bitrate)

    def _agreed(self, local: MediaDescription, remote: MediaDescription) -> tuple[dict[int, Stream], tuple[Wire, ...]]:
        streams: dict[int, Stream] = {}
        wires: list[Wire] = []
        index = -1
        for ours, theirs in zip(local.streams, remote.streams, strict=True):
            if ours.refused or not ours.codecs:
                continue
            index = pair_index(self._pairs, ours, index + 1)
            found = wire(index, ours, theirs)
            if found is None:
                continue
            wires.append(found)
            address = plain(theirs.address or remote.address)
            if found.ice and theirs.ice is not None:
                self._find_way(index, theirs.ice)
            streams[index] = Stream(
                picture=found.kind is MediaKind.VIDEO,
                checked=found.ice,
                sends=ours.direction.sends and theirs.direction.receives and (found.ice or self._usable(address)),
                receives=ours.direction.receives and theirs.direction.sends and found.kind is not MediaKind.APPLICATION,
                address=address,
                port=theirs.port,
                rtcp_port=theirs.rtcp_port or (theirs.port if found.mux else theirs.port + 1),
            )
        if all(one.kind is MediaKind.APPLICATION for one in wires):
            raise BadDescription("no stream carries anything")
        return streams, tuple(wires)

    def _find_way(self, index: int, theirs: IceSide) -> None:
        if self._agent is None:
            raise BadDescription("no ICE was reserved")
        self._agent.connect(index, theirs)

    def _usable(self, address: str) -> bool:
        """Of the version of our ports."""
        return usable(address) and (":" in address) == any(pair.ipv6 for pair in self._pairs)

    async def _rebuild(self, wires: tuple[Wire, ...]) -> RtpTransport:
        rollovers = self._transport.rollovers if self._transport else None
        await self._drop()
        self._packets = 0
        self._transport = RtpTransport(
            self.id, wires, self._pairs, lambda reason: self.context.failed(self.id, reason),
            lambda digit: self.context.digit(self.id, digit), self._framed, self._agent, rollovers,
        )  # fmt: skip
        return self._transport

    def _retarget(self, transport: RtpTransport, streams: dict[int, Stream], *, fresh: bool) -> None:
        """Send where the far end says, unless it was found elsewhere and says nothing new."""
        for index, stream in streams.items():
            before = self._streams.get(index)
            if before and not fresh and (before.address, before.port) == (stream.address, stream.port):
                stream.latched = before.latched
            elif self._usable(stream.address):
                transport.send_to(index, stream.address, stream.port, stream.rtcp_port)
            else:
                nowhere = NOWHERE_6 if any(pair.ipv6 for pair in self._pairs) else NOWHERE
                transport.send_to(index, nowhere, DISCARD, DISCARD)
        self._streams = streams

    def _tune(self, remote: MediaDescription) -> None:
        transport = self._transport
        if transport is None:
            return
        self._remote = remote
        self._tune_slides(transport)
        video = self._main
        if video is None:
            return
        if self._feed is None:
            made = codecs.sent_as(video.row, video.send.parameters)
            self._feed = VideoFeed(self.context, made, transport.subscriber(video.index))
        limit = self._limit(Content.MAIN, self._rates.limit)
        taker = direct.Taker(video.send.parameters, limit, self.context.quality())
        self._feed.tune(self.view, self._best(video, self._rates.limit), taker)

    def watch(self, view: str) -> None:
        super().watch(view)
        if self._feed:
            self._feed.tune(view)

    def start(self, *, early: bool = False) -> None:
        self._started, self._consent.early = True, early
        self._heard = asyncio.get_running_loop().time()
        self._follow_consent()

    def hold(self, held: bool) -> None:
        super().hold(held)
        self._apply()

    def feeds(self) -> list[Feed]:
        return [feed for feed in (self._feed, self._slides) if feed]

    @property
    def receivers(self) -> Receivers | None:
        return self._transport.receivers if self._transport else None

    def request_pictures(self) -> None:
        transport = self._transport
        if transport is None:
            return
        transport.receivers.request_pictures()
        deaf = [w.index for w in transport.wires if w.kind is MediaKind.VIDEO and not w.asks]
        came = sum(source.packets for index in deaf for source in transport.received(index))
        now = asyncio.get_running_loop().time()
        if came != self._asked[0] and now - self._asked[1] >= ASKING:
            self._asked = came, now
            self.context.picture_wanted(self.id)

    def send_dtmf(self, digits: str) -> None:
        source = self._transport.keys() if self._transport else None
        if source is None:
            logger.info("No telephone events on this leg", leg=self.id)
            return
        self._presses.press(source, digits)

    def _framed(self, frame: bytes) -> None:
        command = camera.command(frame)
        if command is not None and not self.held:
            self.context.camera(self.id, command)
        elif camera.asks_for_clients(frame) and self._transport:
            self._transport.send_frame(camera.CLIENTS)

    def move_camera(self, command: CameraCommand) -> None:
        if self._transport is None or not self._transport.send_frame(camera.frame(command)):
            logger.info("No way to move the camera of this leg", leg=self.id)

    def poll(self) -> None:
        """Latch, notice the first packet and a far end that went silent; called a few times a second."""
        if (transport := self._transport) is None:
            return
        transport.follow()
        for feed in self.feeds():
            feed.poll()
        now = asyncio.get_running_loop().time()
        changed = transport.rates.poll(now, transport.received)
        if main := self._main:
            changed |= self._rates.poll(now, transport, main.index, lambda rate: self._best(main, rate))
        if changed and self._remote:
            self._tune(self._remote)
        settled = self._connected and all(one.latched or not one.receives for one in self._streams.values())
        if not settled or now - self._looked >= rtp_rates.COUNTING:
            self._looked = now
            self._look(transport, now)
        self._follow_consent()

    def _look(self, transport: RtpTransport, now: float) -> None:
        """At what has come, and from where."""
        total = transport.reports
        for index, stream in self._streams.items():
            sources = transport.received(index)
            total += sum(source.packets for source in sources)
            if not stream.latched:
                self._latch(transport, index, stream, sources)
        if total != self._packets:
            self._packets, self._heard = total, now
            for host in set[str]().union(*(transport.hosts(index) for index in self._streams)):
                self._consent.heard(host, now)
            if not self._connected and total > transport.reports:
                self._connected = True
                self.context.connected(self.id)
        expecting = self._started and not self.held and any(stream.receives for stream in self._streams.values())
        if not expecting:
            self._heard = now
        elif now - self._heard > self.context.patience:
            self._heard = now
            self.context.failed(self.id, f"no media for {self.context.patience:g} s")

    def _follow_consent(self) -> None:
        """Send where that is wanted by now, pictures from a key frame on."""
        before = [stream.allowed for stream in self._streams.values()]
        self._apply()
        if [stream.allowed for stream in self._streams.values()] != before:
            self.request_keyframe()

    def _allowed(self, index: int, stream: Stream, transport: RtpTransport, now: float) -> bool:
        if not (self._started and stream.sends):
            return True
        if stream.checked:
            return self._agent is not None and self._agent.ready(index)
        return self._consent.allows(transport.destination(index)[0], now, picture=stream.picture)

    def _latch(self, transport: RtpTransport, index: int, stream: Stream, sources: list[Received]) -> None:
        """Send to where valid media really comes from (RFC 4961): far ends behind NAT announce other addresses."""
        if stream.checked:
            if sources:  # the far end has found its way as well; what was sent before is lost to it
                stream.latched = True
                self.request_keyframe()
            return
        address, port = next((source.address for source in reversed(sources) if source.address), ("", 0))
        if not address:
            return
        stream.latched = True
        if (address, port) != transport.destination(index):
            logger.info("Media comes from elsewhere than announced", leg=self.id, address=address, port=port)
            transport.send_to(index, address, port, reports_port(stream, address, port))
        self._apply()

    def _apply(self) -> None:
        if self._transport is None:
            return
        now = asyncio.get_running_loop().time()
        for index, stream in self._streams.items():
            stream.allowed = self._allowed(index, stream, self._transport, now)
            self._transport.gate(index, drop=not (self._started and stream.sends and stream.allowed and not self.held))
        self._transport.muffle(self.held)

    async def _drop(self) -> None:
        self._presses.cancel()
        transport, self._transport = self._transport, None
        feed, slides, self._feed, self._slides = self._feed, self._slides, None, None
        if transport:
            await transport.close()
            if self._agent:
                self._agent.attend()
        for one in filter(None, (feed, slides)):
            one.close()

    async def close(self) -> None:
        await self._drop()
        self._give_up()
        if self._agent:
            self._agent.close()
        self._agent = None

    def _give_up(self) -> None:
        for pair in self._pairs:
            pair.close()
        self._pairs.clear()

    def codecs(self) -> dict[StreamType, str]:
        wires = [w for w in self._transport.wires if w.row.encoder] if self._transport else ()
        return {StreamType.of(one.kind, slides=one.slides): one.send.name for one in wires}

    def carries_slides(self, session: int, source: int) -> bool:
        """Each stream has a session of its own."""
        return any(w.slides and w.index == session for w in self._transport.wires) if self._transport else False

    def sent_slides(self) -> tuple[int, int, float] | None:
        return self._slides.picture if self._slides else None

    def sent_rung(self) -> Rung | None:
        return self._feed.rung if self._feed else None

    def rtpbin(self) -> Any:
        return self._transport.sessions if self._transport else None
