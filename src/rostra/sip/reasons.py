"""Why a call is over, as requests say it (RFC 3326)."""

from __future__ import annotations

import re

from rostra.sip.errors import RemoteError
from rostra.sip.headers import Headers, quote, split_list, unquote

CAUSE_NORMAL = 16
"""Q.850: normal call clearing."""
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
LONGEST = 120
"""Characters of text."""

_TEXT = re.compile(r';\s*text\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+)', re.IGNORECASE)
_CAUSE = re.compile(r";\s*cause\s*=\s*([0-9]{1,3})\b", re.IGNORECASE)


def ending(text: str) -> str:
    """A Reason value for a call that we end."""
    plain = "".join(c for c in text if " " <= c <= "~")[:LONGEST]
    return f"Q.850;cause={CAUSE_NORMAL}" + (f";text={quote(plain)}" if plain else "")


def cancelling(text: str) -> str:
    """The same for a call that nobody has answered yet; a device that lost to another one shows no missed call."""
    if text.lower().endswith("answered elsewhere"):
        return ELSEWHERE
    plain = "".join(c for c in text if " " <= c <= "~")[:LONGEST]
    return "SIP;cause=487" + (f";text={quote(plain)}" if plain else "")


def said(headers: Headers) -> str:
    """What the far end says, for people; empty: nothing."""
    found: list[str] = []
    for value in headers.all("Reason"):
        try:
            items = split_list(value)
        except RemoteError:
            continue
        for item in items:
            protocol = item.partition(";")[0].strip()
            cause, text = _CAUSE.search(item), _TEXT.search(item)
            words = unquote(text[1]) if text else ""
            found.append(" ".join(filter(None, (protocol, cause[1] if cause else "", words))))
    return "; ".join(found)[:LONGEST]
