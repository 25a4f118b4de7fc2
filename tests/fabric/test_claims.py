"""Which of two machines with one identity has to leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.fabric.claims import Claim, Claims


@pytest.mark.spec("NODE-006")
def test_the_later_of_two_leaves_as_soon_as_the_earlier_speaks_again() -> None:
    claims = Claims()
    assert claims.heard(Claim("n7", "original", 100), 0.0) is None
    assert claims.heard(Claim("n7", "copy", 1), 0.5) is None
    assert claims.heard(Claim("n7", "original", 101), 1.0) == "copy"
    assert claims.heard(Claim("n7", "copy", 2), 1.5) == "copy"


def test_a_restarted_node_is_no_copy() -> None:
    claims = Claims()
    assert claims.heard(Claim("n7", "first run", 100), 0.0) is None
    heard = [claims.heard(Claim("n7", "second run", age), 0.1 + age) for age in range(20)]
    assert heard == [None] * 20


def test_nodes_do_not_disturb_each_other_and_old_claims_are_forgotten() -> None:
    claims = Claims()
    for number in range(4):
        assert claims.heard(Claim(f"n{number % 2}", f"boot of n{number % 2}", number), number) is None
    assert claims.heard(Claim("n1", "another", 1), 4.0) is None
    assert claims.heard(Claim("n1", "boot of n1", 60), 60.0) is None


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=20), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_one_that_was_first_is_never_told_to_leave(order: list[str], older: float, younger: float) -> None:
    ages = {"a": max(older, younger) + 1, "b": min(older, younger)}
    claims = Claims()
    for step, boot in enumerate(order):
        assert claims.heard(Claim("n1", boot, ages[boot] + step * 0.1), step * 0.1) in (None, "b")
