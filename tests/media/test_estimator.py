"""The estimate of what a path takes: a bottleneck that changes, losses that are nobody's fault, reports that stay out.

The bottleneck is the queue of `impaired.Line`; time is simulated.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rostra.media.engine import estimator
from rostra.media.engine.estimator import Base, Estimate, Heard
from rostra.media.engine.feedback import Missed, Reports
from rostra.media.engine.rtp_statistics import Sent

from .impaired import Impairment, Line

FRAME, LOOK, PACKET, BACK = 1 / 30, 0.2, 1200, 0.05
CEILING = 1_764_000


class Path:
    """Somebody who sends pictures just as fast as the estimate says, and the reports of it."""

    def __init__(self, *, ceiling: int = CEILING, every: float = LOOK, timed: bool = True, seed: int = 1) -> None:
        self.estimate = Estimate()
        self.now = 0.0
        self._ceiling, self._every, self._timed = ceiling, every, timed
        self._line, self._random, self._base = Line(seed), random.Random(seed), Base()
        self._under_way: list[tuple[float, float | None, int]] = []
        self._sent: list[tuple[float, int]] = []
        self._looked = self._reported = 0.0
        self._latest: float | None = None

    def run(self, seconds: float, how: Impairment) -> Iterator[int]:
        """The rate at each look."""
        self._line.impairment = how
        for _ in range(round(seconds / FRAME)):
            self.now += FRAME
            rate = min(self.estimate.bitrate or self._ceiling, self._ceiling)
            self._send(int(rate * FRAME / 8 * self._random.uniform(0.6, 1.4)))
            if self.now - self._looked >= LOOK:
                self._looked = self.now
                sent = sum(8 * octets for at, octets in self._sent if at > self.now - 1) / min(1, self.now)
                self.estimate.look(self.now, self._heard(), sent, self._ceiling)
                yield min(self.estimate.bitrate or self._ceiling, self._ceiling)

    def _send(self, octets: int) -> None:
        self._sent.append((self.now, octets))
        count = max(1, round(octets / PACKET))
        for _ in range(count):
            at = self._line.arrivals(self.now, octets // count)
            self._under_way.append((self.now, at[0] if at else None, octets // count))

    def _heard(self) -> Heard | None:
        if self.now - self._reported < self._every - 0.01:
            return None
        passed, self._reported = self.now - self._reported, self.now
        known = [one for one in self._under_way if (one[1] or one[0]) < self.now - BACK]
        self._under_way = [one for one in self._under_way if one not in known]
        came = [(at, at - sent, octets) for sent, at, octets in known if at is not None]
        if not came:
            return Heard(0, len(known), 0, passed) if known else None
        last = max(at for at, _, _ in came)
        span, self._latest = last - (self._latest or last - passed), last
        queue = self._base.above(self.now, min(waited for _, waited, _ in came)) if self._timed else None
        bits = 8 * sum(octets for _, _, octets in came)
        return Heard(len(came), len(known) - len(came), bits, span if self._timed else passed, queue)


@pytest.mark.parametrize(
    ("how", "queue", "down", "up", "swing"),
    [
        ({}, 0.3, 4, 8, 0.2),
        ({"seed": 7}, 1.0, 4, 8, 0.35),  # so long a queue takes its time to drain
        ({"seed": 9, "ceiling": 6_000_000}, 0.3, 4, 8, 0.2),
        ({}, 0.06, 4, 8, 0.25),  # hardly any queue: what is too much is lost
        ({"every": 1.0, "timed": False}, 0.3, 6, 10, 0.5),  # RTCP reports alone, once a second
    ],
)
def test_it_finds_what_a_bottleneck_takes(
    how: dict[str, float], queue: float, down: float, up: float, swing: float
) -> None:
    """2 Mbit/s, then 400 kbit/s, then 1.2 Mbit/s, then no bottleneck at all."""
    path = Path(**how)  # pyright: ignore[reportArgumentType]
    begin = list(path.run(10, Impairment(rate=2_000_000, queue=queue, delay=0.03)))
    assert sum(begin[10:]) / len(begin[10:]) > 0.85 * min(2_000_000, how.get("ceiling", CEILING))
    for rate, within in ((400_000, down), (1_200_000, up)):
        line = Impairment(rate=rate, queue=queue, delay=0.03)
        assert any(abs(one / rate - 1) < 0.2 for one in path.run(within, line))
        list(path.run(14 - within, line))
        rates = list(path.run(20, line))
        assert all(abs(one / rate - 1) < swing for one in rates), rates
        assert abs(sum(rates) / len(rates) / rate - 1) < 0.15
    assert list(path.run(20, Impairment(delay=0.03)))[-1] == how.get("ceiling", CEILING)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_loss_that_is_the_paths_own_costs_no_quality_for_long(share: float, timed: bool) -> None:
    path = Path(every=LOOK if timed else 1.0, timed=timed)
    line = Impairment(loss=share, delay=0.03)
    list(path.run(25, line))
    assert min(path.run(10, line)) > 0.75 * CEILING
    list(path.run(10, Impairment(delay=0.03)))
    assert path.estimate.bitrate is None


def test_key_frames_that_wait_for_themselves_are_no_excess() -> None:
    """A packet that has not waited shows that the queue drains."""
    estimate = Estimate()
    for number in range(100):
        queue = 0.12 if number % 10 == 0 else 0.0
        estimate.look(number * LOOK, Heard(30, 0, 240_000, LOOK, queue), 1_200_000, CEILING)
    assert estimate.bitrate is None


def test_a_queue_while_little_is_sent_does_not_cost_all() -> None:
    """A machine that stalls when a call begins looks like a queue."""
    estimate = Estimate()
    for number in range(4):
        estimate.look(number * LOOK, Heard(8, 0, 12_000, LOOK, 0.1 * number), 60_000, CEILING, CEILING)
    assert estimate.bitrate == CEILING // 2


def test_reports_that_stay_out_are_a_sign_while_we_send() -> None:
    estimate = Estimate()
    for number in range(10):
        estimate.look(number * LOOK, Heard(30, 0, 240_000, LOOK, 0.0), 1_200_000, CEILING)
    for number in range(10, 60):
        estimate.look(number * LOOK, None, 0, CEILING)
    assert estimate.bitrate is None, "nothing was sent"
    for number in range(60, 80):
        estimate.look(number * LOOK, None, 1_200_000, CEILING)
    assert estimate.bitrate == 840_000
    silent = Estimate()
    for number in range(80):
        silent.look(number * LOOK, None, 1_200_000, CEILING)
    assert silent.bitrate is None, "it has never reported"


HEARD = st.none() | st.builds(
    Heard,
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.integers(0, 1 << 40),
    st.floats(0, 100),
    st.none() | st.floats(0, 100),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.floats(0, 10), HEARD, st.floats(0, 1e9)), max_size=60), st.integers(96_000, 10_000_000))
def test_whatever_is_reported_a_rate_is_left(said: list[tuple[float, Heard | None, float]], ceiling: int) -> None:
    estimate, now = Estimate(), 0.0
    for passed, heard, sent in said:
        now += passed
        before = estimate.bitrate
        estimate.look(now, heard, sent, ceiling)
        assert estimate.bitrate is None or estimate.bitrate >= estimator.FLOOR
        if heard is None and before is not None and estimate.bitrate is not None:
            assert estimate.bitrate <= max(before, estimator.FLOOR), "nothing rises without a report"


def report(highest: int, lost: int, octets: int, *, round_trip: float = 0.05, source: int = 1) -> Sent:
    return Sent(source, 90_000, highest, octets, 0.0, lost, 0.0, round_trip, highest)


def test_reports_tell_what_came_between_them() -> None:
    reports = Reports()
    assert reports.heard(0, report(0, 0, 0)) is None
    assert reports.heard(1, report(1000, 10, 100_000)) is None  # the first tells of what was before
    assert reports.heard(2, report(1000, 10, 150_000)) is None  # it is no new one
    heard = reports.heard(5, report(1400, 110, 300_000))
    assert heard == Heard(300, 100, 8 * 200_000 * 3 // 4, 4, 0.0)
    assert reports.sent == 8 * 150_000 / 3
    slow = reports.heard(6, report(1500, 110, 400_000, round_trip=0.5))
    assert slow
    assert 0.25 < (slow.queue or 0) < 0.35
    twice = reports.heard(7, report(1600, 100, 450_000))
    assert twice == Heard(100, 0, 400_000, 1, 0.0), "what came twice was not lost"
    assert reports.heard(8, report(5, 0, 10, source=2)) is None
    assert reports.heard(9, None) is None
    assert reports.sent == 0


def test_what_is_asked_for_again_tells_sooner() -> None:
    reports = Reports()
    assert reports.heard(0, report(1000, 0, 100_000), Missed(100, 0, 100_000)) is None
    assert reports.sent == 800_000
    heard = reports.heard(1, report(1000, 0, 200_000), Missed(100, 25, 80_000))
    assert heard == Heard(75, 25, 480_000, 1, None, 0.4)
    assert reports.sent == 640_000


def test_the_least_is_of_the_last_seconds() -> None:
    base = Base()
    assert [round(base.above(now, value), 3) for now, value in ((0, 0.5), (1, 0.4), (2, 0.6))] == [0, 0, 0.2]
    late = [base.above(now, 0.7) for now in range(3, 40)]
    assert late[0] == pytest.approx(0.3)
    assert late[-1] == 0
    assert all(one >= other for one, other in itertools.pairwise(late))
