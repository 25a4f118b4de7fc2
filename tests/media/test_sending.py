"""How much a leg is sent: by its reports, and by what its far end says that it takes."""

from __future__ import annotations

from rostra.media.engine import rungs
from rostra.media.engine.estimator import Heard
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sending import SendingRate, lower

LOOK = 0.2


def best(limit: int | None) -> Rung:
    return rungs.pick({}, rungs.share(limit, both=False))


def test_without_a_word_what_was_agreed_is_sent() -> None:
    rate = SendingRate("leg", prompt=False)
    assert not any(rate.look(now * LOOK, None, 1_700_000, best) for now in range(100))
    assert rate.limit is None


def test_a_queue_and_its_end() -> None:
    rate = SendingRate("leg", prompt=True)
    sent, heights = 1_764_000.0, list[int]()
    for number in range(400):
        full = 10 < number < 100 and sent > 600_000
        bits = int(min(sent, 500_000 if full else sent) * LOOK)
        rate.look(number * LOOK, Heard(30, 0, bits, LOOK, 0.2 if full else 0.0), sent, best)
        rung = best(rate.limit)
        sent = rung.bitrate + rungs.SOUND
        if not heights or heights[-1] != rung.height:
            heights.append(rung.height)
    assert heights[0] == heights[-1] == 720
    assert min(heights) in (180, 272, 360)
    assert rate.limit is None


def test_a_receivers_estimate_limits_at_once_unless_it_has_got_no_more() -> None:
    rate = SendingRate("leg", prompt=False)
    rate.bound = 400_000
    assert rate.look(0, None, 1_764_000, best)
    assert best(rate.limit).height == 272
    for number in range(1, 40):
        rate.look(number * LOOK, None, 390_000, best)
    assert best(rate.limit).height == 272, "it takes no more than it gets"
    for number in range(40, 80):
        rate.look(number * LOOK, None, 260_000, best)
    assert best(rate.limit).height == 360, "it has not been tried"
    rate.look(16.2, None, 420_000, best)
    assert best(rate.limit).height == 360, "it may find out"
    rate.bound = 390_000
    assert rate.look(16.4, None, 420_000, best)
    assert best(rate.limit).height == 272


def test_a_picture_in_which_nothing_moves_does_not_become_small() -> None:
    rate = SendingRate("leg", prompt=False)
    rate.bound = 300_000
    for number in range(200):
        rate.look(number * LOOK, None, 40_000, best)
        rate.bound = 70_000 if number > 5 else 300_000
    assert best(rate.limit).height == 360
    rate.bound = 300_000
    rate.look(45.0, None, 550_000, best)
    assert best(rate.limit).height < 360, "what it can take it knows now"


def test_the_lower_of_limits() -> None:
    assert [lower(None, None), lower(1, None), lower(None, 2), lower(3, 2)] == [None, 1, 2, 2]
