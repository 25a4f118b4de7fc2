"""Repair of loss: the rules by tables, and what goes over the wire with far ends that are plain sockets."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.media import CodecParameters
from rostra.media import messages as m
from rostra.media.engine.asking import SPACING, Spaced
from rostra.media.engine.repair import FRAME, REORDERING, Pacing, again, held, patience

from .conftest import Driven
from .endpoints import Far, Screen, ends
from .impaired import Impairment, Relay
from .wires import FEEDBACK, Socketed

REPAIRED = CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=("nack", "nack pli", "ccm fir"))
STEP = 0.2

__all__ = ["ends"]


@pytest.mark.parametrize(
    ("round_trip", "retry", "waits", "holds"),
    [(0.001, 30, 199, 109), (0.05, 70, 399, 189), (0.1, 120, 649, 289), (0.2, 220, 800, 300), (1.0, 250, 800, 300)],
)
def test_a_missing_packet_is_waited_for_as_the_way_needs(round_trip: float, retry: int, waits: int, holds: int) -> None:
    assert (again(round_trip), patience(round_trip), min(300, held(round_trip))) == (retry, waits, holds)


@given(st.floats(0, 2, allow_nan=False))
def test_there_is_time_for_a_request_and_its_answer(round_trip: float) -> None:
    assert again(round_trip, heavy=True) <= again(round_trip) <= patience(round_trip)
    assert 0 < held(round_trip) <= held(round_trip, heavy=True) <= patience(round_trip)
    if round_trip <= 0.2:
        assert held(round_trip) >= REORDERING + FRAME + 1000 * round_trip


def run(pacing: Pacing, begin: int, seconds: float, share: float, wanted: int = 190) -> list[int]:
    """What is held back at each look while this share of 200 packets a second has to be asked for."""
    steps = range(begin, begin + round(seconds / STEP))
    return [pacing.look(n * STEP, n * 40, round(n * 40 * share), wanted) for n in steps]


def test_nothing_is_held_back_without_loss() -> None:
    assert set(run(Pacing(), 0, 60, 0.0)) == {0}
    assert set(run(Pacing(), 0, 60, 0.002)) == {0}, "a packet now and then is no reason"


def test_pictures_are_held_back_while_packets_get_lost_and_no_longer() -> None:
    pacing = Pacing()
    begun = run(pacing, 0, 5, 0.05)
    assert begun[-1] == 190
    assert all(0 <= b - a <= Pacing.UP for a, b in itertools.pairwise(begun))
    calm = [pacing.look(5 + n * STEP, 1000 + n * 40, 50, 190) for n in range(75)]
    assert calm[0] == 190
    assert calm[-1] == 0
    assert all(0 <= a - b <= Pacing.DOWN for a, b in itertools.pairwise(calm))
    back = next(n for n, delay in enumerate(calm) if not delay) * STEP
    assert Pacing.CALM < back < Pacing.CALM + Pacing.WINDOW + 3


def test_much_loss_is_told_from_some() -> None:
    for share, heavy in ((0.05, False), (0.25, True)):
        pacing = Pacing()
        run(pacing, 0, 5, share)
        assert pacing.heavy is heavy
    assert pacing.look(6, 1000, 250, 190) == 190
    assert pacing.look(20, 2000, 250, 190) < 190
    assert not pacing.heavy


def test_counts_that_begin_anew_are_of_another_source() -> None:
    pacing = Pacing()
    run(pacing, 0, 5, 0.0)
    assert pacing.look(5.2, 10, 0, 190) == 0
    assert pacing.look(5.4, 20, 2, 190) == 0


def test_requests_for_key_frames_are_spaced() -> None:
    """Of 30 a second over two seconds, from as many watchers as there may be."""
    spaced = Spaced()
    times = [n / 300 for n in range(600) if spaced.allows(n / 300)]
    assert times[0] == 0
    assert len(times) == 6
    assert all(b - a >= SPACING for a, b in itertools.pairwise(times))


@pytest.fixture
async def far() -> AsyncIterator[Socketed]:
    made = Socketed(REPAIRED)
    yield made
    made.close()


def nack(sender: int, media: int, number: int, more: int = 0) -> bytes:
    """RFC 4585 6.2.1, after an empty report: this packet, and of the 16 behind it those whose bit is set in `more`."""
    report = struct.pack("!BBHI", 0x80, 201, 1, sender)
    return report + struct.pack("!BBHIIHH", 0x81, FEEDBACK, 3, sender, media, number, more)


@pytest.mark.spec("PLAT-102")
async def test_lost_packets_are_sent_again_and_asked_for(driven: Driven, far: Socketed) -> None:
    """What the far end asks for comes again as it was, at once and without a key frame; what it did not send is asked
    for, once it is sure that it is not only late."""
    await far.join(driven.worker, "one", profile="RTP/AVPF")
    packets = [await far.media() for _ in range(6)]
    source, number = struct.unpack("!I", packets[2][8:12])[0], struct.unpack("!H", packets[2][2:4])[0]
    far.tell(nack(far.source, source, number, 0b10))
    seen: list[bytes] = []
    async with asyncio.timeout(5):
        while not (packets[2] in seen and packets[4] in seen):
            seen.append(await far.media())
    assert packets[3] not in seen

    asked: set[int] = set()
    for n in range(60):
        if n not in (20, 21, 40):
            late = {30: 31, 31: 32, 32: 30}.get(n, n)  # two packets overtake one: nobody misses it
            far.send(late, b"\x10" + bytes([1]) * 100, late * 3000, marker=True)
        await asyncio.sleep(0.005)
    async with asyncio.timeout(5):
        while not {20, 21, 40} <= asked:
            said = await far.feedback(FEEDBACK, 1)
            for first, more in struct.iter_unpack("!HH", said[8:]):
                asked |= {first, *(first + 1 + bit for bit in range(16) if more >> bit & 1)}
    assert asked == {20, 21, 40}


class Repairing(Screen):
    """A screen that sends again what it is asked for."""

    def fragments(self) -> tuple[str, str, str, str]:
        encoder, payloader, depayloader, decoder = super().fragments()
        return encoder, f"{payloader} ! rostraagain name=again", depayloader, decoder


@pytest.mark.spec("PLAT-102")
async def test_pictures_hold_under_loss(driven: Driven, ends: list[Far]) -> None:
    """Of a far end that loses every seventh packet hardly a picture is missing, and no new key frame is needed."""
    screen = Repairing(REPAIRED, 0xC02020)
    ends.append(screen)
    with Relay(seed=3) as relay:
        port = await screen.reserve(driven.worker, "one")
        media, control = (
            relay.pipe(("127.0.0.1", port + n), ("127.0.0.1", own)) for n, own in enumerate(screen.places)
        )
        await screen.connect(driven.worker, "one", port, places=(media.node_port, control.node_port))
        screen.play(media.far_port)
        await driven.until(lambda: any(isinstance(event, m.FirstPicture) for event in driven.events))
        before = screen.asked
        relay.impair(Impairment(delay=0.02), Impairment(loss=0.15, delay=0.02))
        await asyncio.to_thread(relay.until_lost, 9)
        assert screen.repeated() > 4
        assert screen.asked - before <= 1, "pictures were given up"
