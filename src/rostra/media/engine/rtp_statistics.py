"""Counters of RTP sessions, read from any element that has an `rtpbin` inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from rostra.domain.media import StreamType
from rostra.media.engine.meter import Count, Reading

VIDEO_CLOCK = 90000
_LONGEST = 10
"""Seconds of a round trip from which on there is none."""
CAMERA_CLOCK = 4800
"""Of what moves cameras, which nobody counts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One remote source of a session."""

    source: int
    clock_rate: int
    address: tuple[str, int] | None
    packets: int
    lost: int
    octets: int
    bitrate: float
    jitter: float
    """Seconds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """What we send on a session, with what the far end last reported of it."""

    source: int
    clock_rate: int
    packets: int
    octets: int
    bitrate: float
    lost: int
    jitter: float
    round_trip: float
    highest: int = 0
    """Sequence number up to which it reports, the wraps included; 0: there was no report."""


class Figures(Protocol):
    """What is counted of a stream that has no RTP element."""

    @property
    def received(self) -> list[Received]: ...
    @property
    def sent(self) -> list[Sent]: ...
    @property
    def hosts(self) -> frozenset[str]: ...


class Counting(Protocol):
    """A stream that has no RTP element."""

    def figures(self) -> Figures: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of an RTP element, and others beside it: all functions here take it in place of the element."""

    element: Any
    others: Mapping[int, Counting]


def read(rtpbin: Any, session: int) -> tuple[list[Received], list[Sent]]:
    """Counters of one session; empty while it does not exist."""
    if isinstance(rtpbin, Sessions):
        if session in rtpbin.others:
            figures = rtpbin.others[session].figures()
            return figures.received, figures.sent
        rtpbin = rtpbin.element
    inner = rtpbin.emit("get-internal-session", session) if rtpbin is not None else None
    if inner is None:
        return [], []
    received: list[Received] = []
    sent: list[Sent] = []
    sources = _sources(inner)
    reported = [s for s in sources if not _get(s, "internal", False) and _get(s, "have-rb", False)]
    reports = {_get(one, "rb-ssrc", 0): one for one in reported}
    for source in sources:
        rate = max(1, _get(source, "clock-rate", 0))
        if _get(source, "internal", False):
            if _get(source, "packets-sent", 0):
                report = reports.get(_get(source, "ssrc", 0))
                sent.append(
                    Sent(
                        source=_get(source, "ssrc", 0),
                        clock_rate=rate,
                        packets=_get(source, "packets-sent", 0),
                        octets=_get(source, "octets-sent", 0),
                        bitrate=float(_get(source, "bitrate", 0)),
                        lost=max(0, _get(report, "rb-packetslost", 0)) if report else 0,
                        jitter=_get(report, "rb-jitter", 0) / rate if report else 0.0,
                        round_trip=round_trip(_get(report, "rb-round-trip", 0)) if report else 0.0,
                        highest=_get(report, "rb-exthighestseq", 0) if report else 0,
                    )
                )
        elif _get(source, "packets-received", 0):
            received.append(
                Received(
                    source=_get(source, "ssrc", 0),
                    clock_rate=rate,
                    address=_address(_get(source, "rtp-from", "")),
                    packets=_get(source, "packets-received", 0),
                    lost=max(0, _get(source, "packets-lost", 0)),
                    octets=_get(source, "octets-received", 0),
                    bitrate=float(_get(source, "bitrate", 0)),
                    jitter=_get(source, "jitter", 0) / rate,
                )
            )
    return received, sent


def round_trip(units: int) -> float:
    """Seconds of so many 65536ths; 0, as where there is none, for what no call would survive: a far end that counts
    its own delay a little short, at the moment when these numbers wrap, makes it 18 hours."""
    return units / 65536 if units < 65536 * _LONGEST else 0.0


def passed(now: int, before: int) -> int:
    """Packets between two numbers of reports (RFC 3550 6.4.1, "extended highest sequence number"); negative: the second
    is older. Some far ends do not count wraps, so it is told by 16 bits: between two reports there are fewer."""
    return ((now - before + 0x8000) & 0xFFFF) - 0x8000


def hosts(rtpbin: Any, session: int) -> set[str]:
    """Where media or reports of far sources of a session came from last."""
    if isinstance(rtpbin, Sessions):
        if session in rtpbin.others:
            return set(rtpbin.others[session].figures().hosts)
        rtpbin = rtpbin.element
    found = _far(rtpbin, session)
    places = (_address(_get(one, name, "")) for one in found for name in ("rtp-from", "rtcp-from"))
    return {place[0] for place in places if place is not None}


def sources(rtpbin: Any, session: int) -> set[int]:
    """Numbers of all far sources of a session, whether they send media or only reports."""
    return {_get(one, "ssrc", 0) for one in _far(rtpbin, session)}


def readings(rtpbin: Any, sessions: Iterable[int], slides: Callable[[int, int], bool]) -> list[Reading]:
    """Counters of these sessions, one entry for each kind and direction that is in use.

    `slides` tells, of a picture's session and source, whether it is a presentation.
    """
    found: list[Reading] = []
    read_all = [(session, *read(rtpbin, session)) for session in sessions]
    for kind in StreamType:
        for sending in (False, True):
            sources: dict[tuple[int, int], Received | Sent] = {
                (session, one.source): one
                for session, received, sent in read_all
                for one in (sent if sending else received)
                if one.clock_rate != CAMERA_CLOCK and _kind(one.clock_rate, slides(session, one.source)) is kind
            }
            if not sources:
                continue
            main = max(sources.values(), key=lambda one: one.packets)
            found.append(
                Reading(
                    kind=kind,
                    sending=sending,
                    sources={key: Count(one.packets, one.lost, one.octets) for key, one in sources.items()},
                    bitrate=sum(one.bitrate for one in sources.values()),
                    jitter=main.jitter,
                    round_trip=main.round_trip if isinstance(main, Sent) else 0.0,
                )
            )
    return found


def _kind(clock_rate: int, slides: bool) -> StreamType:
    """All video has a 90 kHz clock (RFC 3551 5), and nothing else has."""
    if clock_rate != VIDEO_CLOCK:
        return StreamType.AUDIO
    return StreamType.PRESENTATION if slides else StreamType.VIDEO


def _far(rtpbin: Any, session: int) -> list[Any]:
    """Counters of each far source."""
    inner = rtpbin.emit("get-internal-session", session) if rtpbin is not None else None
    return [one for one in _sources(inner) if not _get(one, "internal", False)] if inner is not None else []


def _sources(session: Any) -> list[Any]:
    """Counters of each source. (The session's own `stats` hands out structures that it frees meanwhile.)"""
    found = session.get_property("sources") or []
    return [source.get_property("stats") for source in found]


def _get(source: Any, name: str, default: Any) -> Any:
    return source.get_value(name) if source.has_field(name) else default


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = (text or "").rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None
