"""The limit that is obeyed: down at once, up by what has lasted, and not to and fro between sizes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rostra.media.engine import rungs, steps
from rostra.media.engine.steps import Steps, step


def size(limit: int | None) -> int:
    rung = rungs.pick({}, rungs.share(limit, both=False))
    return rung.width * rung.height * rung.frame_rate


def follow(obeyed: Steps, begin: float, seconds: float, bitrate: int | None) -> list[tuple[float, int | None]]:
    """When the limit changed, and to what."""
    times = [begin + 0.2 * number for number in range(round(seconds / 0.2))]
    return [(round(now - begin, 1), obeyed.limit) for now in times if obeyed.follow(now, bitrate, size)]


def alternate(obeyed: Steps, seconds: float, said: Callable[[float], int | None]) -> list[float]:
    """When the limit changed."""
    times = [0.2 * number for number in range(round(seconds / 0.2))]
    return [now for now in times if obeyed.follow(now, said(now), size)]


def test_down_at_once_and_up_by_what_has_lasted() -> None:
    obeyed = Steps()
    assert follow(obeyed, 0, 10, None) == []
    assert follow(obeyed, 10, 10, 600_000) == [(0.0, step(600_000))]
    assert size(obeyed.limit) == 640 * 360 * 30
    assert follow(obeyed, 20, 10, 660_000) == [(1.0, step(660_000))]  # the picture is as large
    assert follow(obeyed, 30, 10, 1_000_000)[-1] == (3.0, step(1_000_000))  # it is larger
    assert size(obeyed.limit) == 848 * 480 * 30
    assert follow(obeyed, 40, 10, 300_000) == [(0.0, step(300_000))]
    assert follow(obeyed, 60, 20, None)[-1] == (6.0, None)  # it had been taken back within seconds: more patience


def test_what_lasted_only_for_a_moment_changes_nothing() -> None:
    obeyed = Steps()
    follow(obeyed, 0, 2, 400_000)
    for begin in range(2, 40, 2):
        assert follow(obeyed, begin, 0.8, 3_000_000) == []
        assert follow(obeyed, begin + 0.8, 1.2, 400_000) == []


def test_an_estimate_that_swings_about_a_size_changes_it_seldom() -> None:
    obeyed = Steps()
    sizes = []
    for begin in range(0, 120, 6):
        for now, bitrate in ((begin, 800_000), (begin + 4.4, 560_000)):
            follow(obeyed, now, 4.4 if now == begin else 1.6, bitrate)
            sizes.append(size(obeyed.limit))
    assert sum(one != other for one, other in itertools.pairwise(sizes)) <= 6


@pytest.mark.parametrize(
    ("high", "low"), [(800_000, 560_000), (700_000, 610_000), (1_700_000, 300_000), (None, 610_000)]
)
def test_who_says_otherwise_all_the_time_has_few_encoders_made(high: int | None, low: int) -> None:
    for up, down in itertools.product((0.8, 1.2, 2.2, 3.2, 4.4, 8, 15.2, 33), (0.2, 0.6, 2, 5)):
        changes = alternate(Steps(), 180, lambda now: high if now % (up + down) < up else low)  # noqa: B023
        assert sum(when < 60 for when in changes) <= 10, (up, down)
        assert sum(when >= 120 for when in changes) <= 8, (up, down)


def test_what_falls_again_and_again_falls_in_few_steps() -> None:
    changes = alternate(Steps(), 120, lambda now: int(1_700_000 * 0.03 ** (now % 10 / 10)))
    assert sum(when < 10 for when in changes) <= 14  # five doublings
    assert sum(when >= 60 for when in changes) <= 8


def test_who_has_been_steady_is_trusted_again() -> None:
    obeyed = Steps()
    alternate(obeyed, 60, lambda now: 700_000 if now % 4 < 3.8 else 610_000)
    follow(obeyed, 60, 80, 610_000)
    assert follow(obeyed, 140, 40, 660_000)
    follow(obeyed, 180, 2, 610_000)
    assert follow(obeyed, 182, 40, 660_000)[0][0] <= 2.0


@given(st.integers(1, 1 << 40))
def test_steps_are_few_and_not_above(bitrate: int) -> None:
    assert step(bitrate) <= max(bitrate, 8)
    assert step(bitrate) > bitrate * (1 - 1 / steps.PER_DOUBLING) - 1
    assert step(step(bitrate)) == step(bitrate)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0.01, 20), st.none() | st.integers(50_000, 8_000_000)), max_size=60))
def test_never_more_than_there_was_just_now(said: list[tuple[float, int | None]]) -> None:
    obeyed, now = Steps(), 0.0
    for passed, bitrate in said:
        now += passed
        before = obeyed.limit
        changed = obeyed.follow(now, bitrate, size)
        assert changed == (before != obeyed.limit)
        assert bitrate is None or (obeyed.limit is not None and obeyed.limit <= bitrate)
