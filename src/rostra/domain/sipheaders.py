"""Headers of their own that people have calls carry (`custom_sip_headers`): read and judged. Pure.

Taken as lines `Name: value` or as a JSON object of names and values. What a call needs to work, and what says who
calls, is not for them to write.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

Headers = tuple[tuple[str, str], ...]

MOST = 20
LONGEST = 1000
"""Characters of a value."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,63}")
_ANYBODY = frozenset({"organization", "priority", "subject", "user-to-user"})
"""What Hosts may write beside headers that begin with X-. Not what makes telephones fetch from an address."""
_WRITTEN = """accept accept-contact accept-encoding accept-language allow allow-events authorization authentication-info
    call-id contact content-disposition content-encoding content-language content-length content-type cseq date event
    expires from max-forwards mime-version min-expires min-se path proxy-authenticate proxy-authorization
    proxy-require rack record-route refer-to referred-by reject-contact replaces request-disposition require
    retry-after route rseq security-client security-server security-verify server service-route session-expires
    sip-etag sip-if-match subscription-state supported timestamp to unsupported user-agent via warning
    www-authenticate
    a b c d e f i j k l m o r s t u v x y"""
_OURS = frozenset(_WRITTEN.split())
"""What the stack writes itself, and the short names."""


def read(given: object) -> Headers:
    """The headers in `given`, whatever they are. Raises ValueError saying what is wrong."""
    if isinstance(given, str):
        text = given.strip()
        pairs = _of_json(text) if text.startswith("{") else _of_lines(text)
    elif isinstance(given, dict):
        pairs = [(str(name), value) for name, value in cast("dict[object, object]", given).items()]
    else:
        raise ValueError("Headers are lines of the form Name: value, or a JSON object.")
    if len(pairs) > MOST:
        raise ValueError(f"More than {MOST} headers.")
    return tuple((name.strip(), _value(name, value)) for name, value in pairs)


def allowed(headers: Headers, *, administrator: bool) -> str:
    """Why these may not be sent, or nothing: administrators may also say who calls, as other headers do."""
    for name, _ in headers:
        plain = name.lower()
        if not _NAME.fullmatch(name):
            return f"{name[:64]!r} is no name of a header."
        if plain in _OURS:
            return f"The header {name} is written by the platform itself."
        if not administrator and not plain.startswith("x-") and plain not in _ANYBODY:
            return f"The header {name} is for administrators; use one that begins with X-."
    return ""


def _of_json(text: str) -> list[tuple[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("The headers are no valid JSON.") from None
    return list(found.items())


def _of_lines(text: str) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"{line[:64]!r} is not of the form Name: value.")
        pairs.append((name, value))
    return pairs


def _value(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"The value of {name[:64]} is no text.")
    value = value.strip()
    if not value.isprintable() or len(value) > LONGEST:
        raise ValueError(f"The value of {name[:64]} is longer than {LONGEST} characters, or not printable.")
    return value
