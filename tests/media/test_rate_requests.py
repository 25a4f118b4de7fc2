"""TMMBR and TMMBN: what they say, what is obeyed, and when less is asked for (RFC 5104)."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from rostra.media.engine import rate_requests as requests
from rostra.media.engine.rate_requests import Bounds, Entry, Throttle
from tests.fuzzing import fuzzed


def test_the_packet_is_the_rfcs() -> None:
    """A report without blocks, the name, and feedback: RTPFB with the form, no media source, one entry."""
    made = requests.packet(requests.TMMBR, 0x11223344, "me@here", [Entry(0xA0B0C0D0, 512_000, 40)])
    assert made[:8] == bytes.fromhex("80c9000111223344")
    assert made[8:16] == bytes.fromhex("81ca0004") + bytes.fromhex("11223344")
    rest = made[8 + 4 * (struct.unpack("!H", made[10:12])[0] + 1) :]
    assert rest[:12] == bytes.fromhex("83cd00041122334400000000")
    # 512000 = 128000 * 2^2 does not need the rounding of 17 bits: exponent 2, mantissa 128000, overhead 40
    assert rest[12:] == bytes.fromhex("a0b0c0d0") + struct.pack("!I", 2 << 26 | 128_000 << 9 | 40)


@fuzzed(3_000)
@given(st.lists(st.builds(Entry, st.integers(0, 2**32 - 1), st.integers(0, 2**40), st.integers(0, 511)), max_size=5))
def test_what_is_written_is_read_again(stated: list[Entry]) -> None:
    read = requests.entries(requests.information(stated) + b"end")
    assert [(one.source, one.overhead) for one in read] == [(one.source, one.overhead) for one in stated]
    for there, here in zip(read, stated, strict=True):
        assert here.bitrate <= there.bitrate <= here.bitrate * (1 + 2**-16) + 1


@fuzzed(10_000)
@given(st.binary(max_size=64))
def test_whatever_comes_there_is_a_rate_left(control: bytes) -> None:
    bounds = Bounds()
    asked = requests.entries(control)
    bounds.take(1, asked, {entry.source for entry in asked})
    assert bounds.limit is None or bounds.limit >= requests.FLOOR


@given(st.integers(0, 2**32))
def test_rates_that_are_obeyed_are_few_and_not_above_what_was_asked(bitrate: int) -> None:
    obeyed = requests.obeyed(bitrate)
    assert requests.FLOOR <= obeyed <= max(bitrate, requests.FLOOR)
    assert obeyed == requests.obeyed(obeyed) or obeyed == requests.FLOOR
    assert obeyed > bitrate * 0.79 or obeyed == requests.FLOOR


def test_the_lowest_request_counts_and_is_confirmed() -> None:
    bounds = Bounds()
    assert not bounds.take(7, [Entry(99, 100_000, 0)], {5})
    assert bounds.limit is None
    assert bounds.take(7, [Entry(5, 1_048_576, 0)], {5})
    assert bounds.take(8, [Entry(5, 524_288, 0), Entry(99, 1, 0)], {5})
    assert bounds.limit == 524_288
    assert list(bounds.notification()) == [Entry(8, 524_288, 0)]
    bounds.take(8, [Entry(5, 4_194_304, 0)], {5})
    assert bounds.limit == 1_048_576
    for sender in range(100):
        bounds.take(sender, [Entry(5, 2_097_152, 0)], {5})
    assert bounds.limit == 2_097_152  # those that were first are no longer remembered


def test_less_is_asked_for_while_packets_get_lost_and_more_afterwards() -> None:
    throttle, now, packets, lost = Throttle(), 0.0, 0, 0

    def after(seconds: float, came: int, missing: int, bitrate: float) -> bool:
        nonlocal now, packets, lost
        now, packets, lost = now + seconds, packets + came, lost + missing
        return throttle.look(now, packets, lost, bitrate)

    assert not after(0, 100, 0, 1e6)
    assert not after(1, 100, 50, 1e6)  # too soon
    assert not after(1.1, 100, 0, 1e6) or throttle.wanted
    assert after(2.1, 80, 20, 1e6)
    assert throttle.wanted is not None
    assert 500_000 < throttle.wanted < 800_000
    first = throttle.wanted
    assert after(2.1, 80, 20, 700_000)
    assert throttle.wanted < first
    for _ in range(200):
        after(2.1, 2, 3, 1000)
        after(2.1, 40, 30, 1000)
    assert throttle.wanted == requests.FLOOR  # never nothing
    seen = [throttle.wanted for _ in range(120) if after(2.1, 100, 0, 1e6)]
    assert throttle.wanted is None  # free again
    assert seen == [*sorted(one or requests.CEILING for one in seen[:-1]), None]


def test_who_has_left_limits_nobody() -> None:
    bounds = Bounds()
    bounds.take(1, [Entry(7, 128_000, 40)], [7])
    bounds.take(2, [Entry(7, 512_000, 40)], [7])
    bounds.keep({2})
    assert bounds.limit == requests.obeyed(Entry(7, 128_000, 40).media), "its first report may be yet to come"
    bounds.keep({1, 2})
    bounds.keep({2, 3})
    assert bounds.limit == requests.obeyed(Entry(7, 512_000, 40).media)
    bounds.keep(())
    assert bounds.limit is None
    assert list(bounds.notification()) == []


def test_an_estimate_is_the_drafts() -> None:
    """Payload-specific feedback 15: `REMB`, how many sources, six bits of exponent and 18 of mantissa, the sources."""
    made = requests.estimate(0x11223344, "me", 1_000_000, {0xA0B0C0D0})
    rest = made[8 + 16 :]
    assert rest[:12] == bytes.fromhex("8fce00051122334400000000")
    assert rest[12:16] == b"REMB"
    assert rest[16:] == bytes([1]) + (2 << 18 | 250_000).to_bytes(3) + bytes.fromhex("a0b0c0d0")
    assert requests.estimated(rest[12:]) == 1_000_000


@fuzzed(3_000)
@given(st.binary(max_size=40), st.integers(0, 2**40))
def test_estimates_are_read_again(control: bytes, bitrate: int) -> None:
    found = requests.estimated(control)
    assert found is None or (found >= 0 and control[:4] == b"REMB")
    read = requests.estimated(requests.estimate(1, "me", bitrate, ())[-8:])
    assert read is not None
    assert bitrate * (1 - 2**-17) <= read <= bitrate
