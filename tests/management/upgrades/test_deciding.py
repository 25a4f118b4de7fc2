"""What comes next in an upgrade, moment by moment."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rostra.management.upgrades import deciding
from rostra.management.upgrades.deciding import (
    CALLS_CLEAR,
    OVERALL,
    RESTART,
    Action,
    Item,
    Seen,
    Status,
    is_over,
    step,
    turn,
)

WANTED = ("2.0", "7")
OLD = Seen(alive=True, version="1.0", build="3")
EMPTY = dataclasses.replace(OLD, maintenance=True)
BUSY = dataclasses.replace(EMPTY, calls=2)
NEW = Seen(alive=True, version="2.0", build="7")
GONE = Seen()


def item(status: Status, **values: Any) -> Item:
    return Item(**{"node": 1, "status": status, "since": 1000.0, "order": 1, **values})


def go(status: Status, seen: Seen, after: float = 1.0, **values: Any) -> tuple[Item, tuple[Action, ...]]:
    return step(item(status, **values), seen, WANTED, 1000.0 + after, last=9)


@pytest.mark.spec("NODE-095")
def test_the_way_of_a_node() -> None:
    """Maintenance, calls end, install, restart, back."""
    moved, actions = go(Status.PENDING, OLD)
    assert (moved.status, actions) == (Status.PREPARING, (Action.MAINTAIN,))
    assert go(Status.PREPARING, OLD)[0].status is Status.PREPARING, "the node has not heard of it yet"
    assert go(Status.PREPARING, BUSY)[0].status is Status.WAITING
    assert go(Status.WAITING, BUSY) == (item(Status.WAITING), ())
    moved, actions = go(Status.WAITING, EMPTY)
    assert (moved.status, actions) == (Status.INSTALLING, (Action.INSTALL,))
    assert go(Status.INSTALLING, dataclasses.replace(EMPTY, progress="fetching")) == (item(Status.INSTALLING), ())
    assert go(Status.INSTALLING, dataclasses.replace(EMPTY, progress="restarting"))[0].status is Status.REBOOTING
    assert go(Status.REBOOTING, GONE) == (item(Status.REBOOTING), ())
    moved, actions = go(Status.REBOOTING, NEW)
    assert (moved.status, moved.done, actions) == (Status.NONE, True, (Action.RELEASE,))


@pytest.mark.spec("NODE-096")
def test_calls_that_do_not_end_send_a_node_to_the_end_of_the_queue() -> None:
    assert go(Status.WAITING, BUSY, CALLS_CLEAR)[0].status is Status.WAITING
    moved, actions = go(Status.WAITING, BUSY, CALLS_CLEAR + 1)
    assert (moved.status, moved.order, moved.done, actions) == (Status.TIMEOUT, 10, False, (Action.RELEASE,))
    others = [moved, Item(2, Status.PENDING, 0, 2), Item(3, Status.PENDING, 0, 3)]
    assert [one.node for one in (turn(others, 5000), turn(others[:1], 5000)) if one] == [2, 1]


@pytest.mark.spec("NODE-094", "NODE-095")
def test_one_at_a_time() -> None:
    items = [Item(1, Status.PENDING, 0, 1), Item(2, Status.WAITING, 0, 2), Item(3, done=True)]
    assert turn(items, 100) == items[1]
    assert turn(items[2:], 100) is None


@pytest.mark.spec("NODE-105")
def test_a_node_that_is_not_there_waits_while_others_go_on() -> None:
    moved, actions = go(Status.PENDING, GONE)
    assert (moved.status, moved.order, actions) == (Status.UNREACHABLE, 10, ())
    assert turn([moved, Item(2, Status.PENDING, 0, 2)], 1001).node == 2  # type: ignore[union-attr]
    assert turn([moved], 1001) is None, "not asked all the time"
    assert turn([moved], 1001 + deciding.SILENT) == moved
    assert go(Status.UNREACHABLE, OLD)[0].status is Status.PREPARING


@pytest.mark.spec("NODE-102")
def test_a_node_that_is_rebooted_while_it_waits_goes_on() -> None:
    assert go(Status.WAITING, GONE) == (item(Status.WAITING), ())
    assert go(Status.WAITING, EMPTY)[0].status is Status.INSTALLING
    moved, actions = go(Status.WAITING, GONE, RESTART + 1)
    assert (moved.status, actions) == (Status.UNREACHABLE, (Action.RELEASE,))


def test_what_fails_is_tried_again_and_given_up_at_last() -> None:
    failed = dataclasses.replace(EMPTY, progress="failed", reason="disk full")
    moved, actions = go(Status.INSTALLING, failed)
    assert (moved.status, moved.reason, moved.failures, moved.done) == (Status.PENDING, "disk full", 1, False)
    assert actions == (Action.RELEASE,)
    moved, _ = go(Status.INSTALLING, failed, failures=deciding.ATTEMPTS - 1)
    assert (moved.status, moved.reason, moved.done) == (Status.NONE, "disk full", True)
    assert go(Status.REBOOTING, OLD, RESTART + 1)[0].failures == 1
    assert go(Status.INSTALLING, EMPTY)[1] == (Action.INSTALL,), "it never heard of it"
    unanswered = dataclasses.replace(EMPTY, progress="unknown")
    assert go(Status.INSTALLING, unanswered)[1] == ()
    assert go(Status.INSTALLING, unanswered, deciding.INSTALL + 1)[0].failures == 1


@pytest.mark.spec("NODE-098")
def test_who_has_the_version_is_left_alone() -> None:
    moved, actions = go(Status.PENDING, NEW)
    assert (moved.done, actions) == (True, (Action.RELEASE,))
    assert not go(Status.PENDING, dataclasses.replace(NEW, build="6"))[0].done, "another build is another software"


@pytest.mark.spec("NODE-097", "NODE-103")
def test_the_end() -> None:
    done, rest = Item(1, done=True), Item(2)
    assert is_over([done], 0, 10)
    assert not is_over([done, rest], 0, OVERALL - 1)
    assert is_over([done, rest], 0, OVERALL)
    assert set(Status) == {
        "No upgrade in progress",
        "Upgrade pending",
        "Preparing to upgrade",
        "Waiting for calls to clear",
        "Timeout waiting for calls to clear",
        "Upgrade in progress",
        "Rebooting",
        "Could not communicate with conferencing node",
    }
