"""SIP addresses: URIs and name-addr fields (RFC 3261 19.1, 20.10, 25.1)."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from rostra.sip.errors import RemoteError
from rostra.sip.headers import TOKEN, parse_parameters, unquote
from rostra.sip.remembering import remembered

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+\-.]*):(.+)", re.DOTALL)
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:#\[\]^`|{}]|%[0-9A-Fa-f]{2}|[^\x00-\x7f])+")
"""Wider than the grammar by what telephones really send (`#`); controls, spaces, quotes and < > stay out."""
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9\-_.]*[A-Za-z0-9.])?)(?::([0-9]{1,5}))?")
_QUOTED_NAME = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*<([^<>]*)>', re.DOTALL)
_PLAIN_NAME = re.compile(r"([^<>\"]*)<([^<>]*)>", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Uri:
    """A `sip:` or `sips:` URI. Other schemes have only `scheme` and `opaque`."""

    scheme: str
    user: str = ""
    """As written, escapes kept; without password."""
    host: str = ""
    """IPv6 in brackets, as written."""
    port: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    headers: str = ""
    opaque: str = ""

    @property
    def is_sip(self) -> bool:
        return self.scheme in ("sip", "sips")

    @property
    def bare_host(self) -> str:
        """Host without the brackets of IPv6, lower case."""
        return self.host.strip("[]").lower()

    @property
    def decoded_user(self) -> str:
        """User part with escapes resolved (19.1.4) and anything unprintable taken out."""
        text = urllib.parse.unquote(self.user, errors="replace")
        return "".join(c for c in text if c.isprintable())

    def parameter(self, name: str) -> str | None:
        return dict(self.parameters).get(name)

    @property
    def address(self) -> str:
        """`user@host` for people and logs, without scheme, port and parameters."""
        if not self.is_sip:
            return self.opaque
        return f"{self.decoded_user}@{self.bare_host}" if self.user else self.bare_host

    def __str__(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.opaque}"
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        parameters = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.parameters)
        return f"{self.scheme}:{user}{self.host}{port}{parameters}{f'?{self.headers}' if self.headers else ''}"


@remembered
def parse_uri(text: str) -> Uri:
    """Read a URI. Raises RemoteError."""
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise RemoteError(f"{text[:60]!r} is not a URI")
    scheme, rest = match[1].lower(), match[2]
    if scheme not in ("sip", "sips"):
        if any(c <= " " or c in '<>"' for c in rest):
            raise RemoteError(f"{text[:60]!r} is not a URI")
        return Uri(scheme, opaque=rest)
    user, at, after = rest.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise RemoteError(f"{text[:60]!r} has no usable user part")
    address, _, headers = after.partition("?")
    if any(c <= " " or c in '<>"' for c in headers):
        raise RemoteError(f"{text[:60]!r} has unusable headers")
    host_port, semicolon, parameters = address.partition(";")
    found = _HOST_PORT.fullmatch(host_port)
    if found is None or (found[2] is not None and not 0 < int(found[2]) < 65536):
        raise RemoteError(f"{text[:60]!r} has no usable host")
    return Uri(
        scheme,
        user=user.partition(":")[0],
        host=found[1],
        port=int(found[2]) if found[2] else None,
        parameters=_uri_parameters(parameters) if semicolon else (),
        headers=headers,
    )


def _uri_parameters(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if not name or any(c <= " " or c in '<>",@' for c in part):
            raise RemoteError(f"unusable URI parameters {text[:40]!r}")
        found.append((name.lower(), value))
    return tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class NameAddr:
    """`"Name" <uri>;parameters` (From, To, Contact, Route)."""

    uri: Uri
    display_name: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def tag(self) -> str:
        return dict(self.parameters).get("tag", "")


@remembered
def parse_name_addr(text: str) -> NameAddr:
    """Read a name-addr or addr-spec with header parameters. Raises RemoteError.

    Without angle brackets, what follows a semicolon belongs to the header (20.10), and a URI must not have
    a comma or question mark.
    """
    text = text.strip()
    match = _QUOTED_NAME.match(text)
    if match is not None:
        return NameAddr(parse_uri(match[2]), unquote(match[1]), tuple(parse_parameters(text[match.end() :]).items()))
    if "<" in text:
        match = _PLAIN_NAME.match(text)
        if match is None or not all(TOKEN.fullmatch(word) for word in match[1].split() if word.isascii()):
            raise RemoteError(f"unusable display name or address in {text[:60]!r}")
        return NameAddr(parse_uri(match[2]), match[1].strip(), tuple(parse_parameters(text[match.end() :]).items()))
    spec, semicolon, parameters = text.partition(";")
    if "?" in spec or "," in spec or '"' in spec:
        raise RemoteError(f"{text[:60]!r} needs angle brackets")
    return NameAddr(parse_uri(spec.strip()), "", tuple(parse_parameters(semicolon + parameters).items()))


def split_parameters(text: str) -> tuple[str, dict[str, str]]:
    """The address of a name-addr or addr-spec as written, and the header's parameters. Raises RemoteError."""
    text = text.strip()
    match = _QUOTED_NAME.match(text) or _PLAIN_NAME.match(text)
    address, rest = (match[0], text[match.end() :]) if match is not None else _before_semicolon(text)
    return address.strip(), parse_parameters(rest)


def _before_semicolon(text: str) -> tuple[str, str]:
    address, semicolon, rest = text.partition(";")
    return address, semicolon + rest
