"""Reservations of backplanes."""

from __future__ import annotations

from rostra.domain.ledger import Ledger


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
