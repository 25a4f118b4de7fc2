"""How good a call's media is."""

from __future__ import annotations

import pytest

from rostra.domain.quality import buckets, judge, loss, overall


@pytest.mark.parametrize(
    ("lost", "word"),
    [
        (0.0, "1_good"), (0.99, "1_good"), (1.0, "2_ok"), (2.9, "2_ok"), (3.0, "3_bad"), (9.9, "3_bad"),
        (10.0, "4_terrible"), (100.0, "4_terrible"),
    ],
)  # fmt: skip
def test_a_window_is_judged_by_what_was_lost(lost: float, word: str) -> None:
    assert judge(lost).word == word


def test_a_call_is_what_most_of_its_windows_were() -> None:
    assert overall([]).word == "0_unknown"
    assert overall([0, 0, 3]).word == "3_bad"
    assert overall([1, 1, 4]).word == "1_good"
    assert overall([1, 2, 2, 1]).word == "2_ok"
    assert overall([99, -1]).word == "0_unknown"
    assert buckets([1, 1, 4, 0, 77]) == [2, 2, 0, 0, 1]


def test_loss_is_of_what_was_sent() -> None:
    assert loss(90, 10, sending=False) == 10.0
    assert loss(100, 10, sending=True) == 10.0
    assert loss(0, 0, sending=True) == loss(0, 0, sending=False) == 0.0
    assert loss(10, -3, sending=False) == 0.0
    assert loss(2, 50, sending=True) == 100.0
