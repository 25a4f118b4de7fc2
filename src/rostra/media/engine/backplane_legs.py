"""Backplane legs: one stream to or from the worker of another node, over one port (RTP and RTCP, SRTP).

Silence is no failure here: a mix that nobody speaks into, a source on hold or one that has ended is simply not sent.
Who set a leg up ends it.
"""

from __future__ import annotations

import abc
import asyncio
from typing import Any, Protocol

import structlog

from rostra.domain.media import CryptoAttribute, MediaKind, StreamType
from rostra.domain.presenting import is_slides
from rostra.environment import Environment
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import backplane, branches, ports, rtp_parts, rtp_statistics, srtp
from rostra.media.engine.leg import Feed, Leg, LegContext
from rostra.media.engine.pipeline import BadPipeline, Pipeline, make
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.renditions import Rendition
from rostra.media.engine.repair import NEAR, Repair
from rostra.media.engine.rungs import Rung
from rostra.media.messages import ReceiveBackplane, SendBackplane

logger = structlog.get_logger("rostra.media")

JITTER = 30
"""Milliseconds of jitter buffer: it takes out reordering; only what is lost waits so long."""
ASKING = 5
"""Polls between requests for a key frame while packets come but no picture."""
_AVPF = 3


class BackplaneLeg(Leg):
    """What both directions have in common: a socket, and a pipeline around an `rtpbin`."""

    def __init__(self, context: LegContext, leg: str, environment: Environment) -> None:
        super().__init__(context, leg)
        self._environment = environment
        self._pipeline: Pipeline | None = None
        self._rtpbin: Any = None
        self._out: list[Any] = []
        self._closing: set[asyncio.Task[None]] = set()
        self.port, self._endpoint = ports.reserve_one(environment.media_ports)

    @property
    @abc.abstractmethod
    def carried(self) -> StreamType:
        """What it carries."""

    @property
    def address(self) -> str:
        """Where the other node finds us."""
        return ports.announced_address(self._environment)

    @abc.abstractmethod
    def connect(self, request: Any) -> None:
        """Do this from now on. Raises BadDescription, BadPipeline."""

    @abc.abstractmethod
    def describe(self) -> dict[str, object]:
        """State for people."""

    def start(self, *, early: bool = False) -> None:
        return

    def request_pictures(self) -> None:
        return

    def rtpbin(self) -> Any:
        return self._rtpbin

    def sent_rung(self) -> Rung | None:
        return None

    def carries_slides(self, session: int, source: int) -> bool:
        return self.carried is StreamType.PRESENTATION

    async def close(self) -> None:
        self._drop()
        await asyncio.gather(*self._closing)
        self._endpoint.close()

    def _begin(self, key_out: CryptoAttribute, key_in: CryptoAttribute) -> tuple[Pipeline, Any, Any]:
        """A new pipeline with its RTP element; what encrypts and decrypts. Raises BadDescription, BadPipeline."""
        pipeline = self._pipeline = Pipeline(f"backplane {self.id}", self._failed)
        self._rtpbin = rtp_parts.steady(pipeline.add(make("rtpbin", "rtp")))
        self._rtpbin.set_property("rtp-profile", _AVPF)
        encoder = srtp.encryption(pipeline, "encrypt", key_out)
        decoder = srtp.Decryption(pipeline, "decrypt", key_in, most=None).element
        rtp_parts.link(
            rtp_parts.source(pipeline, "in", self._endpoint, "application/x-srtp"), "src", decoder, "rtp_sink"
        )
        return pipeline, encoder, decoder

    def _output(self, pipeline: Pipeline, kind: str, encoder: Any) -> None:
        """Packets of the session out: `rtp` or `rtcp`."""
        made = self._rtpbin.get_static_pad(f"send_{kind}_src_0") or self._rtpbin.request_pad_simple(
            f"send_{kind}_src_0"
        )
        rtp_parts.join(made, encoder.request_pad_simple(f"{kind}_sink_0"))
        out = rtp_parts.sink(pipeline, f"{kind}-out", self._endpoint)
        rtp_parts.link(encoder, f"{kind}_src_0", out, "sink")
        self._out.append(out)

    def _aim(self, address: str, port: int) -> None:
        """Send there from now on."""
        for out in self._out:
            out.set_property("host", address)
            out.set_property("port", port)

    def _drop(self) -> None:
        """Let go of the pipeline; it ends by itself."""
        pipeline, self._pipeline = self._pipeline, None
        self._rtpbin = None
        self._out.clear()
        if pipeline:
            task = asyncio.get_running_loop().create_task(pipeline.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _failed(self, reason: str) -> None:
        self.context.failed(self.id, reason)

    def _bitrate(self, *, sending: bool) -> float:
        received, sent = rtp_statistics.read(self._rtpbin, 0)
        return sum(one.bitrate for one in (sent if sending else received))


class BackplaneReceiver(BackplaneLeg):
    """A stream that comes: on the stage as `source`, and its pictures on a channel to be passed on."""

    def __init__(self, context: LegContext, environment: Environment, request: ReceiveBackplane) -> None:
        super().__init__(context, request.leg, environment)
        self.request = request
        self._receivers: Receivers | None = None
        self._repair: Repair | None = None
        self._counted: dict[int, int] = {}
        self._from: tuple[str, int] | None = None
        self._polls = 0

    @property
    def carried(self) -> StreamType:
        return StreamType.of(self.request.kind, slides=is_slides(self.request.source))

    @property
    def shows(self) -> str:
        return self.request.source if self.request.kind is MediaKind.VIDEO else ""

    @property
    def receivers(self) -> Receivers | None:
        return self._receivers

    def pictures_bitrate(self) -> float:
        return self._bitrate(sending=False)

    def slides_bitrate(self) -> float:
        return self._bitrate(sending=False)

    def connect(self, request: ReceiveBackplane) -> None:
        """Receive this from now on; nothing changes when it is what we do. Raises BadDescription, BadPipeline."""
        if self._pipeline and request == self.request:
            return
        srtp.check(request.key_in, request.key_out)
        self._drop()
        self.request = request
        try:
            self._build(request)
        except BadPipeline:
            self._drop()  # half of it must not pass for all of it when the request is repeated
            raise

    def _build(self, request: ReceiveBackplane) -> None:
        pipeline, encoder, decoder = self._begin(request.key_out, request.key_in)
        receivers = self._receivers = Receivers(request.source, pipeline, request.quality, prompt=True)
        element, known = self._rtpbin, rtp_parts.between_nodes(request.kind)
        if request.kind is MediaKind.VIDEO:
            self._repair = Repair(element, receivers.hold, (0,), round_trip=NEAR)
        element.set_property("latency", JITTER)
        element.set_property("do-lost", True)
        element.set_property("autoremove", True)
        element.connect("request-pt-map", lambda _, __, number: known.get(number))
        element.connect("pad-added", lambda _, pad: _is_media(pad) and receivers.attach(pad))
        element.connect("pad-removed", lambda _, pad: _is_media(pad) and receivers.detach(pad))
        for part in ("rtp", "rtcp"):
            rtp_parts.join(decoder.get_static_pad(f"{part}_src"), element.request_pad_simple(f"recv_{part}_sink_0"))
        self._output(pipeline, "rtcp", encoder)
        pipeline.play()

    def request_pictures(self) -> None:
        if self._receivers:
            self._receivers.request_pictures()

    def poll(self) -> None:
        """Answer to where packets really come from; ask for a key frame while no picture comes of them."""
        if self._pipeline is None:
            return
        if self._repair:
            self._repair.look(tuple)
        self._polls += 1
        if self._from and self._polls % ASKING:
            return
        live = [one for one in rtp_statistics.read(self._rtpbin, 0)[0] if one.packets != self._counted.get(one.source)]
        for one in live:
            self._counted[one.source] = one.packets
        found = next((one.address for one in live if one.address), None)
        if found and found != self._from:
            self._from = found
            self._aim(*found)
            self._polls = 0
        if found and self.shows and self.shows not in self.context.pictures():
            self.request_pictures()

    def codecs(self) -> dict[StreamType, str]:
        row = self.arriving() if self.request.kind is MediaKind.VIDEO else backplane.SOUND
        return {self.carried: row.name} if row else {}

    def describe(self) -> dict[str, object]:
        request, row = self.request, self.arriving()
        return {
            "leg": self.id,
            "direction": "in",
            "kind": str(request.kind),
            "source": request.source,
            "quality": str(request.quality),
            "codec": row.name if row else "",
            "from": f"{self._from[0]}:{self._from[1]}" if self._from else "",
            "bitrate": self._bitrate(sending=False),
        }

    def _drop(self) -> None:
        if self._receivers:
            self._receivers.clear()
        if self._repair:
            self._repair.close()
        self._receivers = self._repair = None
        self._from = None
        self._counted.clear()
        super()._drop()


class Supply(Protocol):
    """Where senders get from what they send."""

    def way(self, request: SendBackplane) -> backplane.Way: ...
    def encoder(self, way: backplane.Encode) -> Rendition: ...
    def release(self, rendition: Rendition) -> None: ...


class BackplaneSender(BackplaneLeg):
    """A stream that goes: what is on a channel, whether it came like that or is encoded here for all who want it."""

    def __init__(
        self,
        context: LegContext,
        environment: Environment,
        request: SendBackplane,
        supply: Supply,
    ) -> None:
        super().__init__(context, request.leg, environment)
        self.request = request
        self._supply = supply
        self._way: backplane.Way = None
        self._row: CodecRow | None = None
        self._branch: Any = None
        self._rendition: Rendition | None = None

    @property
    def carried(self) -> StreamType:
        return StreamType.of(self.request.kind, slides=is_slides(self.request.source))

    @property
    def shows(self) -> str:
        return ""

    def connect(self, request: SendBackplane) -> None:
        """Send this from now on; nothing changes when it is what we do. Raises BadDescription, BadPipeline."""
        srtp.check(request.key_in, request.key_out)
        before, self.request = self.request, request
        if (before.key_out, before.key_in) != (request.key_out, request.key_in):
            self._drop()
            self._way = None
        self._aim(request.address, request.port)
        self._follow()

    def watch(self, view: str) -> None:
        """What is composed has changed: a mix may be another."""
        self.poll()

    def poll(self) -> None:
        """Follow the source: it may come, go, or change its codec or size."""
        try:
            self._follow()
        except BadPipeline as problem:
            self._failed(str(problem))

    def _follow(self) -> None:
        way = self._supply.way(self.request)
        if way == self._way:
            return
        previous, self._rendition = self._rendition, None
        if isinstance(way, backplane.Encode):
            self._rendition = self._supply.encoder(way)
            channel = self._rendition.channel
        else:
            channel = way.channel if way else ""
        if way and way.row is not self._row:
            self._drop()
            self._build(way.row)
        if self._branch:
            self._branch.get_by_name("stage").set_property("channel", channel)
        self._way = way
        if previous:
            self._supply.release(previous)

    def _build(self, row: CodecRow) -> None:
        request = self.request
        pipeline, encoder, decoder = self._begin(request.key_out, request.key_in)
        branch = self._branch = pipeline.add(branches.send_channel(row, backplane.PAYLOAD_TYPES[row.name], "send"))
        branch.get_by_name("gate").set_property("drop", False)
        again = pipeline.add(make("rostraagain", "again"))
        rtp_parts.link(branch, "src", again, "sink")
        rtp_parts.link(again, "src", self._rtpbin, "send_rtp_sink_0")
        self._output(pipeline, "rtp", encoder)
        self._output(pipeline, "rtcp", encoder)
        rtp_parts.join(decoder.get_static_pad("rtcp_src"), self._rtpbin.request_pad_simple("recv_rtcp_sink_0"))
        unwanted = pipeline.add(branches.discard("unwanted"))
        rtp_parts.link(decoder, "rtp_src", unwanted, "sink")
        self._aim(request.address, request.port)
        self._row = row
        pipeline.play()

    def codecs(self) -> dict[StreamType, str]:
        return {self.carried: self._row.name} if self._row else {}

    def sent_rung(self) -> Rung | None:
        return None if self.carried is StreamType.PRESENTATION else self._rung()

    def sent_slides(self) -> tuple[int, int, float] | None:
        rung = self._rung() if self.carried is StreamType.PRESENTATION else None
        return (rung.width, rung.height, float(rung.frame_rate)) if rung else None

    def _rung(self) -> Rung | None:
        return self._way.rung if isinstance(self._way, backplane.Encode) else None

    @property
    def channel(self) -> str:
        return self._branch.get_by_name("stage").get_property("channel") if self._branch else ""

    @property
    def forwards(self) -> str:
        return self.request.source if isinstance(self._way, backplane.Forward) else ""

    def feeds(self) -> list[Feed]:
        return [self] if self._way else []

    def request_keyframe(self) -> None:
        return

    def describe(self) -> dict[str, object]:
        request, way = self.request, self._way
        return {
            "leg": self.id,
            "direction": "out",
            "kind": str(request.kind),
            "source": request.source,
            "quality": str(request.quality),
            "codec": way.row.name if way else "",
            "to": f"{request.address}:{request.port}",
            "way": type(way).__name__.lower() if way else "quiet",
            "channel": self.channel,
            "bitrate": self._bitrate(sending=True),
        }

    async def close(self) -> None:
        rendition, self._rendition = self._rendition, None
        await super().close()
        if rendition:
            self._supply.release(rendition)

    def _drop(self) -> None:
        self._row = self._branch = None
        super()._drop()


def _is_media(pad: Any) -> bool:
    return pad.get_name().startswith("recv_rtp_src_")
