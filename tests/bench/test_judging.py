"""What the load says of pictures and sound that were received: a judge that takes everything proves nothing."""

from __future__ import annotations

import numpy as np
import pytest
from bench.load import judging
from bench.load.control import confirmation, limits, parts
from bench.load.footage import H264, PCMU, Track, Unit
from bench.load.meeting import reasons
from bench.load.pictures import similarity
from bench.load.receiving import Packet, Receiver
from bench.load.sending import PictureSender, Talk
from hypothesis import given
from hypothesis import strategies as st

from rostra.media.engine import rate_requests


def sound(count: int = 100, *, without: range = range(0), late: dict[int, float] | None = None) -> list[Packet]:
    """Packets of 20 ms, some of them missing or late."""
    return [
        Packet(10 + number * 0.02 + (late or {}).get(number, 0.0), number, number * 160, marker=False, payload=b"")
        for number in range(count)
        if number not in without
    ]


def gap(packets: list[Packet], *, silent: bool = False) -> float:
    return judging.longest_gap(packets, 8000, 10.0, 12.0, lambda _: not silent)


def test_sound_without_a_gap_has_none() -> None:
    assert gap(sound()) < 0.001


@given(st.integers(1, 90), st.integers(1, 8))
def test_what_is_lost_is_a_gap_as_long_as_it_is(first: int, count: int) -> None:
    found = gap(sound(without=range(first, first + count)))
    assert found == pytest.approx(count * 0.02, abs=1e-6)


def test_what_comes_after_it_was_to_be_played_is_lost() -> None:
    assert gap(sound(late={40: 0.099})) < 0.001
    assert gap(sound(late={40: 0.102, 41: 0.15})) == pytest.approx(0.04, abs=1e-6)


def test_nothing_is_missed_while_nobody_speaks_and_everything_when_nothing_comes() -> None:
    assert gap(sound(without=range(20, 60)), silent=True) == 0.0
    assert gap([]) == 2.0


def test_an_end_of_sound_is_a_gap() -> None:
    assert gap(sound(50)) == pytest.approx(0.9, abs=0.01)


def video(*numbers: int, each: int = 3) -> list[Packet]:
    """Frames of so many packets, whose packets have these numbers only."""
    return [
        Packet(number * 0.01, number, number // each * 3000, marker=number % each == each - 1, payload=bytes((number,)))
        for number in numbers
    ]


@pytest.mark.parametrize(("numbers", "complete"), [
    ((0, 1, 2, 3, 4, 5), 2), ((0, 1, 2, 3, 5), 1), ((0, 1, 2, 4, 5), 1), ((0, 1, 3, 4, 5), 0), ((), 0),
])  # fmt: skip
def test_frames_with_a_packet_missing_do_not_count(numbers: tuple[int, ...], complete: int) -> None:
    """Where the last packet of one and so the beginning of the next is unknown, neither counts."""
    assert len(judging.complete(video(*numbers))) == complete


def test_the_same_frame_twice_is_one() -> None:
    frames = [judging.Frame(0.1, 7, ()), judging.Frame(0.2, 7, ()), judging.Frame(0.3, 8, ())]
    assert judging.rate(frames, 0.0, 1.0) == 2.0


def test_numbers_of_packets_go_on_when_they_begin_anew() -> None:
    receiver = Receiver(PCMU, recorded=False)
    for number in (0xFFFE, 0x0000, 0xFFFF, 0x0001):
        receiver.take(bytes((0x80, 0)) + number.to_bytes(2) + bytes(7) + b"\1x", 1.0)
    receiver.take(bytes((0x80, 8)) + bytes(10), 1.0)
    assert [packet.sequence - 0xFFFE for packet in receiver.within(0, 2)] == [0, 1, 2, 3]
    assert receiver.strangers == 1


def test_pictures_are_as_like_as_they_are() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, 255, (72, 128)).astype(np.uint8)
    near = np.clip(one + rng.normal(0, 5, one.shape), 0, 255).astype(np.uint8)
    assert similarity(one, one) == pytest.approx(1.0)
    assert 0.95 < similarity(one, near) < 1.0
    assert similarity(one, np.full_like(one, 127)) < 0.1
    assert similarity(one, np.roll(one, 8, axis=1)) < 0.2


