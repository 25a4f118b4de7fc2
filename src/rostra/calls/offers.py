"""What can be told of WebRTC media from its SDP without parsing it all, and how kinds of media compare (pure)."""

from __future__ import annotations

_WIDTH = {"audio": 0, "video-only": 1, "video": 2}


def narrower(wanted: str, allowed: str) -> str:
    """The media both the client and the service allow (API-078)."""
    return min(wanted, allowed, key=lambda name: _WIDTH.get(name, 2))


def has_active_video(sdp: str) -> bool:
    """Does an SDP have a main video section that is not inactive?"""
    sections = sdp.replace("\r\n", "\n").split("\nm=")[1:]
    return any(
        section.startswith("video") and "a=inactive" not in section and "a=content:slides" not in section
        for section in sections
    )
