"""WebRTC descriptions as pure functions from a plan (`webrtc_plan`) to text.

`inner_offer` is what the transport element gets to see of an offer (the accepted sections alone, each with one codec,
always in both directions); `answer` writes the answer for the client from the plan and the transport's own
description. So order, mids, directions, contents and refusals of the answer are ours (API-080 to API-093) and do not
depend on what the element supports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rostra.domain.ice import usable_candidate
from rostra.media.engine.sections import BadDescription, Description, Payload, Section, is_number, parse
from rostra.media.engine.webrtc_plan import Chosen, Plan, PlannedSection

TRANSPORT_WIDE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
"""Numbers every packet of a connection, so that the receiver can tell the sender how fast it may send."""
EXTENSIONS = (
    TRANSPORT_WIDE,
    "urn:ietf:params:rtp-hdrext:sdes:mid",
)
"""RTP header extensions the engine handles."""
START_BITRATE = 1_200_000
"""bit/s of video a browser is asked to begin with, until feedback tells it better. Chromium's own idea is 300 kbit/s,
with which it sends a quarter of the picture and takes its time to send more; others ignore the member."""


# ---- the offer as the transport element sees it -----------------------------------------------------------


def inner_offer(planned: Plan) -> str:
    """The accepted sections alone, each with one codec and in both directions.

    Always both directions, so that the element need not follow direction changes: the engine itself gates what
    it sends, and a section that receives nothing costs nothing.
    """
    accepted = planned.accepted
    lines = [line for line in planned.offer.session if not line.startswith(("a=group:", "a=extmap", "a=msid-semantic"))]
    if planned.bundled:
        lines.append("a=group:BUNDLE " + " ".join(section.mid for section in accepted))
    for section, chosen in planned.agreed:
        lines += _inner_section(section, chosen)
    return "\r\n".join(lines) + "\r\n"


def _inner_section(section: PlannedSection, chosen: Chosen) -> list[str]:
    payload, retransmission = chosen.payload, chosen.retransmission
    numbers = [str(p.number) for p in (payload, retransmission) if p]
    lines = [f"m={section.offered.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(numbers)}", "c=IN IP4 0.0.0.0"]
    for line in section.offered.lines:
        name, _, value = line[2:].partition(":")
        if (
            line.startswith("a=")
            and name in _INNER_COPIED
            and not (name == "candidate" and not usable_candidate(value))
        ):
            lines.append(line)
    lines += [f"a=mid:{section.mid}", "a=rtcp-mux", "a=sendrecv", _rtpmap(payload)]
    if payload.fmtp:
        lines.append(f"a=fmtp:{payload.number} {payload.fmtp}")
    lines += [f"a=rtcp-fb:{payload.number} {value}" for value in feedback(section.offered, chosen)]
    lines += extensions(section.offered)
    if retransmission:
        lines += [_rtpmap(retransmission), f"a=fmtp:{retransmission.number} {retransmission.fmtp}"]
    return lines


_INNER_COPIED = frozenset(
    (
        "ice-ufrag",
        "ice-pwd",
        "ice-options",
        "fingerprint",
        "setup",
        "candidate",
        "end-of-candidates",
        "ssrc",
        "ssrc-group",
    )
)


def _rtpmap(payload: Payload) -> str:
    return f"a=rtpmap:{payload.number} {payload.mapping}"


def feedback(section: Section, chosen: Chosen) -> list[str]:
    """RTCP feedback that was offered for the chosen payload and that we support, offered for `*` included."""
    payload, row = chosen.payload, chosen.row
    offered: list[str] = []
    for value in section.values("rtcp-fb"):
        number, _, kind = value.partition(" ")
        if number in (str(payload.number), "*") and kind in row.feedback and kind not in offered:
            offered.append(kind)
    return offered


def extensions(section: Section) -> list[str]:
    """The offered header extensions that we handle, as lines."""
    return [
        f"a=extmap:{value}"
        for value in section.values("extmap")
        if value.split()[1:2] and value.split()[1] in EXTENSIONS
    ]


def transport_wide_number(section: Section) -> int | None:
    """Number of the transport-wide congestion control extension in a section."""
    for value in section.values("extmap"):
        number, _, name = value.partition(" ")
        number = number.partition("/")[0]
        if name.split()[:1] == [TRANSPORT_WIDE] and is_number(number):
            return int(number)
    return None


def transport_wide(planned: Plan) -> bool:
    """Is feedback for each packet of ours agreed, where pictures are?"""
    return any(
        transport_wide_number(section.offered) is not None and "transport-cc" in feedback(section.offered, chosen)
        for section, chosen in planned.agreed
        if section.role != "audio"
    )


def slides_sources(planned: Plan, transport: str) -> set[int]:
    """RTP source numbers of slides that either side states; `transport`: the element's answer to `inner_offer`."""
    section, inner = planned.of_role("slides"), parse(transport).sections
    if section is None:
        return set()
    stated = [*section.offered.values("ssrc"), *inner[section.inner].values("ssrc")]
    return {int(value.split()[0]) for value in stated if value.split()[:1] and is_number(value.split()[0])}


