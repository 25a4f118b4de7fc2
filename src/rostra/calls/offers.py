"""What can be told of WebRTC media from its SDP without parsing it all, and how kinds of media compare (pure)."""

from __future__ import annotations

import re

from rostra.domain.media import Content, MediaDescription, MediaKind
from rostra.media.engine import rungs

_WIDTH = {"audio": 0, "video-only": 1, "video": 2}


def narrower(wanted: str, allowed: str) -> str:
    """The media both the client and the service allow (API-078)."""
    return min(wanted, allowed, key=lambda name: _WIDTH.get(name, 2))


def has_active_video(sdp: str) -> bool:
    """Does an SDP have a main video section that is not inactive?"""
    return any(
        section.startswith("video") and "a=inactive" not in section and "a=content:slides" not in section
        for section in _sections(sdp)
    )


def has_slides(sdp: str) -> bool:
    """Does an answer take slides, whatever their direction at present? Refused sections have no feedback lines."""
    return any("a=content:slides" in section and "a=rtcp-fb" in section for section in _sections(sdp))


def full_hd_in(sdp: str) -> bool:
    """Does a browser's offer say that it takes main video of 1080p (POL-113, API-091)?"""
    main = (one for one in _sections(sdp) if one.startswith("video") and "a=content:slides" not in one)
    section = next(main, "")
    stated = re.search(r"(?m)^b=AS:(\d{1,9})\s*$", section)
    limit = int(stated[1]) * 1000 if stated else None
    formats = re.findall(r"(?m)^a=fmtp:\d+ (.*)$", section)
    return any(rungs.takes_full_hd(_parameters(one), limit) for one in formats)


def full_hd_of(offer: MediaDescription) -> bool:
    """The same of a SIP endpoint's."""
    return any(
        rungs.takes_full_hd(codec.parameters, stream.bandwidth or offer.bandwidth)
        for stream in offer.streams
        if stream.kind is MediaKind.VIDEO and stream.content is Content.MAIN and not stream.refused
        for codec in stream.codecs
    )


def _parameters(text: str) -> dict[str, str]:
    members = (one.strip().partition("=") for one in text.split(";"))
    return {name.lower(): value for name, _, value in members}


def _sections(sdp: str) -> list[str]:
    return sdp.replace("\r\n", "\n").split("\nm=")[1:]
