"""What becomes of a WebRTC offer: which sections are accepted, in which codec and direction. Pure (API-080 to API-093).

What is then written, for the client and for the transport element, is in `webrtc_answer`.
"""

from __future__ import annotations

import dataclasses

from rostra.domain.media import Content, Direction
from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine.sections import BadDescription, Description, Payload, Section, parse
from rostra.media.messages import Slides

RETRANSMISSION = "RTX"
REDUNDANCY = "RED"

NO_SLIDES = Slides(wanted=False)


class NoCommonCodec(Exception):
    """Nothing of the offer can be used."""


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """The codec of an accepted section."""

    row: CodecRow
    payload: Payload
    parameters: dict[str, str]
    """fmtp members of our answer."""
    retransmission: Payload | None = None
    redundancy: Payload | None = None
    """Packets of sound that carry the one before them (RFC 2198)."""
    events: Payload | None = None
    """Telephone events beside audio."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedSection:
    """One offered section and what becomes of it."""

    offered: Section
    mid: str
    chosen: Chosen | None = None
    inner: int = -1
    """Index of the section in the inner offer; -1: not wanted, answered inactive."""
    direction: Direction = Direction.INACTIVE
    """Of our answer, seen from us."""
    slides: bool = False

    @property
    def accepted(self) -> bool:
        return self.inner >= 0

    @property
    def role(self) -> str:
        """What it carries: `audio`, `video` or `slides`."""
        return "slides" if self.slides else self.offered.kind


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of an offer."""

    offer: Description
    sections: tuple[PlannedSection, ...]
    bundled: bool

    @property
    def accepted(self) -> list[PlannedSection]:
        return [section for section in self.sections if section.accepted]

    @property
    def agreed(self) -> list[tuple[PlannedSection, Chosen]]:
        """The accepted sections with their codecs."""
        return [(section, section.chosen) for section in self.accepted if section.chosen]

    def of_role(self, role: str) -> PlannedSection | None:
        """The accepted section of `audio`, `video` or `slides`."""
        return next((section for section in self.accepted if section.role == role), None)

    def inner_index(self, mid: str) -> int | None:
        """Where candidates of a mid go: the one transport when bundled. None: to no transport of ours."""
        if self.bundled:
            return 0
        return next((s.inner for s in self.accepted if s.mid == mid), None)

    def credentials(self) -> tuple[str, ...]:
        """The offer's ICE user fragments: others than before mean an ICE restart (RFC 8839 4.4.1)."""
        return tuple(self.offer.transport_value(section.offered, "ice-ufrag") for section in self.accepted)

    def fingerprints(self) -> set[str]:
        """Of the certificates that the far end may show (RFC 8122 5)."""
        stated = (section.offered.values("fingerprint") for section in self.accepted)
        return {one for values in stated for one in values or self.offer.session_values("fingerprint")}


_WANTED = {"video": {"audio", "video"}, "video-only": {"video"}, "audio": {"audio"}}


def plan(offer: str, media_type: str = "video", slides: Slides = NO_SLIDES) -> Plan:
    """Decide on an offer. Raises BadDescription or NoCommonCodec.

    A section for slides is accepted also while nothing is on it, so that it can be used later on this connection.
    """
    description = parse(offer)
    if not description.sections:
        raise BadDescription("it has no media section")
    wanted = set(_WANTED.get(media_type, _WANTED["video"]))
    if slides.only:
        wanted = set[str]()
    if slides.wanted:
        wanted.add("slides")
    found: list[PlannedSection] = []
    inner = 0
    for index, section in enumerate(description.sections):
        second = section.kind == "video" and (slides.only or section.content is Content.SLIDES)
        planned = PlannedSection(section, section.mid or str(index), _choose(section), slides=second)
        if planned.chosen and planned.role in wanted and section.port:
            _check_transport(description, section)
            wanted.remove(planned.role)
            direction = section.direction.reversed()
            if second:
                direction = _slides_direction(section.direction, slides)
            planned = dataclasses.replace(planned, inner=inner, direction=direction)
            inner += 1
        found.append(planned)
    if not inner:
        raise NoCommonCodec("no offered section has a codec of ours")
    mids = {section.mid for section in found if section.accepted}
    groups = [set(value.split()[1:]) for value in description.session_values("group") if value.startswith("BUNDLE")]
    return Plan(description, tuple(found), bundled=any(mids <= group for group in groups))


def _slides_direction(offered: Direction, slides: Slides) -> Direction:
    """API-092: both ways stay both ways, and the engine says what goes; one way only for who may."""
    if offered is Direction.SENDRECV:
        return offered
    return offered.reversed().limited_to(Direction.of(slides.sends, slides.receives))


def _check_transport(description: Description, section: Section) -> None:
    for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
        if not description.transport_value(section, attribute):
            raise BadDescription(f"section {section.mid!r} has no a={attribute}")


def _redundancy(section: Section, chosen: Payload) -> Payload | None:
    """For sound alone: with pictures it would bring ULPFEC, whose packets nobody sends again and all would wait for."""
    inside = {str(chosen.number)}
    offered = (p for p in section.payloads if p.name == REDUNDANCY and section.kind == "audio")
    return next((p for p in offered if set(p.fmtp.split("/")) == inside and p.clock_rate == chosen.clock_rate), None)


def _choose(section: Section) -> Chosen | None:
    """The first offered codec that is ours; among its forms the one its row ranks best."""
    payloads = section.payloads
    forms: list[tuple[Payload, CodecRow, dict[str, str]]] = []
    for payload in payloads:
        row = codecs.BROWSERS.get(payload.name)
        agreed = row.accept(payload.parameters) if row and row.encoder and row.kind == section.kind else None
        if row and agreed is not None and row.clock_rate == payload.clock_rate:
            forms.append((payload, row, agreed))
    if not forms:
        return None
    first = forms[0][1]
    payload, row, agreed = max((form for form in forms if form[1] is first), key=lambda f: f[1].rank(f[0].parameters))
    return Chosen(
        codecs.BY_NAME[row.name],
        payload,
        agreed,
        retransmission=next(
            (p for p in payloads if p.name == RETRANSMISSION and p.parameters.get("apt") == str(payload.number)), None
        ),
        redundancy=_redundancy(section, payload),
        events=next((p for p in payloads if p.name == codecs.EVENTS.name and p.clock_rate == payload.clock_rate), None)
        or next((p for p in payloads if p.name == codecs.EVENTS.name), None),
    )
