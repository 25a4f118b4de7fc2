"""Bodies of INFO: what the far end asks for within a call."""

from __future__ import annotations

import re
from typing import Final

_DIGITS = re.compile(r"[0-9A-D*#]")
_SIGNAL = re.compile(r"^[ \t]*signal[ \t]*=[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_NAMED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}

UNDERSTOOD: Final = frozenset({"application/media_control+xml", "application/dtmf-relay", "application/dtmf"})
"""Types of bodies that are taken; others are 415 (RFC 6086 4.2.2)."""

KEYFRAME: Final = (
    "application/media_control+xml",
    b'<?xml version="1.0" encoding="utf-8"?>\n<media_control><vc_primitive><to_encoder><picture_fast_update/>'
    b"</to_encoder></vc_primitive></media_control>\n",
)
"""What asks for a key frame (RFC 5168): content type and body."""


DURATION = 200
"""Milliseconds of a digit."""


def relayed(digit: str) -> tuple[str, bytes]:
    """What stands for a digit where media has no telephone events: content type and body."""
    return "application/dtmf-relay", f"Signal={digit}\r\nDuration={DURATION}\r\n".encode()


def wants_keyframe(content_type: str, body: bytes) -> bool:
    """RFC 5168 `picture_fast_update`."""
    return content_type == "application/media_control+xml" and b"picture_fast_update" in body


def digits(content_type: str, body: bytes) -> str:
    """The DTMF digit of an `application/dtmf-relay` or `application/dtmf` body; empty without one."""
    text = body.decode("ascii", "replace")
    if content_type == "application/dtmf-relay":
        match = _SIGNAL.search(text)
        signal = match[1] if match else ""
    elif content_type == "application/dtmf":
        signal = text.strip()
    else:
        return ""
    signal = _NAMED.get(signal, signal).upper()
    return signal if _DIGITS.fullmatch(signal) else ""
