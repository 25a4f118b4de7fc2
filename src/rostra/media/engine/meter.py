"""What a leg sent and received over its life, from counters that begin anew, vanish and come back. Pure.

A session counts by source (SSRC). A far end may change its source in the middle of a call, and what it sends again
after a loss has a source of its own: of the sources that moved between two looks, the one that moved most is the
stream. All of them take bandwidth.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping

from rostra.domain.media import StreamType
from rostra.domain.quality import WINDOW, Quality, judge, loss
from rostra.media.replies import StreamStatistics

IDLE = 10.0
"""Seconds after which a stream that does not arrive counts as off (DIAG-048)."""
SETTLED = 1.0
"""Seconds two counts are apart at least for a bit rate to come of them; until then it is the session's estimate."""
LATELY = 6.0
"""Seconds that tell the present bit rate."""


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """Of one source, since it began."""

    packets: int = 0
    lost: int = 0
    octets: int = 0

    def __sub__(self, other: Count) -> Count:
        return Count(self.packets - other.packets, self.lost - other.lost, self.octets - other.octets)


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One kind and direction, as its session counts it now. Bit/s and seconds."""

    kind: StreamType
    sending: bool
    sources: Mapping[tuple[int, int], Count]
    """By session and source."""
    bitrate: float = 0.0
    jitter: float = 0.0
    round_trip: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What the RTP session does not know of a leg's streams."""

    codecs: Mapping[StreamType, str]
    pictures: Mapping[tuple[StreamType, bool], tuple[int, int, float]]
    """Width, height and rate by kind and whether it is sent."""


class _Flow:
    """One kind and direction over the life of the leg."""

    def __init__(self, now: float, reading: Reading) -> None:
        self.began = self.moved = now
        self.total = Count()
        self.latest = reading
        self.marked = Count()
        """At the beginning of the window that is judged next."""
        self._sources: dict[tuple[int, int], Count] = {}
        self._past: collections.deque[tuple[float, Count]] = collections.deque()
        self._first: tuple[float, int] | None = None

    def count(self, now: float, reading: Reading) -> None:
        gains = [self._gain(key, count) for key, count in reading.sources.items()]
        self._sources.update(reading.sources)
        most = max(gains, key=lambda gain: gain.packets, default=Count())
        if most.packets > 0:
            self.moved = now
        self.total = Count(
            self.total.packets + most.packets,
            max(0, self.total.lost + most.lost),
            self.total.octets + sum(gain.octets for gain in gains),
        )
        self.latest = reading
        self._first = self._first or (now, self.total.octets)
        self._past.append((now, self.total))
        while len(self._past) > 1 and self._past[1][0] <= now - WINDOW:
            self._past.popleft()

    def _gain(self, key: tuple[int, int], count: Count) -> Count:
        before = self._sources.get(key, Count())
        return count if count.packets < before.packets else count - before

    def recent_loss(self, *, sending: bool) -> float:
        """Percent over the last window."""
        gain = self.total - self._past[0][1] if len(self._past) > 1 else self.total
        return loss(gain.packets, gain.lost, sending=sending)

    def mean(self, now: float) -> float | None:
        """Bit/s since it was first counted; None when that is too short ago."""
        return self._rate(now, self._first)

    def current(self, now: float) -> float | None:
        """The same of the last few seconds."""
        begin = next(((time, count.octets) for time, count in self._past if time >= now - LATELY), None)
        return self._rate(now, begin)

    def _rate(self, now: float, begin: tuple[float, int] | None) -> float | None:
        if begin is None or now - begin[0] < SETTLED:
            return None
        return (self.total.octets - begin[1]) * 8 / (now - begin[0])


class Meter:
    """Of one leg. Times are seconds of a clock that never jumps."""

    def __init__(self) -> None:
        self._flows: dict[tuple[StreamType, bool], _Flow] = {}
        self._window: float | None = None
        self.quality: list[int] = []
        """Values of `domain.quality.Quality`, one for each window that is over."""

    def count(self, now: float, readings: Iterable[Reading]) -> None:
        """Take what sessions count now; every few seconds."""
        for reading in readings:
            key = reading.kind, reading.sending
            if key not in self._flows:
                self._flows[key] = _Flow(now, reading)
            self._flows[key].count(now, reading)
        if self._window is None:
            self._window = now if self._flows else None
        elif now - self._window >= WINDOW:
            self.quality.append(int(self._judge()))
            self._window = now

    def _judge(self) -> Quality:
        """As bad as the worst stream."""
        found = Quality.UNKNOWN
        for (_, sending), flow in self._flows.items():
            gain, flow.marked = flow.total - flow.marked, flow.total
            if gain.packets > 0:
                found = max(found, judge(loss(gain.packets, gain.lost, sending=sending)))
        return found

    def report(self, leg: str, facts: Facts, now: float, wall: float) -> list[StreamStatistics]:
        """All streams there have been; `wall` is `now` as Unix seconds."""
        return [
            _told(leg, self._flows[kind, sending], facts, now, wall)
            for kind in StreamType
            for sending in (False, True)
            if (kind, sending) in self._flows
        ]


def _told(leg: str, flow: _Flow, facts: Facts, now: float, wall: float) -> StreamStatistics:
    latest = flow.latest
    idle = now - flow.moved > IDLE
    current, mean = flow.current(now), flow.mean(now)
    bitrate = latest.bitrate if current is None else current
    width, height, frame_rate = facts.pictures.get((latest.kind, latest.sending), (0, 0, 0.0))
    return StreamStatistics(
        leg=leg,
        kind=latest.kind,
        sending=latest.sending,
        codec=facts.codecs.get(latest.kind, ""),
        bitrate=0.0 if idle else bitrate,
        packets=flow.total.packets,
        lost=flow.total.lost,
        jitter=latest.jitter,
        round_trip=latest.round_trip,
        width=width,
        height=height,
        frame_rate=frame_rate,
        since=wall - (now - flow.began),
        recent_loss=flow.recent_loss(sending=latest.sending),
        mean_bitrate=latest.bitrate if mean is None else mean,
        idle=idle,
    )
