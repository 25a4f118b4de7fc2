"""A day of counters that wrap: what is made of them is what would be made of numbers that never do."""

from __future__ import annotations

import dataclasses
import random
import struct
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.media import CodecParameters, MediaKind
from rostra.media.engine.estimator import Estimate, Heard
from rostra.media.engine.feedback import Reports
from rostra.media.engine.redundancy import Redundancy
from rostra.media.engine.rtp_statistics import Sent, passed, round_trip

from .conftest import Driven
from .endpoints import OPUS, VP8
from .wires import Socketed

DAY = 24 * 3600
EVERY = 5
"""Seconds between reports."""
MANY = 2**40
"""More packets than any call has."""


@dataclasses.dataclass(frozen=True)
class Told:
    """A report, in numbers that do not wrap."""

    time: float
    highest: int
    lost: int
    octets: int
    way: float


def day(seed: int, begin: int) -> Iterator[Told]:
    """Reports of a stream of up to 1200 packets a second: some get lost on their way, or overtaken."""
    chance = random.Random(seed)
    highest, lost, octets = begin | 1, 0, 0  # odd for ever: 0 stands for no report
    told: list[Told] = []
    for now in range(0, DAY, EVERY):
        came = 2 * chance.randrange(1, 600 * EVERY)
        highest, octets = highest + came, octets + 900 * came
        lost += came // 5 if now // 600 % 3 == 1 else 0
        told.append(Told(float(now), highest, lost, octets, 0.02 + 0.01 * chance.random()))
    for one in told:
        if chance.random() < 0.95:
            yield one
        if chance.random() < 0.02:
            yield dataclasses.replace(told[max(0, int(one.time) // EVERY - 1)], time=one.time + 1)


def sent(one: Told, bits: int | None) -> Sent:
    highest = one.highest if bits is None else one.highest % (1 << bits)
    return Sent(1, 90000, one.highest, one.octets, 0.0, one.lost, 0.0, one.way, highest)


def estimated(told: list[Told], bits: int | None) -> tuple[list[Heard | None], list[int | None], list[float]]:
    reports, estimate, redundancy = Reports(), Estimate(prompt=False), Redundancy()
    heard = [reports.heard(one.time, sent(one, bits)) for one in told]
    rates: list[int | None] = []
    for one, what in zip(told, heard, strict=True):
        estimate.look(one.time, what, 1_000_000, 2_000_000)
        rates.append(estimate.bitrate)
    return heard, rates, [redundancy.share(sent(one, bits).highest, one.lost) for one in told]


@pytest.mark.parametrize("bits", [16, 32], ids=["far ends that do not count wraps", "those that do"])
@pytest.mark.parametrize("begin", [0, 2**32 - 5_000_001, 2**31 - 9])
def test_a_day_of_reports(bits: int, begin: int) -> None:
    told = list(day(begin, begin))
    assert told[-1].highest - begin > 500 * 2**16
    wrapped, plain = estimated(told, bits), estimated(told, None)
    for one, other in zip(wrapped, plain, strict=True):
        assert one == other
    assert sum(one is not None and one.lost > 0 for one in plain[0]) > 1000
    assert any(plain[1])
    assert max(plain[2]) > 0.05


@given(st.integers(0, MANY), st.integers(-(2**15), 2**15 - 1), st.sampled_from([16, 32, 64]))
def test_packets_between_two_numbers(before: int, came: int, bits: int) -> None:
    most = 1 << bits
    assert passed((before + came) % most, before % most) == came


def measured(now: float, sent_at: float, delay: float) -> int:
    """What an RTP session finds (RFC 3550 6.4.1): times in 65536ths of a second, in 32 bits."""
    arrival, answered = (int(one * 65536) & 0xFFFFFFFF for one in (now, sent_at))
    known = answered + int(delay * 65536) & 0xFFFFFFFF
    return arrival - known if 0 < known < arrival else 0


@given(st.floats(0, 5 * 65536), st.floats(0.0, 5.0), st.floats(0.0, 2.0), st.floats(-0.01, 0.01))
def test_how_long_the_way_is_through_wraps_of_the_time(now: float, delay: float, way: float, wrong: float) -> None:
    """The far end's clock may run a little fast."""
    found = round_trip(measured(now + delay + way, now, delay + wrong))
    assert found == 0 or abs(found - (way - wrong)) < 0.001


def test_just_at_a_wrap_a_far_end_that_counts_too_much_is_not_far_away() -> None:
    units = measured(65536 - 0.001, 65535.0, 1.001)
    assert units > 65535 * 65535
    assert round_trip(units) == 0


@pytest.mark.parametrize(("codec", "kind"), [(VP8, MediaKind.VIDEO), (OPUS, MediaKind.AUDIO)])
async def test_the_clock_of_reports_is_one_that_nobody_sets(
    driven: Driven, codec: CodecParameters, kind: MediaKind
) -> None:
    """So sound and pictures stay together, and the way as long as it is, when the machine's time is corrected."""
    far = Socketed(codec)
    try:
        await far.join(driven.worker, "far", kind)
        found: list[bytes] = []
        while not found:
            far.send(0, bytes(20), 0)
            found = [body for what, _, body in await far.control() if what == 200]
        seconds, fraction = struct.unpack("!II", found[0][4:12])
        assert time.monotonic() - 5 < seconds + fraction / 2**32 <= time.monotonic()
    finally:
        far.close()
