"""A line takes what networks do to packets: loss, disorder, wraps, other sources, garbage; the mixer's time is ours."""

from __future__ import annotations

import ctypes
import struct
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import resident
from .mixing import BLOCK, PCMU, Line, Mixer, level, tone

HUM = 600
PACKETS = 250
SUITE = 4
"""AES_CM_128_HMAC_SHA1_80."""


def mu_law(samples: np.ndarray) -> bytes:
    """ITU-T G.711, of 8 kHz."""
    magnitude = np.minimum(np.abs(samples), 32635).astype(int) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    return bytes((~((samples < 0) * 128 | exponent << 4 | mantissa) & 255).astype(np.uint8))


HUMMED = mu_law(np.round(8000 * np.sin(2 * np.pi * HUM * np.arange(160 * PACKETS) / 8000)).astype(int))


def packet(i: int) -> bytes:
    return HUMMED[160 * i : 160 * i + 160]


class Far:
    """A far end that hums in G.711; `deliver` tells when which packet arrives, by ticks."""

    def __init__(self, mixer: Mixer, line: Line) -> None:
        self._mixer = mixer
        self.line = line
        mixer.listener("ear")

    def hum(self, arrivals: Callable[[int], list[int]], first: int = 65500, stamp: int = 0xFFFFF000) -> np.ndarray:
        """What is heard in so many ticks as there are packets."""
        heard: list[np.ndarray] = []
        for now in range(PACKETS):
            for i in arrivals(now):
                self.line.rtp(first + i, stamp + 160 * i, packet(i))
            heard.append(self._mixer.tick()["ear"])
        return np.concatenate(heard)


@pytest.fixture
def far(mixer: Mixer) -> Iterator[Far]:
    line = mixer.line("far", PCMU)
    yield Far(mixer, line)
    line.close()


def levels(heard: np.ndarray) -> np.ndarray:
    """By block, relative to the hum."""
    return np.array([level(heard[i : i + BLOCK]) for i in range(0, len(heard), BLOCK)]) - level(tone(HUM, 1, 8000))


def test_in_order_nothing_is_made_up_and_numbers_may_wrap(far: Far) -> None:
    heard = far.hum(lambda now: [now])
    assert np.abs(levels(heard)[5:]).max() < 0.5
    state = far.line.read()
    assert (state.concealed, state.late, state.sources[0].lost, state.sources[0].packets) == (0, 0, 0, PACKETS)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_lost_packets_are_made_up(far: Far, share: float) -> None:
    """At 5 % less than 1 % of the time is a gap; at 20 % it is still to be understood."""
    random = np.random.default_rng(7)
    lost = random.random(PACKETS) < share
    lost[:10] = False
    heard = far.hum(lambda now: [] if lost[now] else [now])
    gaps = np.mean(levels(heard)[5:] < -12)
    assert gaps < (0.01 if share < 0.1 else 0.08)
    state = far.line.read()
    assert state.sources[0].lost == pytest.approx(lost.sum(), abs=1)
    assert state.concealed == pytest.approx(lost.sum(), rel=0.15)


