"""What an endpoint and a worker are told when an edge node relays between them (sheet 11, POL-130, POL-139).

Pure. The endpoint sees the relay's outside places instead of the worker's, the worker the relay's inside places instead
of the endpoint's. RTP agreements are `MediaDescription`s; WebRTC stays text, of which only addresses change.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from rostra.domain.media import MediaDescription, MediaStream


class Place(NamedTuple):
    """An IPv4 address and a UDP port."""

    address: str
    port: int


class NoCandidate(Exception):
    """A worker's answer has a transport that a relay cannot reach: no UDP candidate with a literal IPv4 address."""


# ---- RTP legs ---------------------------------------------------------------------------------------------


class RtpSides(NamedTuple):
    """An agreement as the worker gets it, and where signalling says the endpoint's streams are."""

    local: MediaDescription
    remote: MediaDescription
    announced: tuple[tuple[Place, Place] | None, ...]
    """RTP and RTCP of each relayed stream; None: refused, or nowhere in particular."""


def for_worker(
    local: MediaDescription,
    remote: MediaDescription,
    *,
    outside: Sequence[Place],
    inside: Sequence[Place],
    worker: Sequence[Place],
) -> RtpSides:
    """Turn what was agreed with the endpoint into what `connect_rtp` tells the worker.

    `outside[i]`, `inside[i]` and `worker[i]` are the places of relayed stream i; `local` names the outside ones. A
    stream on a port that is no relay's stays as it is. ValueError when the sides differ in length.
    """
    index_of = {place.port: index for index, place in enumerate(outside)}
    ours: list[MediaStream] = []
    theirs: list[MediaStream] = []
    announced: list[tuple[Place, Place] | None] = [None] * len(outside)
    for here, there in zip(local.streams, remote.streams, strict=True):
        index = None if here.refused or there.refused else index_of.get(here.port)
        if index is not None:
            announced[index] = _announced(there, remote.address)
            here = _moved(here, worker[index])
            if announced[index]:  # else it stays nowhere: the worker shall not send
                there = _moved(there, inside[index])
        ours.append(here)
        theirs.append(there)
    return RtpSides(
        msgspec.structs.replace(local, streams=tuple(ours)),
        msgspec.structs.replace(remote, streams=tuple(theirs)),
        tuple(announced),
    )


def _announced(stream: MediaStream, session_address: str) -> tuple[Place, Place] | None:
    address = stream.address or session_address
    if not _is_host(address):
        return None
    control = stream.rtcp_port or (stream.port if stream.rtcp_mux else min(stream.port + 1, 65535))
    return Place(address, stream.port), Place(address, control)


def _moved(stream: MediaStream, place: Place) -> MediaStream:
    """RTCP is beside RTP at relays and workers, or on the same port where that was agreed."""
    return msgspec.structs.replace(stream, address=place.address, port=place.port, rtcp_port=0)


def _is_host(address: str) -> bool:
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return not (parsed.is_unspecified or parsed.is_multicast)


# ---- WebRTC -----------------------------------------------------------------------------------------------


class Transport(NamedTuple):
    """One component of one m-section's transport: it needs one relay."""

    section: int
    component: int
    worker: Place
    """Where the worker waits for it."""


def transports(answer: str, *, near: str = "") -> tuple[Transport, ...]:
    """What a worker's complete answer needs relays for, in order; bundled sections share the first one's.

    Of several candidates the one at address `near` (the worker's node as this one reaches it) is taken, else the one of
    the highest priority. Raises NoCandidate when there is none for an answer's transport, or no transport at all.
    """
    found: list[Transport] = []
    for index, lines in enumerate(_sections(answer)[1:]):
        candidates = [line.removeprefix("a=candidate:").split() for line in lines if line.startswith("a=candidate:")]
        usable = [words for words in candidates if _usable(words)]
        if candidates and not any(words[1] == "1" for words in usable):
            raise NoCandidate(f"section {index} has only {', '.join(' '.join(words[1:6]) for words in candidates)}")
        for component in (1, 2):
            own = [words for words in usable if words[1] == str(component)]
            if own:
                best = max(own, key=lambda words: (words[4] == near, int(words[3])))
                found.append(Transport(index, component, Place(best[4], int(best[5]))))
    if not found:
        raise NoCandidate("the answer has no candidates")
    return tuple(found)


