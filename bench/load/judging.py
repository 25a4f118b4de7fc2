"""What receivers got, judged: pictures a second and gaps of sound. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

from bench.load.receiving import Packet

PLAYED_AFTER = 0.1
"""Seconds after the quickest packets at which a packet is played: a usual jitter buffer."""
LEAST_FRAMES = 29.0
"""Of video a second."""
LONGEST_GAP = 0.04
"""Seconds of sound."""
LEAST_LIKENESS = 0.93
"""SSIM of what is shown and what should be."""
SENT_LATE = 0.035
"""Seconds: a load that is itself this late proves nothing about gaps."""


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """A frame of video that came complete."""

    arrived: float
    stamp: int
    payloads: tuple[bytes, ...]


def complete(packets: Sequence[Packet]) -> list[Frame]:
    """Frames none of whose packets are missing, of packets in the order of their numbers."""
    found: list[Frame] = []
    begin = 0
    for at, packet in enumerate(packets):
        if at and packet.stamp != packets[at - 1].stamp:
            begin = at
        if not packet.marker:
            continue
        part = packets[begin : at + 1]
        whole = part[-1].sequence - part[0].sequence + 1 == len(part)
        starts = begin == 0 or packets[begin - 1].sequence + 1 == part[0].sequence
        if whole and starts:
            latest = max(one.arrived for one in part)
            found.append(Frame(latest, packet.stamp, tuple(one.payload for one in part)))
        begin = at + 1
    return found


def rate(frames: Sequence[Frame], begin: float, end: float) -> float:
    """Frames a second, each counted once."""
    return len({frame.stamp for frame in frames if begin <= frame.arrived < end}) / (end - begin)


def longest_gap(
    packets: Sequence[Packet], clock_rate: int, begin: float, end: float, spoken: Callable[[float], bool]
) -> float:
    """Seconds of sound that were missing in one go when they were to be played, while somebody spoke.

    Each packet is played `PLAYED_AFTER` the quickest one, by the time it bears; one that is not there by then is
    missing. `spoken`: whether somebody else has been speaking for some while at a time. A sender of ours has packets
    of 20 ms; one that sends longer ones is judged by what it sends.
    """
    inside = [packet for packet in packets if begin <= packet.arrived < end]
    if not inside:
        return end - begin
    first = inside[0].stamp
    times = [((packet.stamp - first + 0x80000000) % 2**32 - 0x80000000) / clock_rate for packet in inside]
    quickest = min(packet.arrived - at for packet, at in zip(inside, times, strict=True))
    length = _length(times)
    played = sorted(
        at for packet, at in zip(inside, times, strict=True) if packet.arrived <= quickest + at + PLAYED_AFTER
    )
    borders = [(begin - quickest, played[0]) if played else (0.0, end - begin)]
    borders += [(one + length, two) for one, two in itertools.pairwise(played)]
    if played:
        borders.append((played[-1] + length, end - quickest - PLAYED_AFTER))
    longest = 0.0
    for since, until in borders:
        if until - since > longest and spoken(quickest + since) and spoken(quickest + until):
            longest = until - since
    return longest


def _length(times: Sequence[float]) -> float:
    """Seconds of a packet: what is usual between two."""
    steps = sorted(two - one for one, two in itertools.pairwise(times) if two > one)
    return steps[len(steps) // 2] if steps else 0.02