def test_disorder_is_put_right_and_waited_for_once_it_is_known(far: Far) -> None:
    """Every tenth packet comes three later: after the first few there is time to wait for it."""
    order = [i + 3 if i % 10 == 5 else i for i in range(PACKETS)]

    def arrivals(now: int) -> list[int]:
        return [i for i, then in enumerate(order) if then == now]

    heard = far.hum(arrivals)
    half = far.line.read()
    assert np.mean(levels(heard)[PACKETS // 2 :] < -3) < 0.01
    assert 0 < half.late <= 8, "only at first does it come too late"
    assert half.sources[0].lost == 0


def test_what_comes_twice_is_heard_once(far: Far) -> None:
    heard = far.hum(lambda now: [now, now] + ([now - 2] if now > 2 else []))
    assert np.abs(levels(heard)[5:]).max() < 0.5
    assert far.line.read().late == 0


def test_what_comes_twice_in_bursts_is_heard_once(far: Far) -> None:
    heard = far.hum(lambda now: [now, *(range(now - 3, now + 1) if now > 3 and now % 4 == 0 else [])])
    assert np.abs(levels(heard)[5:]).max() < 0.5
    assert far.line.read().late == 0


@pytest.mark.parametrize("back", [3, 17, 50, 99, 100, 101, 1000])
@pytest.mark.parametrize("stamps_too", [False, True])
def test_numbers_that_begin_anew_are_heard_soon(mixer: Mixer, far: Far, back: int, *, stamps_too: bool) -> None:
    """Two packets in order, and nothing newer, tell of it; a few more if their times are from before as well."""
    for i in range(120):
        far.line.rtp(30000 + i, 160 * i, packet(i))
        mixer.tick()
    heard: list[np.ndarray] = []
    for i in range(120, 160):
        far.line.rtp(30000 + i - back, 160 * (i - back * stamps_too), packet(i))
        heard.append(mixer.tick()["ear"])
    assert np.sum(levels(np.concatenate(heard)) < -12) <= 5
    assert abs(far.line.read().sources[0].lost) <= 5


def test_a_burst_after_a_pause_is_no_lasting_delay(far: Far) -> None:
    """Nothing for 100 ms, then all of it at once."""
    heard = far.hum(lambda now: [] if 50 <= now < 55 else list(range(50, 56)) if now == 55 else [now])
    assert np.mean(levels(heard)[5:] < -12) < 0.03
    assert far.line.read().sources[0].lost == 0


@pytest.mark.parametrize(
    ("ticks", "lost"),
    [(25, 1), (8, 8), (0, -1000)],
    ids=["first packet after a pause", "many at once", "numbers begin anew"],
)
def test_what_has_come_is_heard_soon_whatever_is_missing(mixer: Mixer, far: Far, ticks: int, lost: int) -> None:
    for i in range(20):
        far.line.rtp(30000 + i, 160 * i, packet(i))
        mixer.tick()
    for _ in range(ticks):
        mixer.tick()
    silent = 0
    for i in range(20, 60):
        far.line.rtp(30000 + i + lost, 160 * (i + ticks), packet(i))
        silent += not mixer.tick()["ear"].any()
    assert silent <= 4


def test_one_source_at_a_time_is_heard(far: Far, mixer: Mixer) -> None:
    loud = bytes([0x80, 0x00] * 80)
    for i in range(40):
        far.line.rtp(i, 160 * i, packet(i))
        far.line.rtp(9000 + i, 160 * i, loud, source=8)
        heard = mixer.tick()["ear"]
    assert level(heard) == pytest.approx(level(tone(HUM, 1, 8000)), abs=0.5)
    assert far.line.read().count == 2


def test_keys_are_told_once_however_many_packets_tell_of_them(far: Far) -> None:
    far.line.keys()
    for press, key in enumerate((5, 11, 5)):
        for i in range(6):
            event = struct.pack("!BBH", key, 0x80 | 10 if i > 3 else 10, 160 * (min(i, 3) + 1))
            far.line.rtp(100 * press + i, 8000 * press, event, kind=Line.EVENTS)
    far.line.rtp(400, 1, b"\x63\x0a\x00\xa0", kind=Line.EVENTS)
    assert far.line.keys() == "5#5"


def test_reports_tell_what_came_and_theirs_are_understood(far: Far) -> None:
    far.hum(lambda now: [] if now % 10 == 9 else [now], first=100, stamp=0)
    report = far.line.report()
    kind, length, ours = struct.unpack("!BHI", report[1:8])
    assert kind == 201, "nothing has been sent"
    assert report[0] == 0x81
    source, lost, highest = struct.unpack("!III", report[8:20])
    assert (source, lost & 0xFFFFFF, highest) == (7, PACKETS // 10 - 1, 100 + PACKETS - 2)
    assert lost >> 24 == pytest.approx(0.1 * 256, abs=2)
    description = report[4 * length + 4 :]
    assert description[1] == 202
    assert description[8:10] == b"\x01\x0b"
    assert description[10:21] == b"test@rostra"
    assert len(description) % 4 == 0
    theirs = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 7, ours, 128 << 24 | 55, 9, 80, 0, 0)
    far.line.take(theirs)
    state = far.line.read()
    assert (state.reports, state.sent_lost, state.sent_jitter) == (1, 55, 0.01)


def locked(library: ctypes.CDLL, source: int, number: int = 1) -> bytes:
    """A packet of SRTP, the first of its source."""
    plain = struct.pack("!BBHII", 0x80, 0, number, 0, source) + packet(0)
    room = ctypes.create_string_buffer(plain, 256)
    size = library.sim_lock(SUITE, room, len(plain))
    return room.raw[:size]


def test_sources_that_are_not_genuine_or_change_all_the_time_leave_nothing_behind(mixer: Mixer) -> None:
    line = mixer.line("far", PCMU, suite=SUITE)
    line.take(locked(mixer.library, 7))
    before = resident()
    for source in range(100, 500):
        line.rtp(1, 0, packet(0) + bytes(10), source=source)
    for source in range(1000, 1100):
        line.take(locked(mixer.library, source))
    assert resident() - before < 4 << 20
    state = line.read()
    heard = {state.sources[i].source for i in range(state.count)}
    assert 7 in heard, "it is still the one that is played"
    assert heard <= {7, *range(1000, 1100)}
    line.take(locked(mixer.library, 7, 2))
    assert sum(line.read().sources[i].packets for i in range(state.count) if state.sources[i].source == 7) == 2
    line.close()


def test_strangers_however_many_cost_little_and_leave_who_is_played_alone(far: Far) -> None:
    """A hundred of them to each packet, by turns new sources and one."""

    def flooded(now: int) -> list[int]:
        for i in range(100 if now else 0):
            far.line.rtp(i, 0, HUMMED[:1200], source=1000 + (100 * now + i if i % 2 else 0))
        return [now]

    heard = far.hum(flooded)
    assert np.abs(levels(heard)[5:]).max() < 0.5
    state = far.line.read()
    packets = {one.source: one.packets for one in state.sources[: state.count]}
    assert packets[7] == PACKETS
    assert sum(packets.values()) < PACKETS + 2000, "most have not been looked at"


def test_who_floods_with_speech_of_its_own_is_decoded_for_a_few_seconds_of_each(far: Far, mixer: Mixer) -> None:
    """Packets of 100 ms, 200 s of them at once; then it is understood again."""
    for i in range(2000):
        far.line.rtp(i, 800 * i, HUMMED[:800])
    assert far.line.read().sources[0].packets < 1700
    assert -0.2 <= far.line.room() < 4, "no more than ten seconds have been decoded"
    deadline = time.monotonic() + 5
    while far.line.room() < 1:
        assert time.monotonic() < deadline
    for i in range(2000, 2040):
        far.line.rtp(i, 800 * 2000 + 160 * i, packet(i % 100))
        heard = mixer.tick()["ear"]
    assert level(heard) == pytest.approx(level(tone(HUM, 1, 8000)), abs=0.5)


@settings(deadline=None, max_examples=150)
@given(
    packets=st.lists(st.binary(max_size=80), max_size=8), kinds=st.lists(st.sampled_from([0, 101, 200, 201, 202, 128]))
)
def test_garbage_does_no_harm(library: object, packets: list[bytes], kinds: list[int]) -> None:
    mixer = Mixer(library)
    line = mixer.line("far", PCMU)
    try:
        for i, one in enumerate(packets):
            line.take(one)
            kind = kinds[i % len(kinds)] if kinds else 0
            line.take(bytes([0x80 | (one[0] if one else 0) & 0x3F, kind]) + one)
        mixer.library.sim_tick()
        assert len(line.report()) <= 1500
        line.rtp(1, 0, packet(0), source=99)
        assert any(line.read().sources[i].source == 99 for i in range(line.read().count))
    finally:
        line.close()
        mixer.close()
