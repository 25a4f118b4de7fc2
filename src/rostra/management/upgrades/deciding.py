"""What comes next in an upgrade of the platform. Pure: time and what is seen of the nodes are arguments."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence

CALLS_CLEAR = 3600.0
"""Seconds a node's calls have to end, at each attempt (NODE-096)."""
OVERALL = 24 * 3600.0
"""Seconds after which the upgrade stops as it is (NODE-097)."""
INSTALL = 1800.0
"""Seconds for fetching and unpacking."""
RESTART = 600.0
"""Seconds a node has to be back."""
ATTEMPTS = 3
"""Installations that fail before a node is given up."""
SILENT = 20.0
"""Seconds before a node that could not be reached is tried again."""


class Status(enum.StrEnum):
    """The words of sheet 03."""

    NONE = "No upgrade in progress"
    PENDING = "Upgrade pending"
    PREPARING = "Preparing to upgrade"
    WAITING = "Waiting for calls to clear"
    TIMEOUT = "Timeout waiting for calls to clear"
    INSTALLING = "Upgrade in progress"
    REBOOTING = "Rebooting"
    UNREACHABLE = "Could not communicate with conferencing node"


class Action(enum.StrEnum):
    """What is to be done now."""

    MAINTAIN = "maintain"
    """Put the node into maintenance mode."""
    RELEASE = "release"
    """Take it out again."""
    INSTALL = "install"
    """Tell it to install the software."""


QUEUED = frozenset({Status.PENDING, Status.TIMEOUT, Status.UNREACHABLE})
"""It is not this node's turn."""


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One node of an upgrade."""

    node: int
    """Number of its configuration."""
    status: Status = Status.PENDING
    since: float = 0.0
    """Unix time of the status."""
    order: int = 0
    """Place in the queue."""
    failures: int = 0
    reason: str = ""
    """Why the last installation failed."""
    done: bool = False
    """It has the new version, or was given up."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a node."""

    alive: bool = False
    version: str = ""
    build: str = ""
    maintenance: bool = False
    calls: int = 0
    progress: str = "idle"
    """`fabric.upgrading.Progress.state`."""
    reason: str = ""


def is_new(seen: Seen, wanted: tuple[str, str]) -> bool:
    """Does it run the wanted version and build?"""
    return seen.alive and seen.version == wanted[0] and seen.build in ("", wanted[1])


def turn(items: Sequence[Item], now: float) -> Item | None:
    """The node to look after now; one at a time (NODE-095). None: nobody can be upgraded at this moment."""
    open_items = [item for item in items if not item.done]
    for item in open_items:
        if item.status not in QUEUED:
            return item
    ready = [item for item in open_items if item.status is not Status.UNREACHABLE or now - item.since >= SILENT]
    return min(ready, key=lambda item: item.order, default=None)


def step(item: Item, seen: Seen, wanted: tuple[str, str], now: float, last: int) -> tuple[Item, tuple[Action, ...]]:
    """What becomes of the node whose turn it is, and what is to be done. `last`: the end of the queue."""
    if is_new(seen, wanted):
        return _done(item, now), (Action.RELEASE,)
    match item.status:
        case Status.PENDING | Status.TIMEOUT | Status.UNREACHABLE:
            if not seen.alive:
                return _queued(item, Status.UNREACHABLE, now, last), ()
            return _moved(item, Status.PREPARING, now), (Action.MAINTAIN,)
        case Status.PREPARING | Status.WAITING:
            return _emptying(item, seen, now, last)
        case Status.INSTALLING:
            return _installing(item, seen, now, last)
        case _:
            if now - item.since > RESTART:
                return _failed(item, "it did not come back with the new version", now, last), (Action.RELEASE,)
            return item, ()


def _emptying(item: Item, seen: Seen, now: float, last: int) -> tuple[Item, tuple[Action, ...]]:
    if not seen.alive:
        # A restart frees a node that got stuck (NODE-102): wait whether it is back.
        if now - item.since > RESTART:
            return _queued(item, Status.UNREACHABLE, now, last), (Action.RELEASE,)
        return item, ()
    if seen.maintenance and seen.calls == 0:
        return _moved(item, Status.INSTALLING, now), (Action.INSTALL,)
    if now - item.since > CALLS_CLEAR:
        return _queued(item, Status.TIMEOUT, now, last), (Action.RELEASE,)
    if item.status is Status.PREPARING and seen.maintenance:
        return dataclasses.replace(item, status=Status.WAITING), ()  # the hour counts from maintenance mode
    return item, ()


def _installing(item: Item, seen: Seen, now: float, last: int) -> tuple[Item, tuple[Action, ...]]:
    if seen.progress == "failed":
        return _failed(item, seen.reason, now, last), (Action.RELEASE,)
    if seen.progress == "restarting" or not seen.alive:
        return _moved(item, Status.REBOOTING, now), ()
    if now - item.since > INSTALL:
        return _failed(item, "it took too long", now, last), (Action.RELEASE,)
    if seen.progress == "idle":
        return item, (Action.INSTALL,)  # it did not hear us, or was started again
    return item, ()


def _moved(item: Item, status: Status, now: float) -> Item:
    return dataclasses.replace(item, status=status, since=now)


def _queued(item: Item, status: Status, now: float, last: int) -> Item:
    return dataclasses.replace(item, status=status, since=now, order=last + 1)


def _failed(item: Item, reason: str, now: float, last: int) -> Item:
    failures = item.failures + 1
    queued = _queued(item, Status.PENDING, now, last)
    given_up = failures >= ATTEMPTS
    status = Status.NONE if given_up else Status.PENDING
    return dataclasses.replace(queued, status=status, failures=failures, reason=reason, done=given_up)


def _done(item: Item, now: float) -> Item:
    return dataclasses.replace(item, status=Status.NONE, since=now, done=True, reason="")


def is_over(items: Sequence[Item], started: float, now: float) -> bool:
    """Is there nothing left to do, or no time?"""
    return all(item.done for item in items) or now - started >= OVERALL


def statuses(items: Sequence[Item]) -> Mapping[int, Status]:
    """The word for every node of an upgrade."""
    return {item.node: item.status for item in items}
