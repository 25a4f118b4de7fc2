"""What fits into a node, and reservations of backplanes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.capacity import CallClass, Figures, max_calls
from rostra.domain.ledger import Ledger

MEASURED = Figures(hd=10, sd=15, audio=90, full_hd=4)


def test_a_reservation_is_raised_where_there_are_calls() -> None:
    ledger = Ledger(30)
    assert ledger.book("c", "one", 12, 0)
    assert ledger.reserve("c", 12)
    assert ledger.reserve("c", 12)
    assert ledger.used == 24
    assert not ledger.reserve("c", 20)
    ledger.release("c", "one")
    assert ledger.used == 0
    assert ledger.reserve("c", 12), "its calls have left: it is in nobody's way"
    assert ledger.used == 0


def fill(ledger: Ledger, price: int) -> int:
    """How many calls of a price fit."""
    return next(number for number in range(10_000) if not ledger.book("c", f"call{number}", price, 0))


@pytest.mark.spec("POL-122", "POL-123", "PLAT-077")
@pytest.mark.parametrize(
    ("price", "most"),
    [(CallClass.HD, 10), (CallClass.SD, 15), (CallClass.AUDIO, 90), (CallClass.FULL_HD, 4)],
)
def test_as_many_calls_of_a_kind_fit_as_the_node_says(price: CallClass, most: int) -> None:
    ledger = Ledger(1)
    ledger.measured(MEASURED)
    assert fill(ledger, price) == most
    assert ledger.used == ledger.capacity == 120
    assert ledger.tokens("c") == most * price, "of a conference the price list is told"
    ledger.release("c", "call0")
    assert ledger.book("c", "again", price, 0)


@pytest.mark.spec("POL-122")
def test_kinds_share_a_node_by_what_they_take_of_it() -> None:
    ledger = Ledger(1)
    ledger.measured(MEASURED)
    for number in range(5):
        assert ledger.book("c", f"hd{number}", CallClass.HD, 0)
    for number in range(45):
        assert ledger.book("c", f"audio{number}", CallClass.AUDIO, 0)
    assert ledger.used == ledger.capacity
    assert not ledger.book("c", "one more", CallClass.AUDIO, 0)
    assert not ledger.book("c", "audio0", CallClass.SD, 0), "a picture as well is more"
    assert ledger.book("c", "hd0", CallClass.SD, 0), "a smaller one is less"


@given(
    st.dictionaries(st.integers(0, 30), st.sampled_from([0, 1, 3, 6, 12, 24]), max_size=30),
    st.sampled_from(range(2, 21, 2)),
)
def test_by_the_price_list_nothing_is_rounded(prices: Mapping[int, int], hd: int) -> None:
    listed, measured = Ledger(hd * CallClass.HD), Ledger(1)
    measured.measured(max_calls(hd * CallClass.HD))
    for call, price in prices.items():
        assert listed.book("c", str(call), price, 12) == measured.book("c", str(call), price, 12)
        assert listed.used == measured.used


def test_who_is_in_stays_in_when_the_node_turns_out_smaller() -> None:
    ledger = Ledger(240)
    assert fill(ledger, CallClass.HD) == 20
    ledger.measured(MEASURED)
    assert ledger.used == 240
    assert ledger.book("c", "call0", CallClass.HD, 0), "as before"
    assert not ledger.book("c", "new", CallClass.AUDIO, 0)