def repeats(transport: str) -> dict[str, str]:
    """RTP source numbers of retransmissions in an answer of the element, by that of the stream they repeat."""
    return dict(_REPEATS.findall(transport))


def sources(transport: str) -> set[int]:
    """RTP source numbers in an answer of the element."""
    return {int(number) for number in _SOURCE.findall(transport)}


def with_repeats(transport: str, wanted: Mapping[str, str]) -> str:
    """An answer of the element with these numbers for retransmissions.

    The element draws new ones for every answer. A browser keeps those that it was told first, and would not know
    what is sent under others.
    """
    other = {now: wanted[stream] for stream, now in repeats(transport).items() if stream in wanted}
    return _SOURCES.sub(lambda line: _NUMBER.sub(lambda found: other.get(found[0], found[0]), line[0]), transport)


_REPEATS = re.compile(r"^a=ssrc-group:FID (\d+) (\d+)", re.MULTILINE)
_SOURCE = re.compile(r"^a=ssrc:(\d+)", re.MULTILINE)
_SOURCES = re.compile(r"^a=ssrc.*", re.MULTILINE)
_NUMBER = re.compile(r"\b\d+\b")


# ---- the answer -------------------------------------------------------------------------------------------


def answer(
    planned: Plan,
    transport: str,
    fingerprint: str,
    *,
    receive_bandwidth: int | None = None,
    media_address: str = "",
) -> str:
    """The answer for the client. `transport` is the element's complete answer to `inner_offer`,
    `fingerprint` that of the certificate it really uses.

    `receive_bandwidth` (bit/s) limits what the client sends as video; `media_address` replaces our own address
    in the candidates where a machine is reached under another one. Raises BadDescription when `transport` is
    not such an answer.
    """
    inner = parse(transport)
    if len(inner.sections) != len(planned.accepted):
        raise BadDescription(f"{len(inner.sections)} sections for {len(planned.accepted)}")
    origin = next((line for line in inner.session if line.startswith("o=")), "o=- 0 0 IN IP4 0.0.0.0")
    lines = ["v=0", origin, "s=-", "t=0 0"]
    mids = [section.mid for section in planned.sections]
    if planned.bundled:
        lines.append("a=group:BUNDLE " + " ".join(mids))
    lines.append("a=msid-semantic: WMS *")
    for section in planned.sections:
        own = inner.sections[max(0, section.inner)]
        first = section is planned.accepted[0]
        lines += _answer_section(
            section,
            inner,
            own,
            fingerprint=fingerprint,
            candidates=first if planned.bundled else section.accepted,
            receive_bandwidth=receive_bandwidth,
            media_address=media_address,
        )
    return "\r\n".join(lines) + "\r\n"


