"""Session descriptions as text: parser and serialiser (RFC 8866, and RFC 4566 before it).

The parser takes what real endpoints send: bare LF, missing `s=`/`t=`, unknown line types, lines out of order. It
insists on `v=0`, a usable `o=` and well-formed `m=`, `c=` and `b=` lines, within fixed limits.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator

from rostra.sdp.errors import SdpError

MAX_SIZE = 64 * 1024
MAX_LINES = 2000
MAX_SECTIONS = 32
MAX_FORMATS = 128

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")
_UNSIGNED = re.compile(r"[0-9]{1,20}")
_HOST = re.compile(r"[0-9A-Za-z.:%_\-]{1,255}")


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """`a=name` or `a=name:value`."""

    name: str
    value: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line."""

    session_id: int = 0
    version: int = 0
    address: str = "127.0.0.1"
    user: str = "-"


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One `m=` line with what follows it."""

    media: str
    port: int
    profile: str
    formats: tuple[str, ...]
    port_count: int = 1
    address: str = ""
    """Of the section's own `c=` line; empty without one."""
    bandwidths: tuple[tuple[str, int], ...] = ()
    attributes: tuple[Attribute, ...] = ()

    def values(self, name: str) -> Iterator[str]:
        """Values of all attributes called `name`; an empty string where there is none."""
        return (a.value or "" for a in self.attributes if a.name == name)

    def value(self, name: str) -> str | None:
        """Value of the first attribute called `name`; None if absent."""
        return next(self.values(name), None)


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """A whole description."""

    origin: Origin = Origin()
    name: str = "-"
    address: str = ""
    bandwidths: tuple[tuple[str, int], ...] = ()
    attributes: tuple[Attribute, ...] = ()
    sections: tuple[Section, ...] = ()

    def values(self, name: str) -> Iterator[str]:
        """Values of all session-level attributes called `name`."""
        return (a.value or "" for a in self.attributes if a.name == name)


@dataclasses.dataclass(slots=True)
class _Level:
    """What a session and a section have in common, while reading."""

    address: str = ""
    bandwidths: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    attributes: list[Attribute] = dataclasses.field(default_factory=list)
    section: Section | None = None


def parse(data: bytes | str) -> Session:
    """Read a description. Raises SdpError."""
    lines = _lines(data)
    if not lines or lines[0] != ("v", "0"):
        raise SdpError("a description begins with v=0")
    origin: Origin | None = None
    name = "-"
    levels = [_Level()]
    for kind, value in lines[1:]:
        level = levels[-1]
        if kind == "o":
            origin = _origin(value)
        elif kind == "s" and len(levels) == 1:
            name = value
        elif kind == "c":
            level.address = level.address or _connection(value)
        elif kind == "b":
            level.bandwidths.extend(_bandwidth(value))
        elif kind == "a":
            level.attributes.append(_attribute(value))
        elif kind == "m":
            if len(levels) > MAX_SECTIONS:
                raise SdpError(f"more than {MAX_SECTIONS} m= lines")
            levels.append(_Level(section=_media(value)))
        elif kind == "v":
            raise SdpError("a second v= line")
    if origin is None:
        raise SdpError("o= line is missing")
    top, *rest = levels
    return Session(
        origin=origin,
        name=name,
        address=top.address,
        bandwidths=tuple(top.bandwidths),
        attributes=tuple(top.attributes),
        sections=tuple(_complete(level) for level in rest),
    )


def serialise(session: Session) -> str:
    """Write a description, lines ended by CRLF."""
    origin = session.origin
    lines = [
        "v=0",
        f"o={origin.user} {origin.session_id} {origin.version} IN {_family(origin.address)} {origin.address}",
        f"s={session.name or '-'}",
        *_level_lines(session.address, session.bandwidths),
        "t=0 0",
        *(_attribute_line(attribute) for attribute in session.attributes),
    ]
    for section in session.sections:
        count = f"/{section.port_count}" if section.port_count != 1 else ""
        lines.append(f"m={section.media} {section.port}{count} {section.profile} {' '.join(section.formats)}")
        lines.extend(_level_lines(section.address, section.bandwidths))
        lines.extend(_attribute_line(attribute) for attribute in section.attributes)
    return "\r\n".join(lines) + "\r\n"


