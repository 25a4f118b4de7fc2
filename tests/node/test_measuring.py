"""When a node measures its capacity, and which result counts."""

from __future__ import annotations

import pytest

from rostra.domain.capacity import CallClass, Figures
from rostra.domain.ledger import Ledger
from rostra.fabric import status
from rostra.media.selfcheck import CROWDED, Checked, Costs
from rostra.node import measuring
from rostra.node.measuring import CapacityCheck, counts


def checked(hd: int, *, crowded: bool = False, failed: bool = False) -> Checked:
    figures = Figures(hd=hd, sd=2 * hd, audio=9 * hd, full_hd=hd // 2)
    costs = Costs(hd=0.1, sd=0.05, audio=0.01, full_hd=0.2, waited=CROWDED + 1 if crowded else 0.0)
    return Checked(cores=2.0, figures=figures, costs=None if failed else costs)


class Node:
    """A ledger, and checks that find one thing after the other."""

    def __init__(self, *found: Checked, stated: int = 0) -> None:
        self.ledger = Ledger(60)
        self.left = list(found)
        self.check = CapacityCheck(stated, self.ledger, self._measure)

    async def _measure(self, cores: float) -> Checked:
        assert cores > 0
        return self.left.pop(0)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PAUSES", (0.0, 0.0))


@pytest.mark.spec("PLAT-077", "POL-121")
async def test_a_node_is_as_large_as_it_was_measured() -> None:
    node = Node(checked(11))
    await node.check.run()
    assert node.ledger.capacity == 11 * CallClass.HD
    assert node.ledger.figures == checked(11).figures


@pytest.mark.spec("POL-121")
async def test_what_is_stated_is_not_measured() -> None:
    node = Node(stated=7)
    await node.check.run()
    assert node.ledger.capacity == 7 * CallClass.HD
    assert node.ledger.figures is None, "its calls are booked by the price list"


async def test_a_check_on_a_busy_machine_is_repeated_while_there_are_no_calls() -> None:
    node = Node(checked(5, crowded=True), checked(4, crowded=True), checked(3), checked(100))
    await node.check.run()
    assert node.ledger.capacity == 3 * CallClass.HD, "an undisturbed check is believed, whatever it finds"
    assert len(node.left) == 1

    busy = Node(checked(5, crowded=True), checked(9))
    busy.ledger.book("conference", "call", 12, 0)
    await busy.check.run()
    assert busy.ledger.capacity == 5 * CallClass.HD
    assert len(busy.left) == 1


async def test_an_administrator_has_it_measured_anew() -> None:
    node = Node(checked(9), checked(6, crowded=True))
    await node.check.run()
    node.ledger.book("conference", "call", 12, 0)
    assert isinstance(await node.check.asked(), status.Refused)
    node.ledger.release("conference", "call")
    told = await node.check.asked()
    assert isinstance(told, status.Capacity)
    assert (told.hd, told.audio, told.crowded) == (6, 54, True)
    assert told.costs == {"hd": 0.1, "sd": 0.05, "audio": 0.01, "full_hd": 0.2}
    assert node.ledger.capacity == 6 * CallClass.HD
    assert not told.stated


@pytest.mark.parametrize(
    ("before", "now", "better"),
    [
        (None, checked(1, failed=True), True),
        (checked(1, crowded=True), checked(9, failed=True), False),
        (checked(5, crowded=True), checked(6, crowded=True), True),
        (checked(6, crowded=True), checked(5, crowded=True), False),
        (checked(5), checked(9, crowded=True), False),
        (checked(9), checked(5), True),
    ],
)
def test_which_of_two_checks_counts(before: Checked | None, now: Checked, better: bool) -> None:
    assert counts(before, now) is better


async def test_who_asks_a_node_with_a_stated_capacity_is_told_so() -> None:
    node = Node(checked(6), stated=7)
    await node.check.run()
    told = await node.check.asked()
    assert isinstance(told, status.Capacity)
    assert (told.hd, told.stated) == (6, 7)
    assert node.ledger.capacity == 7 * CallClass.HD
