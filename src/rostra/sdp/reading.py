"""From a session description to the neutral media description."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import structs

from rostra.domain.ice import IceSide, usable_candidates
from rostra.domain.media import (
    CodecParameters,
    Content,
    CryptoAttribute,
    Direction,
    DtlsSide,
    FloorControl,
    MediaDescription,
    MediaKind,
)
from rostra.domain.media import MediaStream as Stream
from rostra.sdp.errors import SdpError
from rostra.sdp.pictures import wanted_ratio
from rostra.sdp.session import Attribute, Section, Session, parse

STATIC_PAYLOADS: dict[int, tuple[str, int, int]] = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    4: ("G723", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    13: ("CN", 8000, 1),
    15: ("G728", 8000, 1),
    18: ("G729", 8000, 1),
    31: ("H261", 90000, 1),
    34: ("H263", 90000, 1),
}
"""Payload types with a fixed meaning (RFC 3551 6), used where `a=rtpmap` is missing."""

_RTPMAP = re.compile(r"\s*([0-9]{1,3})\s+([^/\s]+)/([0-9]{1,9})(?:/([0-9]{1,2}))?\s*")
_CRYPTO = re.compile(r"\s*([0-9]{1,9})\s+(\S+)\s+inline:([A-Za-z0-9+/=]+)(\S*)(?:\s+(.*))?")
_MEMBERS = re.compile(r";|(?<!\s)\s+(?=[A-Za-z0-9-]+=)")
"""Between members; some part them by spaces only. A run of spaces is looked at once, not from each of them."""
_CONTROL = ("fir", "tmmbr", "tstr", "vbcm", "pan")
"""Codec control messages (RFC 5104 7.1)."""
_FINGERPRINT = re.compile(r"\s*(sha-(?:1|256|384|512))\s+((?:[0-9A-Fa-f]{2}:){19,63}[0-9A-Fa-f]{2})\s*", re.IGNORECASE)
_SLIDES = ("slides", "alt")
_DIRECTIONS = {direction.value: direction for direction in Direction}
_UNSUPPORTED_SESSION_PARAMETERS = ("UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP")


def read(data: bytes | str | Session) -> MediaDescription:
    """Translate a description. Raises SdpError when it is malformed or states impossible values."""
    session = data if isinstance(data, Session) else parse(data)
    default = _direction(session.attributes, Direction.SENDRECV)
    streams = tuple(_stream(session, section, default) for section in session.sections)
    return MediaDescription(
        streams=_with_floors(streams),
        bandwidth=_bandwidth(session.bandwidths),
        address=session.address,
        session_id=session.origin.session_id,
        version=session.origin.version,
    )


def _with_floors(streams: tuple[Stream, ...]) -> tuple[Stream, ...]:
    """Where no stream says that it is for slides, the one with the label of a floor is (RFC 8856 5.3)."""
    floors = {stream.control.label for stream in streams if stream.control is not None and stream.control.label}
    pictures = [stream for stream in streams if stream.kind is MediaKind.VIDEO]
    if len(pictures) < 2 or any(stream.content is Content.SLIDES for stream in pictures):
        return streams
    return tuple(
        structs.replace(stream, content=Content.SLIDES)
        if stream.kind is MediaKind.VIDEO and stream.label in floors and stream is not pictures[0]
        else stream
        for stream in streams
    )


def is_rtp(profile: str) -> bool:
    """The profile carries RTP, so formats are payload types."""
    return "RTP/" in profile.upper()


def _stream(session: Session, section: Section, default: Direction) -> Stream:
    kind = MediaKind(section.media) if section.media in (MediaKind.AUDIO, MediaKind.VIDEO) else MediaKind.APPLICATION
    address = section.address or session.address
    if section.port and not address:
        raise SdpError(f"m={section.media} has no c= line")
    rtp = is_rtp(section.profile)
    return Stream(
        kind=kind,
        content=Content.SLIDES if section.value("content") in _SLIDES else Content.MAIN,
        direction=_direction(section.attributes, default),
        address=address,
        port=section.port,
        rtcp_port=_rtcp_port(section),
        rtcp_mux=section.value("rtcp-mux") is not None,
        profile=section.profile,
        codecs=_codecs(section) if rtp else (),
        crypto=_crypto(section),
        dtls=_dtls(session, section) if "TLS/RTP" in section.profile.upper() else None,
        ice=_ice(session, section) if rtp else None,
        bandwidth=_bandwidth(section.bandwidths),
        ptime=_ptime(section),
        label=(section.value("label") or "").strip(),
        mid=(section.value("mid") or "").strip(),
        formats=() if rtp else section.formats,
        ratio=wanted_ratio(section.values("imageattr")),
        control=_floor_control(section) if section.profile.upper().endswith("BFCP") else None,
    )


def _dtls(session: Session, section: Section) -> DtlsSide | None:
    """Stated for the section, or once for the session; the first fingerprint that can be read (RFC 8122 5)."""
    values = [*section.values("fingerprint")] or [*session.values("fingerprint")]
    matches = (_FINGERPRINT.fullmatch(value) for value in values)
    found = next((match for match in matches if match is not None), None)
    if found is None:
        return None
    setup = section.value("setup") or next(iter(session.values("setup")), None) or "actpass"
    return DtlsSide(fingerprint=f"{found[1].lower()} {found[2].upper()}", setup=setup.strip().lower())


def _ice(session: Session, section: Section) -> IceSide | None:
    """Stated for the section, or once for the session (RFC 8839 5.4); what cannot be used counts as not stated."""
    ufrag, password = (
        (section.value(name) or next(iter(session.values(name)), None) or "").strip()
        for name in ("ice-ufrag", "ice-pwd")
    )
    side = IceSide(
        ufrag=ufrag,
        password=password,
        candidates=usable_candidates([*section.values("candidate")]),
        lite=any(True for _ in session.values("ice-lite")),
    )
    return side if side.usable else None


def _floor_control(section: Section) -> FloorControl:
    """RFC 8856; what is missing or cannot be read counts as not stated."""
    floor, _, stream = (section.value("floorid") or "").strip().partition(" ")
    return FloorControl(
        roles=tuple((section.value("floorctrl") or "").split()),
        conference=_number(section.value("confid"), 0xFFFFFFFF),
        user=_number(section.value("userid"), 0xFFFF),
        floor=_number(floor, 0xFFFF),
        label=stream.strip().partition(":")[2].split(" ")[0],
        setup=(section.value("setup") or "").strip(),
    )


def _number(text: str | None, most: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 11 and int(digits) <= most else 0


def _direction(attributes: tuple[Attribute, ...], default: Direction) -> Direction:
    for attribute in attributes:
        found = _DIRECTIONS.get(attribute.name)
        if found is not None:
            return found
    return default


def _bandwidth(bandwidths: tuple[tuple[str, int], ...]) -> int | None:
    """Bit/s; TIAS (RFC 3890) is more exact than AS and counts more."""
    found = dict(reversed(bandwidths))
    if "TIAS" in found:
        return found["TIAS"]
    kilobits = found.get("AS", found.get("CT"))
    return None if kilobits is None else kilobits * 1000


def _rtcp_port(section: Section) -> int:
    """RFC 3605; 0 without the attribute or when it says what is the rule anyway."""
    value = section.value("rtcp")
    if not value:
        return 0
    text = value.split()[0] if value.split() else ""
    if not text.isdecimal() or not text.isascii() or len(text) > 5 or int(text) > 65535:
        raise SdpError(f"a=rtcp {value[:40]!r} is not a port")
    port = int(text)
    usual = section.port if section.value("rtcp-mux") is not None else section.port + 1
    return 0 if port == usual else port


def _ptime(section: Section) -> int | None:
    value = (section.value("ptime") or "").strip()
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", value):
        return None
    return int(float(value)) or None


def _codecs(section: Section) -> tuple[CodecParameters, ...]:
    maps = _by_payload(section, "rtpmap")
    formats = _by_payload(section, "fmtp")
    feedback = tuple(_feedback(section))
    codecs: list[CodecParameters] = []
    seen: set[int] = set()
    for text in section.formats:
        if not text.isdecimal() or not text.isascii() or len(text) > 3 or int(text) > 127:
            raise SdpError(f"m={section.media}: {text[:20]!r} is not a payload type")
        payload_type = int(text)
        if payload_type in seen:
            continue
        seen.add(payload_type)
        named = _named(payload_type, maps.get(text))
        if named is None:
            continue  # a dynamic number without a=rtpmap says nothing
        name, clock_rate, channels = named
        codecs.append(
            CodecParameters(
                name=name,
                payload_type=payload_type,
                clock_rate=clock_rate,
                channels=channels,
                parameters=parse_parameters(formats.get(text, "")),
                feedback=tuple(dict.fromkeys(what for number, what in feedback if number in ("*", text))),
            )
        )
    return tuple(codecs)


def _named(payload_type: int, rtpmap: str | None) -> tuple[str, int, int] | None:
    if rtpmap is None:
        return STATIC_PAYLOADS.get(payload_type)
    match = _RTPMAP.fullmatch(f"{payload_type} {rtpmap}")
    if match is None or int(match[3]) == 0:
        raise SdpError(f"a=rtpmap of {payload_type} is not name/clock: {rtpmap[:40]!r}")
    return match[2].upper(), int(match[3]), int(match[4] or 1)


def _by_payload(section: Section, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in section.values(name):
        number, _, rest = value.strip().partition(" ")
        found.setdefault(number, rest.strip())
    return found


def parse_parameters(text: str) -> dict[str, str]:
    """`a=fmtp` members: `name=value` parted by semicolons; a bare member with digits or commas has the name ''."""
    parameters: dict[str, str] = {}
    for part in _MEMBERS.split(text):
        name, equals, value = part.strip().partition("=")
        if equals:
            parameters.setdefault(name.strip().lower(), value.strip())
        elif name and (name[0].isdigit() or "," in name):
            parameters.setdefault("", name)
        elif name:
            parameters.setdefault(name.lower(), "")
    return parameters


def _feedback(section: Section) -> Iterator[tuple[str, str]]:
    """RFC 4585 4.2: payload types with what is said of them. `*` means all; some write `ccm fir tmmbr` for two."""
    for value in section.values("rtcp-fb"):
        number, *words = value.lower().split() or [""]
        if words and words[0] == "ccm" and len(words) > 2 and all(word in _CONTROL for word in words[1:]):
            yield from ((number, f"ccm {word}") for word in words[1:])
        elif words:
            yield number, " ".join(words)


def _crypto(section: Section) -> tuple[CryptoAttribute, ...]:
    """RFC 4568. A line we cannot use (several keys, MKI, unencrypted modes, not parseable) counts as not offered."""
    lines: list[CryptoAttribute] = []
    for value in section.values("crypto"):
        match = _CRYPTO.fullmatch(value)
        if match is None:
            continue
        tag, suite, key_salt, key_rest, session_parameters = match.groups()
        # |lifetime is allowed and ignored; |MKI:length (has a colon) and a second key (;inline:) are not supported
        if ":" in key_rest or ";" in key_rest:
            continue
        if any(word in (session_parameters or "").upper() for word in _UNSUPPORTED_SESSION_PARAMETERS):
            continue
        lines.append(CryptoAttribute(tag=int(tag), suite=suite.upper(), key_salt=key_salt))
    return tuple(lines)
