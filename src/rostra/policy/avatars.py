"""Pictures of participants: what of a server's answer is one (POL-064). Pure."""

from __future__ import annotations

from rostra.domain import jpeg

MOST = 4096
"""Pixels a side that can be asked for."""
USUAL = 100
"""Pixels a side when nothing is said (API-142)."""


def fits(data: bytes, width: int, height: int) -> bool:
    """Is it a JPEG of exactly this size, in colours for a screen?"""
    return jpeg.size(data) == (width, height) and jpeg.components(data) == 3


def usable(data: bytes) -> bool:
    """Is it a JPEG in colours for a screen, whatever its size?"""
    return jpeg.usable(data) and jpeg.components(data) == 3


def side(asked: str) -> int:
    """A width or height as a client asks for it; what is none is the usual one."""
    digits = asked if asked.isascii() and asked.isdigit() and len(asked) < 6 else ""
    return min(int(digits or 0), MOST) or USUAL
