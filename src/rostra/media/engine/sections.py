"""Session descriptions as sections of lines: just enough SDP (RFC 8866) to answer WebRTC offers as text.

The neutral `rostra.domain.media` description has no room for ICE, DTLS and bundling, which only this engine
needs; so WebRTC offers stay text here, cut into sections.
"""

from __future__ import annotations

import dataclasses

from rostra.domain.media import Content, Direction
from rostra.media.codecs.row import Parameters

_LONGEST = 256 * 1024
_MOST_SECTIONS = 64


class BadDescription(Exception):
    """The description cannot be understood; the text says where."""


@dataclasses.dataclass(frozen=True, slots=True)
class Payload:
    """One format of an m-line with its rtpmap and fmtp."""

    number: int
    name: str
    clock_rate: int
    channels: int
    parameters: Parameters
    fmtp: str
    mapping: str
    """The rtpmap as written: some clients compare names with their case."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One m-section: the m-line's members and every line below it, without line ends."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]

    def values(self, attribute: str) -> list[str]:
        """What follows `a=<attribute>:` on each such line (empty for a flag)."""
        return attribute_values(self.lines, attribute)

    def value(self, attribute: str) -> str:
        return next(iter(self.values(attribute)), "")

    @property
    def mid(self) -> str:
        return self.value("mid")

    @property
    def content(self) -> Content:
        """RFC 4796; what we do not know counts as main."""
        return Content.SLIDES if "slides" in self.value("content").split(",") else Content.MAIN

    @property
    def direction(self) -> Direction:
        for line in self.lines:
            if line[2:] in tuple(Direction):
                return Direction(line[2:])
        return Direction.SENDRECV

    @property
    def receive_limit(self) -> int | None:
        """Most bit/s the describing side wants to receive here (b=TIAS, else b=AS)."""
        found = [line[2:].partition(":") for line in self.lines if line.startswith("b=")]
        limits = {name: int(value) for name, _, value in found if is_number(value)}
        if "TIAS" in limits:
            return limits["TIAS"]
        return limits["AS"] * 1000 if "AS" in limits else None

    @property
    def payloads(self) -> list[Payload]:
        """The formats that are payload types with an rtpmap, in the m-line's order."""
        maps = dict(value.split(" ", 1) for value in self.values("rtpmap") if " " in value)
        formats = dict(value.split(" ", 1) for value in self.values("fmtp") if " " in value)
        return [
            _payload(int(number), maps.get(number) or _STATIC[number], formats.get(number, ""))
            for number in self.formats
            if is_number(number) and (number in maps or number in _STATIC)
        ]


_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""RFC 3551 payload types that may come without rtpmap."""


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A whole offer or answer."""

    session: tuple[str, ...]
    sections: tuple[Section, ...]

    def session_values(self, attribute: str) -> list[str]:
        return attribute_values(self.session, attribute)

    def transport_value(self, section: Section, attribute: str) -> str:
        """A transport attribute of a section, which may be stated once for the session."""
        return section.value(attribute) or next(iter(self.session_values(attribute)), "")


def attribute_values(lines: tuple[str, ...], attribute: str) -> list[str]:
    """Values of `a=<attribute>` lines."""
    prefix = f"a={attribute}"
    return [line[len(prefix) + 1 :] for line in lines if line == prefix or line.startswith(prefix + ":")]


def is_number(text: str) -> bool:
    """Digits alone, and no more than any number has that descriptions state."""
    return text.isascii() and text.isdecimal() and len(text) < 11


def parse(text: str) -> Description:
    """Cut a description into sections. Raises BadDescription."""
    if len(text) > _LONGEST:
        raise BadDescription(f"{len(text)} characters are too long")
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    lines = [line for line in lines if line]
    if not lines or lines[0] != "v=0":
        raise BadDescription("it does not begin with v=0")
    for line in lines:
        if len(line) < 2 or line[1] != "=" or "\0" in line or "\r" in line:
            raise BadDescription(f"not a description line: {line[:60]!r}")
    starts = [i for i, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > _MOST_SECTIONS:
        raise BadDescription(f"{len(starts)} media sections are too many")
    ends = [*starts[1:], len(lines)][: len(starts)]
    sections = tuple(_section(lines[start], lines[start + 1 : end]) for start, end in zip(starts, ends, strict=True))
    return Description(tuple(lines[: starts[0]] if starts else lines), sections)


def _section(media: str, lines: list[str]) -> Section:
    words = media[2:].split()
    port = words[1].partition("/")[0] if len(words) >= 4 else ""
    if not is_number(port) or int(port) > 65535:
        raise BadDescription(f"not a media line: {media[:60]!r}")
    return Section(words[0], int(port), words[2], tuple(words[3:]), tuple(lines))


def _payload(number: int, mapping: str, fmtp: str) -> Payload:
    name, rate, channels = [*mapping.strip().split("/"), "", ""][:3]
    if not is_number(rate) or number > 127 or (channels and not is_number(channels)):
        raise BadDescription(f"not a payload type: {number} {mapping[:60]!r}")
    members = [member.strip().partition("=") for member in fmtp.split(";") if member.strip()]
    parameters = {key.lower() if sep else "": value if sep else key for key, sep, value in members}
    return Payload(number, name.upper(), int(rate), int(channels or 1), parameters, fmtp, mapping.strip())
