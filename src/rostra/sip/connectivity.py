"""Calls whose offers bring ICE and DTLS (RFC 8839, RFC 5763): their media is that of browsers, and so are its legs."""

from __future__ import annotations

import dataclasses

from rostra.sdp.session import Attribute, Section, Session, parse

_PROFILE = "UDP/TLS/RTP/SAVPF"
_NEEDED = ("ice-ufrag", "ice-pwd", "fingerprint")
_MEDIA = ("audio", "video")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


def wanted(offer: Session) -> bool:
    """Every stream that is offered has what a browser's has, bundled as browsers do, so that nothing would be lost."""
    streams = [section for section in offer.sections if section.media in _MEDIA and section.port]
    bundled = any(value.startswith("BUNDLE") for value in offer.values("group"))
    return bundled and bool(streams) and all(_like_a_browser(offer, section) for section in streams)


def _like_a_browser(offer: Session, section: Section) -> bool:
    stated = all(section.value(name) or next(iter(offer.values(name)), None) for name in _NEEDED)
    return stated and section.profile.upper() == _PROFILE and section.value("rtcp-mux") is not None


def for_browsers(offer: Session) -> Session:
    """The offer with everything stated section by section, as browsers do."""
    shared = tuple(one for one in offer.attributes if one.name in (*_NEEDED, "setup"))
    sections = [
        dataclasses.replace(
            section,
            attributes=(*section.attributes, *(one for one in shared if section.value(one.name) is None)),
        )
        for section in offer.sections
    ]
    return dataclasses.replace(offer, sections=tuple(sections))


def for_sip(offer: Session, answer: str) -> Session:
    """A browser's answer as SIP wants it.

    What is not used is refused by its port (RFC 3264 6) instead of being inactive, and addresses are those of the
    best candidate (RFC 8839 4.2.1.2) instead of none, for those who look at nothing else.
    """
    answered = parse(answer)
    address, port = "", 0
    sections: list[Section] = []
    for theirs, ours in zip(offer.sections, answered.sections, strict=True):
        unused = ours.value("inactive") is not None and theirs.value("inactive") is None
        if theirs.media not in _MEDIA or not theirs.port or unused:
            sections.append(Section(theirs.media, 0, theirs.profile, theirs.formats))
            continue
        address, port = _default(ours) or (address, port)
        attributes = tuple(one for one in ours.attributes if one.name != "mid" or theirs.value("mid") is not None)
        place = {"address": address or ours.address, "port": port or ours.port}
        sections.append(dataclasses.replace(ours, attributes=attributes, **place))
    return dataclasses.replace(answered, sections=tuple(sections))


def offered_again(answer: Session, *, paused: bool, anew: bool = False) -> Session:
    """Our last answer as an offer of our own: the connection stays (RFC 8842 5.5), what goes which way is new.

    `anew`: the answer is of another connection, which has its part in DTLS by then.
    """
    replaced = _DIRECTIONS if anew else (*_DIRECTIONS, "setup")
    stated = Attribute("sendonly" if paused else "sendrecv"), *(() if anew else (Attribute("setup", "actpass"),))
    sections = [
        dataclasses.replace(one, attributes=(*_without(one, *replaced), *stated)) if one.port else one
        for one in answer.sections
    ]
    return dataclasses.replace(answer, sections=tuple(sections))


def out_of_reach(offer: Session) -> Session:
    """An offer without the far end's candidates: it is yet to hear of the connection that this is for."""
    sections = [
        dataclasses.replace(one, attributes=_without(one, "candidate", "end-of-candidates")) for one in offer.sections
    ]
    return dataclasses.replace(offer, sections=tuple(sections))


def as_an_offer(answer: Session) -> Session:
    """The far end's answer as the offer that browsers' legs follow."""
    made = for_browsers(answer)
    sections = [
        dataclasses.replace(one, attributes=(*_without(one, "setup"), Attribute("setup", "actpass")))
        for one in made.sections
    ]
    return dataclasses.replace(made, sections=tuple(sections))


def numbered(description: Session, version: int) -> Session:
    """With the number that is next in the call (RFC 3264 8)."""
    return dataclasses.replace(description, origin=dataclasses.replace(description.origin, version=version))


def _without(section: Section, *names: str) -> tuple[Attribute, ...]:
    return tuple(one for one in section.attributes if one.name not in names)


def on_hold(offer: Session) -> bool:
    """Nothing is wanted on any stream; of addresses, candidates are what counts."""
    streams = [section for section in offer.sections if section.media in _MEDIA and section.port]
    return all(one.value("sendonly") is not None or one.value("inactive") is not None for one in streams)


def _default(section: Section) -> tuple[str, int] | None:
    """The candidate most likely to be reached: an IPv4 address over UDP; relayed before reflexive before our own."""
    found: list[tuple[int, str, int]] = []
    for value in section.values("candidate"):
        words = value.split()
        if len(words) < 8 or words[2].lower() != "udp" or ":" in words[4] or not words[5].isdecimal():
            continue
        order = {"relay": 0, "srflx": 1}.get(words[7], 2)
        found.append((order, words[4], int(words[5])))
    return min(found, key=lambda one: one[0])[1:] if found else None
