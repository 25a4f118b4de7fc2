"""What two sides of a call say of media: how much each may send (status and history, DIAG-045), in which shape. Pure.

Each side states the most it takes (`b=` of its description or of its streams). A stream nobody limits counts as what
it takes at our best quality.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from rostra.domain.media import Content, MediaDescription, MediaKind
from rostra.domain.service import ServiceDescription

AUDIO = 64_000
VIDEO = 1_700_000
"""Bit/s of our best picture."""
_TYPICAL: Mapping[str, int] = {"audio": AUDIO, "video": VIDEO}
_LIMIT = re.compile(r"^b=(AS|CT|TIAS):(\d{1,9})\s*$", re.MULTILINE)


def of_rtp(service: ServiceDescription, local: MediaDescription, remote: MediaDescription) -> dict[str, float]:
    """Members of `conference.roster.Participant`, from what the two sides state."""
    return {
        "rx_bandwidth": of_description(local, service.max_callrate_in),
        "tx_bandwidth": of_description(remote, service.max_callrate_out),
        **shape_of(remote),
    }


def shape_of(remote: MediaDescription) -> dict[str, float]:
    """The same of the shape of its picture, where the far end says so."""
    main = (s for s in remote.streams if s.kind is MediaKind.VIDEO and s.content is Content.MAIN and not s.refused)
    ratio = next((stream.ratio for stream in main if stream.ratio), 0.0)
    return {"aspect_ratio": ratio} if ratio else {}


def of_webrtc(service: ServiceDescription, offer: str, answer: str) -> dict[str, int]:
    """The same of a browser's offer and our answer."""
    return {
        "rx_bandwidth": of_sdp(answer, service.max_callrate_in),
        "tx_bandwidth": of_sdp(offer, service.max_callrate_out),
    }


def of_description(description: MediaDescription, ours: int | None = None) -> int:
    """Bit/s the side that states this may be sent; `ours`: limit of the service."""
    live = [stream for stream in description.streams if not stream.refused and stream.content is Content.MAIN]
    streams = sum(
        stream.bandwidth or _TYPICAL[stream.kind]
        for stream in live
        if stream.kind in (MediaKind.AUDIO, MediaKind.VIDEO)
    )
    return _least(streams, (description.bandwidth, ours))


def of_sdp(sdp: str, ours: int | None = None) -> int:
    """The same of a browser's session."""
    head, *sections = _levels(sdp)
    live = [one for one in sections if "a=inactive" not in one and "a=content:slides" not in one]
    streams = sum(_stated(one) or _TYPICAL.get(one.split(" ", 1)[0], 0) for one in live)
    return _least(streams, (_stated(head), ours))


def asked(sdp: str) -> int:
    """Kbit/s that an offer asks for: as a whole, else what its streams do; 0: it does not say (sheet 11, 3.1)."""
    head, *sections = _levels(sdp)
    live = [one for one in sections if one.split(" ", 2)[1:2] != ["0"]]
    return (_stated(head) or sum(_stated(one) or 0 for one in live)) // 1000


def capped(remote: MediaDescription, limit: int | None) -> MediaDescription:
    """What the far end states, no higher than what we send at most."""
    least = min((value for value in (remote.bandwidth, limit) if value), default=None)
    return remote if least == remote.bandwidth else msgspec.structs.replace(remote, bandwidth=least)


def _least(streams: int, limits: Iterable[int | None]) -> int:
    return min([streams, *(limit for limit in limits if limit)])


def _levels(sdp: str) -> list[str]:
    """The session's lines, then those of each stream."""
    return re.split(r"^m=", sdp.replace("\r\n", "\n"), flags=re.MULTILINE)


def _stated(section: str) -> int | None:
    """TIAS counts in bit/s, AS and CT in kbit/s; the former is the most exact (RFC 3890)."""
    found = {kind: int(amount) for kind, amount in _LIMIT.findall(section)}
    return found.get("TIAS") or (found.get("AS") or found.get("CT") or 0) * 1000 or None
