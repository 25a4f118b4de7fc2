"""The pipeline of an RTP leg: sockets, SRTP, an `rtpbin` session for each stream, and its media branches.

One direction of thought per stream: `rostrasocketsrc ! [srtpdec] ! rtpbin ! receiving branch` and
`sending branch ! rtpbin ! [srtpenc] ! rostraaway`, with RTCP beside it on its own socket or the same one.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from rostra.domain.ice import RTCP, RTP
from rostra.domain.media import MediaKind
from rostra.domain.presenting import slides_of
from rostra.media.engine import branches, dtmf, feedback, lines, rtp_parts, rtp_statistics, srtp
from rostra.media.engine.dtls import Handshake, Secured
from rostra.media.engine.gst import Gst
from rostra.media.engine.ice import Agent
from rostra.media.engine.lines import Line, Plan
from rostra.media.engine.pace import Pace
from rostra.media.engine.pipeline import Pipeline, make
from rostra.media.engine.ports import PortPair
from rostra.media.engine.rate_control import RateControl
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.repair import Repair
from rostra.media.engine.rtp_parts import Way
from rostra.media.engine.rtp_wires import Wire, described
from rostra.media.engine.sluice import Sluice
from rostra.media.engine.srtp import Decryption

logger = structlog.get_logger("rostra.media")

JITTER = 80
"""Milliseconds of jitter buffer."""


class RtpTransport:
    """A running RTP leg's pipeline; made anew when the wires change, on the same sockets."""

    def __init__(
        self,
        leg: str,
        wires: tuple[Wire, ...],
        pairs: list[PortPair],
        on_error: Callable[[str], None],
        on_digit: Callable[[str], None],
        on_frame: Callable[[bytes], None] = lambda _: None,
        agent: Agent | None = None,
        rollovers: Mapping[str, Mapping[int, int]] | None = None,
    ) -> None:
        """`on_frame` is told what comes to move a camera. `agent` finds the way of wires with ICE. `rollovers` are
        those of the one before this."""
        self.leg = leg
        self.wires = wires
        self._pairs = pairs
        self._agent = agent
        self._rollovers = rollovers or {}
        self._on_digit, self._on_frame = on_digit, on_frame
        self._pace, self._frames = Pace(), itertools.count()
        self._pipeline = Pipeline(f"leg {leg}", on_error, self._message)
        self._presenting = {w.index for w in wires if w.slides}
        self._sluices: dict[int, Sluice] = {}
        self.receivers = Receivers(leg, self._pipeline, shown_as=self._shown_as, sluice=self._sluice_of)
        self._senders: dict[int, Any] = {}
        self._decryption: dict[int, Decryption] = {}
        self._sinks: dict[int, tuple[Any, Any]] = {}
        self._repeaters: dict[int, Any] = {}
        self._lines: dict[int, Line] = {}
        self._shut: dict[int, bool] = {}
        self._muffled = False
        self.rtpbin: Any = None if all(w.plain for w in wires) else self._sessions()
        self.sessions = rtp_statistics.Sessions(self.rtpbin, self._lines)
        self._maps = {w.index: _payloads(w) for w in wires}
        self._failed = on_error
        self._secured: list[Secured] = []
        self._handlers = [self.rtpbin.connect(*one) for one in self._signals()] if self.rtpbin else []
        if self.rtpbin:
            feedback.count_reports(self.rtpbin)
        asked = [w.index for w in wires if w.nacks and not w.plain]
        self._repair = Repair(self.rtpbin, self.receivers.hold, asked) if self.rtpbin else None
        for w in wires:
            if w.plain:
                self._lines[w.index] = self._line(w)
            else:
                self._build(w)
        rated = [w.index for w in wires if w.rates]
        self.rates = RateControl(self.rtpbin, rated, lambda index: self._pad(f"send_rtcp_src_{index}"))

    # ---- building -----------------------------------------------------------------------------------------

    def _signals(self) -> list[tuple[str, Callable[..., Any]]]:
        return [
            ("request-pt-map", lambda _, session, number: self._maps[session].get(number)),
            ("pad-added", self._pad_added),
            ("pad-removed", self._pad_removed),
        ]

    def _line(self, w: Wire) -> Line:
        known = self._rollovers.get(w.key_in.key_salt) if w.key_in else None
        plan = Plan(w.receive, w.send, w.events, w.mux, w.key_in, w.key_out)
        return Line(self.leg, plan, self._pairs[w.index], self._pressed, known)

    def _sessions(self) -> Any:
        made = rtp_parts.steady(self._pipeline.add(make("rtpbin", "rtp")))
        made.set_property("latency", JITTER)
        made.set_property("do-lost", True)
        made.set_property("autoremove", True)
        name = lines.canonical(self.leg)
        made.set_property("sdes", Gst.Structure.from_string(f'application/x-rtp-source-sdes,cname="{name}"')[0])
        if any(w.feedback for w in self.wires):
            made.set_property("rtp-profile", 3)
        return made

    def _build(self, w: Wire) -> None:
        way = self._way(w)
        branch = self._sending_branch(w)
        self._pipeline.add(branch)
        self._senders[w.index] = branch
        rtp_parts.link(self._resending(w, branch), "src", self.rtpbin, f"send_rtp_sink_{w.index}")
        if w.dtls is not None:
            self._build_dtls(w, w.dtls, way)
        else:
            decoder, encoder = self._srtp(w)
            self._build_output(w, way, encoder)
            self._build_input(w, way, decoder)
        if w.kind is MediaKind.VIDEO:
            session = self.rtpbin.emit("get-session", w.index)
            self._sluices[w.index] = Sluice(session.get_static_pad("recv_rtp_src"))

    def _resending(self, w: Wire, branch: Any) -> Any:
        """The last element of what is sent: what repeats it on request, where that was agreed."""
        if not w.nacks:
            return branch
        made = self._pipeline.add(make("rostraagain", f"again-{w.index}"))
        rtp_parts.link(branch, "src", made, "sink")
        self._repeaters[w.index] = made
        return made

    def _way(self, w: Wire) -> Way:
        if w.ice and self._agent is not None:
            return rtp_parts.Checked(self._agent, w.index)
        return rtp_parts.Sockets(self._pairs[w.index], mux=w.mux)

    def _sending_branch(self, w: Wire) -> Any:
        number, name = w.send.payload_type, f"send-{w.index}"
        if w.kind is MediaKind.VIDEO:
            return branches.send_channel(w.row, number, name, prompt=not w.ice)
        if w.kind is MediaKind.APPLICATION:
            return branches.send_frames(w.row, number, name)
        events = (w.events.payload_type, w.events.clock_rate) if w.events else None
        return branches.send_audio(w.row, number, self.leg, name, events=events)

    def _build_output(self, w: Wire, way: Way, encoder: Any) -> None:
        rtp = way.sink(self._pipeline, f"rtp-out-{w.index}", RTP)
        rtcp = way.sink(self._pipeline, f"rtcp-out-{w.index}", RTCP)
        self._sinks[w.index] = (rtp, rtcp)
        control = self.rtpbin.request_pad_simple(f"send_rtcp_src_{w.index}")
        media = self.rtpbin.get_static_pad(f"send_rtp_src_{w.index}")
        if encoder is None:
            rtp_parts.join(media, rtp.get_static_pad("sink"))
            rtp_parts.join(control, rtcp.get_static_pad("sink"))
            return
        rtp_parts.join(media, encoder.request_pad_simple("rtp_sink_0"))
        rtp_parts.join(control, encoder.request_pad_simple("rtcp_sink_0"))
        rtp_parts.link(encoder, "rtp_src_0", rtp, "sink")
        rtp_parts.link(encoder, "rtcp_src_0", rtcp, "sink")

    def _build_dtls(self, w: Wire, agreed: Handshake, way: Way) -> None:
        """One association for each port in use (RFC 5764 3)."""
        pipeline, index = self._pipeline, w.index
        rtp = way.sink(pipeline, f"rtp-out-{index}", RTP)
        rtcp = way.sink(pipeline, f"rtcp-out-{index}", RTCP)
        self._sinks[index] = (rtp, rtcp)
        pads = {
            "rtp": (f"send_rtp_src_{index}", f"recv_rtp_sink_{index}"),
            "rtcp": (f"send_rtcp_src_{index}", f"recv_rtcp_sink_{index}"),
        }
        for component, sink, kinds in (
            ((RTP, rtp, ("rtp", "rtcp")),) if w.mux else ((RTP, rtp, ("rtp",)), (RTCP, rtcp, ("rtcp",)))
        ):
            source = way.source(pipeline, f"{kinds[0]}-in-{index}", component, "application/x-dtls")
            secured = Secured(pipeline, f"{self.leg}-{kinds[0]}-{index}", agreed, self._failed)
            self._secured.append(secured)
            secured.join(source, sink)
            for kind in kinds:
                out, into = pads[kind]
                rtp_parts.join(self._pad(out), secured.entry(kind))
                rtp_parts.join(secured.exit(kind), self._pad(into))

    def _pad(self, name: str) -> Any:
        return self.rtpbin.get_static_pad(name) or self.rtpbin.request_pad_simple(name)

    def _build_input(self, w: Wire, way: Way, decoder: Any) -> None:
        secure = "s" if decoder is not None else ""
        media = way.source(self._pipeline, f"rtp-in-{w.index}", RTP, f"application/x-{secure}rtp")
        control = way.source(self._pipeline, f"rtcp-in-{w.index}", RTCP, f"application/x-{secure}rtcp")
        to_media = self.rtpbin.request_pad_simple(f"recv_rtp_sink_{w.index}")
        to_control = self.rtpbin.request_pad_simple(f"recv_rtcp_sink_{w.index}")
        if decoder is not None:
            # it also tells RTCP from RTP on a shared port
            rtp_parts.link(media, "src", decoder, "rtp_sink")
            if control is not None:
                rtp_parts.link(control, "src", decoder, "rtcp_sink")
            rtp_parts.join(decoder.get_static_pad("rtp_src"), to_media)
            rtp_parts.join(decoder.get_static_pad("rtcp_src"), to_control)
        elif w.mux:
            self._split(w.index, media, to_media, to_control)
        else:
            rtp_parts.join(media.get_static_pad("src"), to_media)
            rtp_parts.join(control.get_static_pad("src"), to_control)

    def _split(self, index: int, media: Any, to_media: Any, to_control: Any) -> None:
        """RTP and RTCP on one port (RFC 5761): both inputs see everything and drop what is not theirs."""
        tee = self._pipeline.add(make("tee", f"mux-{index}"))
        control = self._pipeline.add(make("capssetter", f"mux-control-{index}"))
        control.set_property("caps", Gst.Caps.from_string("application/x-rtcp"))
        control.set_property("replace", True)
        control.set_property("join", False)
        rtp_parts.link(media, "src", tee, "sink")
        rtp_parts.join(tee.request_pad_simple("src_%u"), to_media)
        rtp_parts.join(tee.request_pad_simple("src_%u"), control.get_static_pad("sink"))
        rtp_parts.join(control.get_static_pad("src"), to_control)

    def _srtp(self, w: Wire) -> tuple[Any, Any]:
        if w.key_in is None or w.key_out is None:
            return None, None
        encoder = srtp.encryption(self._pipeline, f"encrypt-{w.index}", w.key_out)
        decryption = self._decryption[w.index] = Decryption(
            self._pipeline, f"decrypt-{w.index}", w.key_in, self._rollovers.get(w.key_in.key_salt)
        )
        return decryption.element, encoder

    # ---- at work ------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Begin; the destinations are known by now."""
        self._pipeline.play()

    def send_to(self, index: int, address: str, port: int, rtcp_port: int) -> None:
        """Where a stream goes from now on, unless ICE finds that."""
        if self._checked(index):
            return
        if index in self._lines:
            self._lines[index].aim(address, port, rtcp_port)
            return
        for sink, number in zip(self._sinks[index], (port, rtcp_port), strict=True):
            sink.set_property("host", address)
            sink.set_property("port", number)

    def _checked(self, index: int) -> bool:
        return any(w.ice and w.index == index for w in self.wires)

    def destination(self, index: int) -> tuple[str, int]:
        """Not of what ICE finds."""
        if index in self._lines:
            return self._lines[index].destination
        sink = self._sinks[index][0]
        return sink.get_property("host"), sink.get_property("port")

    def gate(self, index: int, *, drop: bool) -> None:
        """Open or shut what we send on a stream."""
        if self._shut.get(index) is drop:
            return
        self._shut[index] = drop
        if index in self._lines:
            self._lines[index].gate(drop=drop)
            return
        self._senders[index].get_by_name("gate").set_property("drop", drop)

    def subscriber(self, index: int) -> Any:
        """The element of a video stream that is tuned to an encoder."""
        return self._senders[index].get_by_name("stage")

    def muffle(self, muffled: bool) -> None:
        """Keep what arrives from the stage (a leg on hold)."""
        if muffled is self._muffled:
            return
        self._muffled = muffled
        self.receivers.muffle(muffled)
        for line in self._lines.values():
            line.muffle(muffled=muffled)

    def keys(self) -> dtmf.Keys | None:
        """What presses keys of telephones, or None when events were not agreed."""
        found = (branch.get_by_name("events") for branch in self._senders.values())
        sources: list[dtmf.Keys] = [dtmf.EventSource(source) for source in found if source is not None]
        return next(iter([line for line in self._lines.values() if line.presses] + sources), None)

    def send_frame(self, payload: bytes) -> bool:
        """What moves a camera; False: there is no stream for it, or it is shut."""
        found = (branch.get_by_name("frames") for branch in self._senders.values())
        source = next((one for one in found if one is not None), None)
        return source is not None and branches.push_frame(source, payload, next(self._frames))

    def received(self, index: int) -> list[rtp_statistics.Received]:
        return rtp_statistics.read(self.sessions, index)[0]

    def hosts(self, index: int) -> set[str]:
        """Where what a stream received came from."""
        return rtp_statistics.hosts(self.sessions, index)

    def limit_repeats(self, index: int, bitrate: float) -> None:
        """Send what got lost of a stream again at no more than so many bit/s."""
        if index in self._repeaters:
            feedback.limit_repeats(self._repeaters[index].get_static_pad("src"), bitrate)

    def missed(self, index: int) -> feedback.Missed:
        """What the far end misses of a stream."""
        made = self._repeaters.get(index)
        return feedback.missed(made.get_static_pad("src")) if made else feedback.NOTHING

    def follow(self) -> None:
        """Follow the way's length; called a few times a second."""
        if self._repair:
            self._repair.look(self._round_trips)

    def _round_trips(self) -> list[float]:
        return [one.round_trip for w in self.wires for one in rtp_statistics.read(self.rtpbin, w.index)[1]]

    @property
    def rollovers(self) -> dict[str, dict[int, int]]:
        """Counts of what has been decrypted, by key and source number."""
        keyed = [(w.index, w.key_in.key_salt) for w in self.wires if w.key_in and w.dtls is None]
        found = {key: self._lines[index].figures() for index, key in keyed if index in self._lines}
        return {key: figures.rollovers for key, figures in found.items()} | {
            key: self._decryption[index].rollovers for index, key in keyed if index in self._decryption
        }

    @property
    def reports(self) -> int:
        """Reports of far ends (RTCP) that have come."""
        told = feedback.reports(self.rtpbin) if self.rtpbin else 0
        return told + sum(line.figures().reports for line in self._lines.values())

    async def close(self) -> None:
        """Free everything but the sockets."""
        for handler in self._handlers:
            self.rtpbin.disconnect(handler)
        self._handlers.clear()
        self.rates.close()
        if self._repair:
            self._repair.close()
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        await self._pipeline.close()
        self._senders.clear()
        self._repeaters.clear()
        self._sinks.clear()
        self._decryption.clear()
        self._secured.clear()
        self.receivers.clear()
        self._sluices.clear()
        self.rtpbin = None

    def _message(self, message: Any) -> None:
        structure = message.get_structure()
        if structure is None or structure.get_name() not in (branches.FRAME, "dtmf-event"):
            return
        if not self._pace.allows(time.monotonic()):
            return
        if structure.get_name() == branches.FRAME:
            self._on_frame(bytes.fromhex(structure.get_string("octets")[1:]))
            return
        found, number = structure.get_int("number")
        digit = dtmf.digit_of(number) if found else None
        if digit:
            self._on_digit(digit)

    def _pressed(self, digit: str) -> None:
        if self._pace.allows(time.monotonic()):
            self._on_digit(digit)

    def _pad_added(self, _: Any, pad: Any) -> None:
        if pad.get_name().startswith("recv_rtp_src_"):
            self.receivers.attach(pad)

    def _shown_as(self, pad: Any) -> str:
        """Slides are another source than the camera beside them."""
        return slides_of(self.leg) if rtp_parts.session_of(pad) in self._presenting else self.leg

    def _sluice_of(self, pad: Any) -> Sluice | None:
        return self._sluices.get(rtp_parts.session_of(pad))

    def _pad_removed(self, _: Any, pad: Any) -> None:
        if pad.get_name().startswith("recv_rtp_src_"):
            self.receivers.detach(pad)


def _payloads(w: Wire) -> dict[int, Any]:
    """What the payload types mean that come."""
    return {codec.payload_type: rtp_parts.payload_caps(w.kind, codec, described(codec)) for codec in w.receive}
