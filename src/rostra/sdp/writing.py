"""From the neutral media description to a session description."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rostra.domain.media import CodecParameters, Content, FloorControl, MediaDescription, MediaStream
from rostra.sdp.session import Attribute, Origin, Section, Session, serialise

_UPPER = frozenset({"sqcif", "qcif", "cif", "cif4", "cif16", "maxbr", "bpp", "custom"})
"""Members of H.261 and H.263, which RFC 4587 and RFC 4629 spell so."""
_NAMES = {"OPUS": "opus", "TELEPHONE-EVENT": "telephone-event", "MPEG4-GENERIC": "mpeg4-generic", "SPEEX": "speex"}
"""Spellings endpoints are used to; names are case-insensitive (RFC 4855 3)."""


def write(description: MediaDescription, *, answering: Session | None = None) -> str:
    """The text of an offer or, with `answering` (the offer), of an answer.

    Refused sections of an answer repeat the offer's m= line with port 0 (RFC 3264 6).
    """
    address = description.address or next((s.address for s in description.streams if s.address), "127.0.0.1")
    offered = answering.sections if answering is not None else ()
    sections: list[Section] = []
    for index, stream in enumerate(description.streams):
        if stream.refused and index < len(offered):
            theirs = offered[index]
            sections.append(Section(theirs.media, 0, theirs.profile, theirs.formats))
        else:
            sections.append(_section(stream, description.address))
    return serialise(
        Session(
            origin=Origin(description.session_id, description.version, address),
            name="rostra",
            address=description.address,
            bandwidths=tuple(_total(description.bandwidth)),
            sections=tuple(sections),
        )
    )


def _section(stream: MediaStream, session_address: str) -> Section:
    formats = tuple(str(codec.payload_type) for codec in stream.codecs) or stream.formats or ("0",)
    return Section(
        media=stream.kind.value,
        port=stream.port,
        profile=stream.profile,
        formats=formats,
        address=stream.address if stream.address != session_address else "",
        bandwidths=tuple(_bandwidths(stream.bandwidth)),
        attributes=tuple(_attributes(stream)),
    )


def _total(bandwidth: int | None) -> Iterator[tuple[str, int]]:
    """Of the whole session, which old systems read as CT (RFC 8866 5.8)."""
    if bandwidth is not None:
        yield "CT", math.ceil(bandwidth / 1000)
    yield from _bandwidths(bandwidth)


def _bandwidths(bandwidth: int | None) -> Iterator[tuple[str, int]]:
    """Both forms: endpoints that do not know TIAS (RFC 3890) read AS."""
    if bandwidth is not None:
        yield "AS", math.ceil(bandwidth / 1000)
        yield "TIAS", bandwidth


def _attributes(stream: MediaStream) -> Iterator[Attribute]:
    feedback = {codec.feedback for codec in stream.codecs}
    common = next(iter(feedback)) if len(stream.codecs) > 1 and len(feedback) == 1 else ()
    for codec in stream.codecs:
        yield from _codec_attributes(codec)
        if not common:
            yield from (Attribute("rtcp-fb", f"{codec.payload_type} {one}") for one in codec.feedback)
    yield from (Attribute("rtcp-fb", f"* {one}") for one in common)  # shorter: offers are to fit datagrams
    for crypto in stream.crypto:
        yield Attribute("crypto", f"{crypto.tag} {crypto.suite} inline:{crypto.key_salt}")
    if stream.refused:
        return
    if stream.dtls is not None:
        yield Attribute("fingerprint", stream.dtls.fingerprint)
        yield Attribute("setup", stream.dtls.setup)
    if stream.ice is not None:
        yield Attribute("ice-ufrag", stream.ice.ufrag)
        yield Attribute("ice-pwd", stream.ice.password)
        yield from (Attribute("candidate", one) for one in stream.ice.candidates)
    if stream.rtcp_mux:
        yield Attribute("rtcp-mux")
    if stream.rtcp_port:
        yield Attribute("rtcp", str(stream.rtcp_port))
    if stream.ptime:
        yield Attribute("ptime", str(stream.ptime))
    if stream.content is not Content.MAIN:
        yield Attribute("content", stream.content.value)
    if stream.label:
        yield Attribute("label", stream.label)
    if stream.mid:
        yield Attribute("mid", stream.mid)
    if stream.control is not None:
        yield from _floor_attributes(stream, stream.control)
        return
    yield Attribute(stream.direction.value)


def _floor_attributes(stream: MediaStream, control: FloorControl) -> Iterator[Attribute]:
    yield Attribute("floorctrl", " ".join(control.roles))
    yield Attribute("confid", str(control.conference))
    yield Attribute("userid", str(control.user))
    yield Attribute("floorid", f"{control.floor} mstrm:{control.label}")
    if stream.profile.startswith("UDP"):
        yield Attribute("bfcpver", "2")
    else:
        yield Attribute("setup", control.setup)
        yield Attribute("connection", "new")


def _codec_attributes(codec: CodecParameters) -> Iterator[Attribute]:
    number = codec.payload_type
    channels = f"/{codec.channels}" if codec.channels != 1 else ""
    yield Attribute("rtpmap", f"{number} {_NAMES.get(codec.name, codec.name)}/{codec.clock_rate}{channels}")
    if codec.parameters:
        yield Attribute("fmtp", f"{number} {format_parameters(codec.parameters)}")


def format_parameters(parameters: dict[str, str]) -> str:
    """The value of `a=fmtp`; see `reading.parse_parameters`."""
    return ";".join(
        value if name == "" else f"{_spelt(name)}={value}" if value != "" else _spelt(name)
        for name, value in parameters.items()
    )


def _spelt(name: str) -> str:
    return name.upper() if name in _UPPER else name