@given(st.integers(1, 12), st.integers(1, 3), st.floats(0, 100))
def test_so_many_speak_at_a_time_and_all_in_turn(people: int, together: int, seconds: float) -> None:
    talk = Talk(people, min(together, people), 3.0)
    assert sum(talk.speaks(number, seconds) for number in range(people + 3)) == min(together, people)
    assert all(any(talk.speaks(number, 3.0 * turn) for turn in range(people)) for number in range(people))


def test_a_sender_that_is_asked_goes_on_with_a_key_frame() -> None:
    units = tuple(Unit(((True, bytes((number,))),), number % 4 == 0) for number in range(8))
    sent: list[int] = []
    sender = PictureSender((Track(H264, units, 0.1),), 1, 3, lambda packet: sent.append(packet[12]))
    sender.begin(0.0)
    for at in range(3):
        sender.send(at * 0.1)
    sender.key_frame()
    for at in range(3, 6):
        sender.send(at * 0.1)
    assert sent == [4, 5, 6, 0, 1, 2]


def test_a_sender_asked_for_less_sends_the_best_that_is_no_more_from_a_key_frame_on() -> None:
    def track(first: int, bitrate: int) -> Track:
        return Track(H264, tuple(Unit(((True, bytes((first + at,))),), at % 2 == 0) for at in range(8)), 0.1, bitrate)

    sent: list[int] = []
    tracks = track(0, 900), track(20, 300), track(40, 100)
    sender = PictureSender(tracks, 1, 0, lambda packet: sent.append(packet[12]))
    sender.begin(0.0)
    for at, asked in enumerate((None, 400, None, 50, 100, 5000)):
        if asked:
            sender.limit(asked)
        sender.send(at * 0.1)
    assert sent == [0, 22, 23, 44, 45, 6]


def test_a_request_for_less_is_read_and_confirmed() -> None:
    """The other way round by what the engine has for it (RFC 5104 4.2)."""
    sender = PictureSender((Track(H264, (Unit(((True, b""),), True),), 0.1),), 77, 0, lambda _: None)
    asked = rate_requests.packet(rate_requests.TMMBR, 99, "rostra", [rate_requests.Entry.of(77, 125_000)])
    found = [(body, limit) for kind, count, body in parts(asked) for limit in limits(kind, count, body)]
    ((body, (source, bitrate)),) = found
    assert source == 77
    assert 124_900 <= bitrate < 126_000
    (confirmed,) = [
        rate_requests.entries(said[8:])
        for kind, count, said in parts(confirmation(sender, body))
        if (kind, count) == (rate_requests.FEEDBACK, rate_requests.TMMBN)
    ]
    assert [entry.source for entry in confirmed] == [99]
    assert 124_900 <= confirmed[0].media < 126_000


@pytest.mark.parametrize(("rate", "longest", "like", "late", "wrong"), [
    (30.0, 0.04, 0.94, 0.0, 0), (28.9, 0.0, 0.94, 0.0, 1), (30.0, 0.05, 0.94, 0.0, 1), (30.0, 0.0, 0.92, 0.0, 1),
    (30.0, 0.0, 0.94, 0.2, 1), (0.0, 2.0, 0.1, 1.0, 4),
])  # fmt: skip
def test_a_run_does_not_count_for_any_of_four_reasons(
    rate: float, longest: float, like: float, late: float, wrong: int
) -> None:
    assert len(reasons({0: 30.0, 1: rate}, {0: 0.0, 1: longest}, {1: [like, like]}, late)) == wrong


def test_a_receiver_without_pictures_to_compare_is_no_proof() -> None:
    assert reasons({0: 30.0}, {0: 0.0}, {0: []}, 0.0)
