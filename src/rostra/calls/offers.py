"""What can be told of WebRTC media from its SDP without parsing it all, and how kinds of media compare (pure)."""

from __future__ import annotations

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


def _sections(sdp: str) -> list[str]:
    return sdp.replace("\r\n", "\n").split("\nm=")[1:]
