"""Counters of RTP sessions, read from any element that has an `rtpbin` inside."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One remote source of a session."""

    source: int
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
    packets: int
    octets: int
    bitrate: float
    lost: int
    jitter: float
    round_trip: float


def read(rtpbin: Any, session: int) -> tuple[list[Received], list[Sent]]:
    """Counters of one session; empty while it does not exist."""
    inner = rtpbin.emit("get-internal-session", session) if rtpbin is not None else None
    if inner is None:
        return [], []
    received: list[Received] = []
    sent: list[Sent] = []
    sources = _sources(inner)
    report = next((s for s in sources if not _get(s, "internal", False) and _get(s, "have-rb", False)), None)
    for source in sources:
        rate = max(1, _get(source, "clock-rate", 0))
        if _get(source, "internal", False):
            if _get(source, "packets-sent", 0):
                sent.append(
                    Sent(
                        source=_get(source, "ssrc", 0),
                        packets=_get(source, "packets-sent", 0),
                        octets=_get(source, "octets-sent", 0),
                        bitrate=float(_get(source, "bitrate", 0)),
                        lost=max(0, _get(report, "rb-packetslost", 0)) if report else 0,
                        jitter=_get(report, "rb-jitter", 0) / rate if report else 0.0,
                        round_trip=_get(report, "rb-round-trip", 0) / 65536 if report else 0.0,
                    )
                )
        elif _get(source, "packets-received", 0):
            received.append(
                Received(
                    source=_get(source, "ssrc", 0),
                    address=_address(_get(source, "rtp-from", "")),
                    packets=_get(source, "packets-received", 0),
                    lost=max(0, _get(source, "packets-lost", 0)),
                    octets=_get(source, "octets-received", 0),
                    bitrate=float(_get(source, "bitrate", 0)),
                    jitter=_get(source, "jitter", 0) / rate,
                )
            )
    return received, sent


def _sources(session: Any) -> list[Any]:
    """Counters of each source. (The session's own `stats` hands out structures that it frees meanwhile.)"""
    found = session.get_property("sources") or []
    return [source.get_property("stats") for source in found]


def _get(source: Any, name: str, default: Any) -> Any:
    return source.get_value(name) if source.has_field(name) else default


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = (text or "").rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None