def answer_through(answer: str, relays: Mapping[Transport, Place]) -> str:
    """The answer for the endpoint: each transport has one candidate for each component, its relay's outside place.

    It is a host candidate, as the relay behaves like an address of the worker: nothing is asked of it first.
    Everything else about the worker's addresses goes: candidates, connection lines, `a=rtcp`.
    """
    sections = _sections(answer)
    places: dict[int, dict[int, Place]] = {}
    for transport, place in relays.items():
        places.setdefault(transport.section, {})[transport.component] = place
    mids = [_value(lines, "a=mid:") for lines in sections[1:]]
    bundle = next((line.split()[1:] for line in sections[0] if line.startswith("a=group:BUNDLE")), list[str]())
    shared = next((places[i] for i, mid in enumerate(mids) if mid in bundle and i in places), None)
    written = [line for line in sections[0] if not line.startswith(("c=", "a=candidate:"))]
    for index, lines in enumerate(sections[1:]):
        own = places.get(index)
        at = own or (shared if mids[index] in bundle else None)
        written += _section_through(lines, at, candidates=own is not None)
    return "\r\n".join(written) + "\r\n"


def offer_through(offer: str) -> str:
    """The offer for the worker: without candidates, as it reaches the endpoint by the relay alone and learns of that
    from the endpoint's checks (a peer-reflexive candidate, RFC 8445 7.3.1.3). Trickled candidates are dropped likewise.
    """
    dropped = ("a=candidate:", "a=remote-candidates:", "a=end-of-candidates")
    return "\r\n".join(line for lines in _sections(offer) for line in lines if not line.startswith(dropped)) + "\r\n"


_ADDRESSES = ("c=", "a=candidate:", "a=end-of-candidates", "a=rtcp:", "a=remote-candidates:")


def _section_through(lines: list[str], at: Mapping[int, Place] | None, *, candidates: bool) -> list[str]:
    media = lines[0].split(" ")
    main = at.get(1) if at else None
    if main and media[1] != "0":
        media[1] = str(main.port)
    written = [" ".join(media)]
    written += [line for line in lines[1:] if line.startswith("i=")]  # RFC 8866 5: before c=
    written.append(f"c=IN IP4 {main.address if main else '0.0.0.0'}")  # noqa: S104  (nowhere, as ICE writes it)
    rest = [line for line in lines[1:] if not line.startswith(("i=", *_ADDRESSES))]
    written += [line for line in rest if line.startswith(("b=", "k="))]
    if at and main and any(line.startswith("a=rtcp:") for line in lines):
        control = at.get(2, main)
        written.append(f"a=rtcp:{control.port} IN IP4 {control.address}")
    if at and candidates:
        written += [_candidate(component, place) for component, place in sorted(at.items())]
        written.append("a=end-of-candidates")
    return written + [line for line in rest if not line.startswith(("b=", "k="))]


def _candidate(component: int, place: Place) -> str:
    priority = (126 << 24) + (65535 << 8) + 256 - component  # RFC 8445 5.1.2.2: the only host candidate
    return f"a=candidate:1 {component} UDP {priority} {place.address} {place.port} typ host"


def _usable(words: list[str]) -> bool:
    return bool(
        len(words) >= 8
        and words[2].lower() == "udp"
        and words[1] in ("1", "2")
        and re.fullmatch("[0-9]{1,10}", words[3])
        and _is_host(words[4])
        and re.fullmatch("[0-9]{1,5}", words[5])
        and 0 < int(words[5]) < 65536
        and words[7] == "host"
    )


def _sections(text: str) -> list[list[str]]:
    """The lines of the session and of each m-section."""
    found: list[list[str]] = [[]]
    for raw in text.split("\n"):  # and at nothing else that Python takes for a line's end
        line = raw.removesuffix("\r")
        if line.startswith("m="):
            found.append([])
        if line:
            found[-1].append(line)
    return found


def _value(lines: Sequence[str], prefix: str) -> str:
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")
