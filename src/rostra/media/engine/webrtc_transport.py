"""One WebRTC connection: a pipeline around `webrtcbin`, from an offer to encrypted media.

The element sees only the accepted sections (`webrtc_answer.inner_offer`). When the client restarts ICE, the
leg makes a new transport; this one only follows offers with the same credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import structlog

from rostra.domain.ice import NO_SERVERS, IceServers, usable_candidate
from rostra.domain.presenting import slides_of
from rostra.environment import PortRange
from rostra.media import certificate
from rostra.media.engine import branches, dtls, feedback, guard, rtp_parts, rtp_statistics
from rostra.media.engine.gst import Gst, GstSdp, GstWebRTC
from rostra.media.engine.ice import missing, resolved
from rostra.media.engine.pipeline import BadPipeline, Pipeline, elements_with, make
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.redundancy import Redundancy
from rostra.media.engine.repair import Repair
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.webrtc_answer import (
    TRANSPORT_WIDE,
    inner_offer,
    repeats,
    sources,
    transport_wide_number,
    with_repeats,
)
from rostra.media.engine.webrtc_plan import Chosen, Plan, PlannedSection
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.media")

JITTER = 60
"""Milliseconds of jitter buffer."""
DOUBLING = 1.0
"""Seconds between two looks at whether sound is to go out twice."""
AGAIN = 1_000_000.0
"""bit/s at which what got lost is sent again, until somebody knows better."""
GATHERING = 1.0
NEGOTIATION = 5.0
"""Seconds gathering candidates and each negotiation step may take."""

_gobject = ctypes.CDLL("libgobject-2.0.so.0")

Change = Callable[[str], None]


def _limit_ports(element: Any, ports: PortRange) -> None:
    """Let ICE use only these ports.

    The element (1.22) hands its agent out with a floating reference, which Python takes and later drops as if it
    were its own: the agent would be freed under the element. An extra reference makes up for it.
    """
    agent = element.get_property("ice-agent")
    _gobject.g_object_ref(ctypes.c_void_p(hash(agent)))
    agent.set_property("min-rtp-port", ports.low)
    agent.set_property("max-rtp-port", ports.high)
    agent.get_property("agent").set_property("upnp", False)  # asking routers is not ours to do


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


class WebRtcTransport:
    """One ICE and DTLS association with its media branches."""

    def __init__(
        self, leg: str, ports: PortRange, on_state: Change, on_error: Change, servers: IceServers = NO_SERVERS
    ) -> None:
        self.leg = leg
        self.plan: Plan | None = None
        self._loop = asyncio.get_running_loop()
        self._on_state = on_state
        self._on_error = on_error
        self._servers = servers
        self._pipeline = Pipeline(f"leg {leg}", on_error)
        self._gathered = asyncio.Event()
        self._senders: dict[str, Any] = {}
        self._repeaters: list[Any] = []
        self._again = AGAIN
        self._ways: list[Any] = []
        """Pads that packets of the far end come by."""
        self._repeats: dict[str, str] = {}
        """RTP sources of retransmissions, by what they repeat: the same for the connection's life."""
        self.receivers = Receivers(leg, self._pipeline, shown_as=self._shown_as)
        self._closed = False
        self._certificate = certificate.make()
        self._associations = {"dtlssrtpdec": itertools.count(), "dtlssrtpenc": itertools.count()}
        self.element: Any = make("webrtcbin", "transport")
        self.element.set_property("latency", JITTER)
        _limit_ports(self.element, ports)
        self._handlers = [
            self.element.connect("deep-element-added", self._element_added),
            self.element.connect("pad-added", self._pad_added),
            self.element.connect("pad-removed", self._pad_removed),
            self.element.connect("notify::ice-gathering-state", self._gathering_changed),
            self.element.connect("notify::connection-state", self._connection_changed),
        ]
        self._redundancy, self._doubled = Redundancy(), float("-inf")
        self._repair = Repair(rtp_parts.steady(self.element.get_by_name("rtpbin")), self.receivers.hold)
        self._pipeline.add(self.element)

    def follows(self, plan: Plan, *, answered: bool = False) -> bool:
        """Whether a new offer continues this connection: same credentials, no new section or codec.

        `answered`: it answers our last description, and so is of this connection with any credentials.
        """
        if self.plan is None or plan.bundled != self.plan.bundled:
            return False
        shape = [(section.mid, chosen.payload) for section, chosen in plan.agreed]
        mine = [(section.mid, chosen.payload) for section, chosen in self.plan.agreed]
        return shape == mine and (answered or plan.credentials() == self.plan.credentials())

    async def negotiate(self, plan: Plan) -> str:
        """Take an offer; returns the element's own complete answer. Raises BadDescription or BadPipeline."""
        first = self.plan is None
        if first:
            policy = GstWebRTC.WebRTCBundlePolicy
            self.element.set_property("bundle-policy", policy.MAX_BUNDLE if plan.bundled else policy.NONE)
            for section, chosen in plan.agreed:
                self._add_sender(section, chosen)
            await self._use_servers()
            self._pipeline.play()
        self.plan = plan
        result, message = GstSdp.SDPMessage.new_from_text(inner_offer(plan))
        if result != GstSdp.SDPResult.OK:
            raise BadDescription("GStreamer cannot read it")
        offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message)
        await self._ask("set-remote-description", offer)
        reply = await self._ask("create-answer", None)
        answer = reply.get_value("answer") if reply and reply.has_field("answer") else None
        if answer is None:
            raise BadDescription("no answer can be made for it")
        await self._ask("set-local-description", answer)
        if first:
            with contextlib.suppress(TimeoutError):
                await in_time(self._gathered.wait(), GATHERING)
        text: str = self.element.get_property("local-description").sdp.as_text()
        if first:
            lines = [line.strip() for line in text.splitlines()]
            missing(self.leg, self._servers, [line[12:] for line in lines if line.startswith("a=candidate:")])
        return self._keep_repeats(text)

    async def _use_servers(self) -> None:
        """STUN and TURN servers, before candidates are gathered."""
        stun, turn = await resolved(self._servers)
        if stun is not None:
            self.element.set_property("stun-server", f"stun://{_bracketed(stun.address)}:{stun.port}")
        if turn is not None:
            who = f"{quote(turn.username, safe='')}:{quote(turn.password, safe='')}"
            self.element.set_property("turn-server", f"turn://{who}@{_bracketed(turn.address)}:{turn.port}")

    def _keep_repeats(self, text: str) -> str:
        """Stay with the numbers of the first answer, in what is said and in what is sent."""
        self._repeats = self._repeats or repeats(text)
        members = "".join(f",{stream}=(uint){repeat}" for stream, repeat in self._repeats.items())
        for repeater in self._repeaters:
            numbers, _ = Gst.Structure.from_string(f"application/x-rtp-ssrc-map{members}")
            repeater.set_property("ssrc-map", numbers)
        said = with_repeats(text, self._repeats)
        for way, source in itertools.product(self._ways, sources(said)):
            guard.own(way, source)
        return said

    @property
    def fingerprint(self) -> str:
        """What the client will see of us; the element would state the certificate it was made with."""
        return self._certificate.fingerprint

    def sender(self, kind: str) -> Any:
        """The sending branch of `audio`, `video` or `slides`, or None."""
        return self._senders.get(kind)

    def add_candidate(self, mid: str, candidate: str, ufrag: str) -> None:
        """A trickled candidate; what we cannot use is ignored."""
        text = candidate.removeprefix("a=").removeprefix("candidate:")
        if self.plan is None or not usable_candidate(text):
            return
        if ufrag and ufrag not in self.plan.credentials():
            return
        index = self.plan.inner_index(mid)
        if index is not None and not self._closed:
            self.element.emit("add-ice-candidate", index, f"candidate:{text}")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for handler in self._handlers:
            self.element.disconnect(handler)
        self._repair.close()
        await self._pipeline.close()
        self._senders.clear()
        self._repeaters.clear()
        self._ways.clear()
        self.receivers.clear()
        self.element = None

    # ---- building -----------------------------------------------------------------------------------------

    def _add_sender(self, section: PlannedSection, chosen: Chosen) -> None:
        row, number, kind = chosen.row, chosen.payload.number, section.role
        if kind in ("video", "slides"):
            made = branches.send_channel(row, number, f"send-{kind}")
        else:
            redundancy = chosen.redundancy.number if chosen.redundancy else None
            made = branches.send_audio(row, number, self.leg, "send-audio", redundancy=redundancy)
        self._pipeline.add(made)
        caps = made.get_by_name("caps").get_property("caps")
        template = self.element.get_pad_template("sink_%u")
        pad = self.element.request_pad(template, f"sink_{section.inner}", caps)
        if pad is None or made.get_static_pad("src").link(pad) != Gst.PadLinkReturn.OK:
            raise BadPipeline(f"{kind} cannot be joined to the transport")
        transceiver = pad.get_property("transceiver")
        transceiver.set_property("do-nack", chosen.retransmission is not None)
        number = transport_wide_number(section.offered)
        if number is not None:
            # the element forgets offered extensions that its preferences do not name; without this one no feedback
            # is sent, and a browser without feedback sends less and less
            preferred = caps.copy()
            preferred.set_value(f"extmap-{number}", TRANSPORT_WIDE)
            transceiver.set_property("codec-preferences", preferred)
        self._senders[kind] = made

    async def _ask(self, signal: str, argument: Any) -> Any:
        """Emit one of the element's signals that answer by a promise."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def finish(reply: Any) -> None:
            if not future.done():
                future.set_result(reply)

        def changed(promise: Any, *_: Any) -> None:
            reply = promise.get_reply() if promise.wait() == Gst.PromiseResult.REPLIED else None
            self._loop.call_soon_threadsafe(finish, reply)

        self.element.emit(signal, argument, Gst.Promise.new_with_change_func(changed))
        try:
            reply = await in_time(future, NEGOTIATION)
        except TimeoutError:
            raise BadDescription(f"{signal} does not end") from None
        if reply is not None and reply.has_field("error"):
            raise BadDescription(f"{signal}: {reply.get_value('error').message}")
        return reply

    # ---- told by the element, in its threads --------------------------------------------------------------

    def _element_added(self, _: Any, __: Any, element: Any) -> None:
        """Give each DTLS association the connection's certificate, and know what retransmits and what is doubled.

        The elements have made their association by now, with the certificate of the process; another
        association id makes them begin anew with ours. Decoder and encoder of one come in the same order.
        """
        factory = element.get_factory()
        kind = factory.get_name() if factory else ""
        if kind in self._associations:
            if kind == "dtlssrtpdec":
                element.set_property("pem", self._certificate.pem)
                element.connect("notify::peer-pem", self._introduced)
                guard.count_sources(element.get_static_pad("rtp_src"), guard.SOURCES)
            element.set_property("connection-id", f"{id(self)}-{next(self._associations[kind])}")
        elif kind == "nicesrc":
            self._ways.append(element.get_static_pad("src"))
            guard.put(self._ways[-1])
        elif kind == "rtprtxsend":
            self._repeaters.append(element)
            feedback.limit_repeats(element.get_static_pad("src"), self._again)
        elif kind == "rtpreddec":
            doubled = [chosen.redundancy for _, chosen in self.plan.agreed if chosen.redundancy] if self.plan else []
            element.set_property("pt", doubled[0].number if doubled else -1)
            feedback.pass_restored(element.get_static_pad("src"))

    def _introduced(self, element: Any, _: Any) -> None:
        """The far end has shown its certificate: one that it has not named ends the connection (RFC 8827 6.5)."""
        pem, plan = element.get_property("peer-pem"), self.plan
        if not pem or plan is None or any(dtls.matches(pem, named) for named in plan.fingerprints()):
            return
        element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, lambda *_: Gst.PadProbeReturn.DROP)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_error, "the far end's certificate is not the one it named")

    def _pad_added(self, _: Any, pad: Any) -> None:
        if pad.get_direction() == Gst.PadDirection.SRC and not self._closed:
            self.receivers.attach(pad)

    def _shown_as(self, pad: Any) -> str:
        """Slides are another source than the camera beside them."""
        transceiver, plan = pad.get_property("transceiver"), self.plan
        line = transceiver.get_property("mlineindex") if transceiver else -1
        sections = plan.accepted if plan else []
        return slides_of(self.leg) if 0 <= line < len(sections) and sections[line].slides else self.leg

    def _pad_removed(self, _: Any, pad: Any) -> None:
        self.receivers.detach(pad)

    def _gathering_changed(self, element: Any, _: Any) -> None:
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self._loop.call_soon_threadsafe(self._gathered.set)

    def _connection_changed(self, element: Any, _: Any) -> None:
        state = element.get_property("connection-state").value_nick
        self._loop.call_soon_threadsafe(self._tell, state)

    def _tell(self, state: str) -> None:
        if not self._closed:
            self._on_state(state)

    def look(self, lost: float | None = None) -> None:
        """Follow what gets lost on the way; called a few times a second.

        `lost`: the share of what we sent lately; None: nobody has told, and we send sound alone.
        """
        if not self._closed:
            self._repair.look(self._round_trips)
            self._double(lost)

    def _double(self, lost: float | None) -> None:
        """Have sound go out twice while packets get lost."""
        branch, now = self._senders.get("audio"), self._loop.time()
        red = branch.get_by_name("red") if branch is not None else None
        if red is None or now - self._doubled < DOUBLING:
            return
        self._doubled = now
        if lost is None:
            sent = rtp_statistics.read(self.rtpbin(), 0)[1]
            lost = self._redundancy.share(sent[0].highest, sent[0].lost) if sent else 0.0
        red.set_property("active", self._redundancy.look(now, lost))

    def _round_trips(self) -> list[float]:
        sessions = range(1 if self.plan is None or self.plan.bundled else len(self.plan.accepted))
        return [one.round_trip for index in sessions for one in rtp_statistics.read(self.rtpbin(), index)[1]]

    def rtpbin(self) -> Any:
        return None if self._closed else self.element.get_by_name("rtpbin")

    def limit_repeats(self, bitrate: float) -> None:
        """Send what got lost again at no more than so many bit/s."""
        self._again = bitrate
        for repeater in self._repeaters:
            feedback.limit_repeats(repeater.get_static_pad("src"), bitrate)

    def gate(self, kind: str, *, drop: bool) -> None:
        """Open or shut what we send."""
        branch = self._senders.get(kind)
        if branch is not None:
            for valve in elements_with(branch, "drop-mode"):
                valve.set_property("drop", drop)