def _answer_section(
    section: PlannedSection,
    inner: Description,
    own: Section,
    *,
    fingerprint: str,
    candidates: bool,
    receive_bandwidth: int | None,
    media_address: str,
) -> list[str]:
    offered = section.offered
    payloads = _payloads(section, own)
    formats = [str(payload.number) for payload in payloads] or list(offered.formats)
    lines = [f"m={offered.kind} 9 {offered.profile} {' '.join(formats)}", "c=IN IP4 0.0.0.0"]
    if section.accepted and offered.kind == "video" and receive_bandwidth:
        lines.append(f"b=TIAS:{receive_bandwidth}")
    if candidates:
        lines += [f"a={line}" for line in _candidates(own, media_address)]
    lines += [
        f"a=ice-ufrag:{inner.transport_value(own, 'ice-ufrag')}",
        f"a=ice-pwd:{inner.transport_value(own, 'ice-pwd')}",
        f"a=fingerprint:{fingerprint}",
        f"a=setup:{own.value('setup') or 'active'}",
        f"a=mid:{section.mid}",
    ]
    if section.slides or offered.value("content"):
        lines.append(f"a=content:{'slides' if section.slides else offered.content}")
    lines.append(f"a={section.direction}")
    if offered.kind == "application":
        return [*lines, f"a=sctp-port:{offered.value('sctp-port') or '5000'}"]
    lines.append("a=rtcp-mux")
    if section.accepted:
        lines += extensions(offered)
    start = min(START_BITRATE, receive_bandwidth or START_BITRATE)
    for payload in payloads:
        lines += _codec_lines(section, payload, start)
    if section.accepted and section.direction.sends:
        lines += _source_lines(section, own)
    return lines


def _payloads(section: PlannedSection, own: Section) -> list[Payload]:
    """What we answer. A section without a codec of ours keeps its first format: none at all would refuse it."""
    chosen = section.chosen
    if not chosen:
        return section.offered.payloads[:1]
    if not section.accepted:
        return [chosen.payload]
    # retransmission only when the element took it
    taken = chosen.retransmission and str(chosen.retransmission.number) in own.formats
    repeated = chosen.retransmission if taken else None
    # what comes first is what browsers send
    return [p for p in (chosen.redundancy, chosen.payload, repeated, chosen.events) if p]


def _codec_lines(section: PlannedSection, payload: Payload, start_bitrate: int) -> list[str]:
    lines = [_rtpmap(payload)]
    chosen, fmtp = section.chosen, payload.fmtp
    if chosen and payload is chosen.payload:
        lines += [f"a=rtcp-fb:{payload.number} {value}" for value in feedback(section.offered, chosen)]
        members = dict(chosen.parameters)
        if section.accepted and section.offered.kind == "video":
            members["x-google-start-bitrate"] = str(start_bitrate // 1000)
        fmtp = ";".join(f"{key}={value}" if key else value for key, value in members.items())
    elif chosen and payload is chosen.events:
        fmtp = "0-15"
    return [*lines, f"a=fmtp:{payload.number} {fmtp}"] if fmtp else lines


def _source_lines(section: PlannedSection, own: Section) -> list[str]:
    """One stream for our audio and video keeps them in sync at the client."""
    sources = dict.fromkeys(value.split()[0] for value in own.values("ssrc"))
    return [
        f"a=msid:rostra{'-slides' if section.slides else ''} {section.role}",
        *(f"a=ssrc-group:{value}" for value in own.values("ssrc-group")),
        *(f"a=ssrc:{source} cname:rostra" for source in sources),
    ]


def _candidates(own: Section, media_address: str) -> list[str]:
    lines: list[str] = []
    for value in own.values("candidate"):
        words = value.split()
        if not usable_candidate(value) or words[1] != "1" or words[4].lower().startswith("fe80:"):
            continue
        if media_address and words[7:8] == ["host"] and ":" not in words[4] and ":" not in media_address:
            words[4] = media_address
        line = "candidate:" + " ".join(words)
        if line not in lines:
            lines.append(line)
    return [*lines, "end-of-candidates"]
