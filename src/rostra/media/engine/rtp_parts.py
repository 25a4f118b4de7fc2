"""Parts of pipelines that carry RTP: sockets, and what a payload type means. Used by RTP legs and backplanes."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from typing import Any, Protocol

from rostra.domain.ice import RTP
from rostra.domain.media import CodecParameters, MediaKind
from rostra.media import codecs
from rostra.media.engine import backplane, guard, ports
from rostra.media.engine.gst import Gst
from rostra.media.engine.ice import Agent
from rostra.media.engine.pipeline import BadPipeline, Pipeline, make

NOWHERE, NOWHERE_6 = "127.0.0.1", "::1"
"""Host of sinks whose destination is not known; their port is the discard service's."""
DISCARD = 9
_CLOCK_TIME = 3
"""As `GstRtpNtpTimeSource` counts: of the pipeline's clock."""
_WORD = re.compile(r"[A-Za-z0-9-]+")


def steady(sessions: Any) -> Any:
    """The reports of these sessions (an `rtpbin`) state times of the machine's steady clock (RFC 3550 4): those of a
    clock that is set meanwhile would have far ends show pictures long before or after what was said, and us find a
    long way to them."""
    sessions.set_property("ntp-time-source", _CLOCK_TIME)
    return sessions


def source(pipeline: Pipeline, name: str, endpoint: socket.socket, caps: str) -> Any:
    """Packets of a socket (native/socket_src.c)."""
    made = pipeline.add(make("rostrasocketsrc", name))
    made.set_property("socket", ports.shared(endpoint))
    made.set_property("caps", Gst.Caps.from_string(caps))
    return made


def sink(pipeline: Pipeline, name: str, endpoint: socket.socket) -> Any:
    """Packets out of a socket, so far to nowhere."""
    made = pipeline.add(make("rostraaway", name))
    made.set_property("socket", ports.shared(endpoint))
    made.set_property("host", NOWHERE_6 if endpoint.family == socket.AF_INET6 else NOWHERE)
    made.set_property("port", DISCARD)
    return made


class Way(Protocol):
    """Where the packets of one stream come in and go out, by components: RTP and RTCP."""

    def source(self, pipeline: Pipeline, name: str, component: int, caps: str) -> Any:
        """None: the component shares the port of the other."""
        ...

    def sink(self, pipeline: Pipeline, name: str, component: int) -> Any: ...


class Sockets:
    """A way by a pair of ports."""

    def __init__(self, pair: ports.PortPair, *, mux: bool) -> None:
        self._pair = pair
        self._mux = mux

    def source(self, pipeline: Pipeline, name: str, component: int, caps: str) -> Any:
        made = source(pipeline, name, self._pair.rtp if component == RTP else self._pair.rtcp, caps)
        guard.put(made.get_static_pad("src"))
        return made

    def sink(self, pipeline: Pipeline, name: str, component: int) -> Any:
        return sink(pipeline, name, self._pair.rtp if self._mux or component == RTP else self._pair.rtcp)


class Checked:
    """A way that ICE finds."""

    def __init__(self, agent: Agent, index: int) -> None:
        self._agent = agent
        self._index = index

    def source(self, pipeline: Pipeline, name: str, component: int, caps: str) -> Any:
        if component > self._agent.components(self._index):
            return None
        made = self._agent.source(pipeline, name, self._index, component, Gst.Caps.from_string(caps))
        guard.put(made.get_static_pad("src"))
        return made

    def sink(self, pipeline: Pipeline, name: str, component: int) -> Any:
        shared = min(component, self._agent.components(self._index))
        return self._agent.sink(pipeline, name, self._index, shared)


def link(source: Any, source_pad: str, sink: Any, sink_pad: str) -> None:
    """Join pads by name, asking for the sink's where it has none yet. Raises BadPipeline."""
    target = sink.get_static_pad(sink_pad) or sink.request_pad_simple(sink_pad)
    join(source.get_static_pad(source_pad), target)


def join(source: Any, sink: Any) -> None:
    """Join two pads. Raises BadPipeline."""
    if source is None or sink is None or source.link(sink) != Gst.PadLinkReturn.OK:
        raise BadPipeline(f"{source and source.get_name()} cannot be joined to {sink and sink.get_name()}")


def session_of(pad: Any) -> int:
    """Of a pad of what comes, named by session, source and payload type; -1: it has none."""
    session = pad.get_name().removeprefix("recv_rtp_src_").partition("_")[0]
    return int(session) if session.isdecimal() else -1


def payload_caps(kind: MediaKind, codec: CodecParameters, described: Collection[str] = ()) -> Any:
    """What a payload type means, for the session and the depayloader, which needs the parameters `described`."""
    members = [
        f"application/x-rtp,media={kind},payload={codec.payload_type}",
        f"encoding-name={codec.name},clock-rate={codec.clock_rate}",
    ]
    if codec.channels > 1:
        members.append(f"encoding-params=(string){codec.channels}")
    feedback = {"nack": "rtcp-fb-nack", "nack pli": "rtcp-fb-nack-pli", "ccm fir": "rtcp-fb-ccm-fir"}
    members += [f"{feedback[kind]}=(boolean)true" for kind in codec.feedback if kind in feedback]
    stated = {name: value for name, value in codec.parameters.items() if name in described and _WORD.fullmatch(value)}
    members += [f"{name}=(string){value}" for name, value in stated.items()]
    return Gst.Caps.from_string(",".join(members))


def between_nodes(kind: MediaKind) -> dict[int, Any]:
    """What payload types mean on backplanes, with the feedback we give."""
    found: dict[int, Any] = {}
    for name, number in backplane.PAYLOAD_TYPES.items():
        row = codecs.BY_NAME[name]
        codec = CodecParameters(
            name=name,
            payload_type=number,
            clock_rate=row.clock_rate,
            channels=row.channels,
            feedback=("nack pli",) if row.feedback else (),
        )
        if row.kind is kind:
            found[number] = payload_caps(kind, codec)
    return found