def _lines(data: bytes | str) -> list[tuple[str, str]]:
    if len(data) > MAX_SIZE:
        raise SdpError(f"longer than {MAX_SIZE} bytes")
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    if "\0" in text:
        raise SdpError("a NUL character")
    raw = [line.rstrip("\r") for line in text.split("\n")]
    while raw and not raw[-1].strip():
        raw.pop()
    if len(raw) > MAX_LINES:
        raise SdpError(f"more than {MAX_LINES} lines")
    lines: list[tuple[str, str]] = []
    for number, line in enumerate(raw, 1):
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha():
            raise SdpError(f"line {number} is not of the form x=…")
        lines.append((line[0], line[2:].strip() if line[0] != "a" else line[2:].rstrip()))
    return lines


def _unsigned(text: str, most: int, what: str) -> int:
    if not _UNSIGNED.fullmatch(text) or int(text) > most:
        raise SdpError(f"{what} {text[:40]!r} is not a number up to {most}")
    return int(text)


def _origin(value: str) -> Origin:
    parts = value.split()
    if len(parts) != 6:
        raise SdpError("o= does not have six members")
    user, session_id, version, _, _, address = parts
    if not _HOST.fullmatch(address):
        raise SdpError("o= has no usable address")
    most = 10**20
    return Origin(_unsigned(session_id, most, "session id"), _unsigned(version, most, "session version"), address, user)


def _connection(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0].upper() != "IN" or parts[1].upper() not in ("IP4", "IP6"):
        raise SdpError(f"c= {value[:60]!r} is not an Internet address")
    address = parts[2].split("/")[0]
    if not _HOST.fullmatch(address):
        raise SdpError("c= has no usable address")
    return address


def _bandwidth(value: str) -> Iterator[tuple[str, int]]:
    kind, colon, amount = value.partition(":")
    if not colon or not _TOKEN.fullmatch(kind):
        raise SdpError(f"b= {value[:60]!r} is not kind:number")
    yield kind.upper() if kind.upper() in ("AS", "CT", "TIAS") else kind, _unsigned(amount.strip(), 10**12, "bandwidth")


def _attribute(value: str) -> Attribute:
    name, colon, rest = value.partition(":")
    name = name.strip()
    if not name or not _TOKEN.fullmatch(name):
        raise SdpError(f"a= {value[:60]!r} has no usable name")
    return Attribute(name.lower(), rest if colon else None)


def _media(value: str) -> Section:
    parts = value.split()
    if len(parts) < 4:
        raise SdpError(f"m= {value[:60]!r} has fewer than four members")
    media, ports, profile, *formats = parts
    port, _, count = ports.partition("/")
    if not _TOKEN.fullmatch(media) or len(formats) > MAX_FORMATS:
        raise SdpError(f"m= {value[:60]!r} cannot be used")
    return Section(
        media=media.lower(),
        port=_unsigned(port, 65535, "port"),
        port_count=_unsigned(count, 100, "number of ports") if count else 1,
        profile=profile.upper(),
        formats=tuple(formats),
    )


def _complete(level: _Level) -> Section:
    if level.section is None:
        raise SdpError("a section without m=")
    return dataclasses.replace(
        level.section,
        address=level.address,
        bandwidths=tuple(level.bandwidths),
        attributes=tuple(level.attributes),
    )


def _family(address: str) -> str:
    try:
        return f"IP{ipaddress.ip_address(address).version}"
    except ValueError:
        return "IP4"


def _level_lines(address: str, bandwidths: tuple[tuple[str, int], ...]) -> Iterator[str]:
    if address:
        yield f"c=IN {_family(address)} {address}"
    for kind, amount in bandwidths:
        yield f"b={kind}:{amount}"


def _attribute_line(attribute: Attribute) -> str:
    return f"a={attribute.name}" if attribute.value is None else f"a={attribute.name}:{attribute.value}"
