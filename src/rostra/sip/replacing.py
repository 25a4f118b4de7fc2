"""Which call another one replaces (RFC 3891)."""

from __future__ import annotations

import dataclasses
import urllib.parse

from rostra.sip.errors import RemoteError
from rostra.sip.headers import TOKEN, parse_parameters
from rostra.sip.message import Request
from rostra.sip.uri import Uri

LONGEST = 512
"""Characters of one such header."""


@dataclasses.dataclass(frozen=True, slots=True)
class Replaces:
    """A dialog, as whoever is sent the header knows it: `to_tag` is the receiver's own."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Of the dialog at the receiver."""
        return self.call_id, self.to_tag, self.from_tag

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"


def parse_replaces(text: str) -> Replaces:
    """Read a header value. Raises RemoteError."""
    call_id, semicolon, rest = text.strip().partition(";")
    parameters = parse_parameters(semicolon + rest)
    call_id = call_id.strip()
    to_tag, from_tag = parameters.get("to-tag", ""), parameters.get("from-tag", "")
    named = bool(call_id) and not any(c <= " " or c == "," for c in call_id)
    if len(text) > LONGEST or not named or not TOKEN.fullmatch(to_tag) or not TOKEN.fullmatch(from_tag):
        raise RemoteError("unusable Replaces")  # tags are tokens: what is quoted could hide the end of a line
    return Replaces(call_id, to_tag, from_tag, "early-only" in parameters)


def of_request(request: Request) -> Replaces | None:
    """What an INVITE replaces. Raises RemoteError."""
    values = request.headers.all("Replaces")
    if not values:
        return None
    if len(values) > 1 or request.headers.get("Join") is not None:
        raise RemoteError("Replaces more than once, or with Join")
    return parse_replaces(values[0])


def of_uri(uri: Uri) -> Replaces | None:
    """What a call to this URI shall replace: a header within it, escaped (RFC 3891 4). Raises RemoteError."""
    for part in uri.headers.split("&"):
        name, equals, value = part.partition("=")
        if equals and name.lower() == "replaces":
            return parse_replaces(urllib.parse.unquote(value, errors="replace"))
    return None
