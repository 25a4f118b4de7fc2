"""When a conference ends by itself: who is left in it decides (CONF-159…CONF-165, CONF-062). Pure.

What counts is who *remains*: a conference that nobody else has ever been in is only beginning. So three facts are
remembered of it (`Fact`), and since when each condition has held (`Since`), both as part of its shared state: any
node can go on from where another one was.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence

import msgspec

from rostra.domain.vocabulary import Role

UNREACHABLE = 30.0
"""Seconds at least a conference goes on while nodes with participants of it are out of reach: they may be back."""
MEETING = 5.0
"""Seconds after a node has come in which it tells what it knows: nothing ends before."""
AGREED = 1.0
"""Seconds by which nodes may differ about when somebody left."""


class KeepAlive(enum.StrEnum):
    """What a participant who was dialled does for the conference's life (`keep_conference_alive`)."""

    YES = "keep_conference_alive"
    IF_MULTIPLE = "keep_conference_alive_if_multiple"
    NEVER = "keep_conference_alive_never"


class End(enum.Enum):
    """Why a conference ends; `text` is the exact reason of API-017."""

    HOSTS_LEFT = "All conference hosts departed hosted conference"
    LAST_PARTICIPANT = "Last remaining participant removed from conference after timeout"
    NOT_KEPT_ALIVE = "No participants can keep conference alive"

    @property
    def text(self) -> str:
        return self.value


class Fact(enum.StrEnum):
    """What has been true of a conference at some time."""

    HOST = "host"
    """A Host was in who counts as one."""
    COMPANY = "company"
    """Two or more were in at once."""
    INSIDE = "inside"
    """Somebody was in."""
    VISITOR = "visitor"
    """Somebody was in who came by himself."""


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """One participant, as far as the end of the conference depends on it."""

    role: Role
    joined: bool
    """In the conference itself; else it waits to be let in."""
    leads: bool = True
    """A Host does with media, or having started the conference by hand (CONF-160)."""
    dialled: KeepAlive | None = None
    """Set for those the platform called (automatically or for an administrator)."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, as configured."""

    guests_only: float = 60.0
    """0: at once; infinite: never."""
    last_participant: float = 0.0
    """0: never."""
    hosted: bool = True
    """There is a Host PIN; else anybody inside admits who waits, and when nobody is, that is the end for them."""


Since = Mapping[End, float]
"""Unix seconds from which a condition has held without a break."""


def facts(people: Sequence[Present]) -> frozenset[Fact]:
    """What these people make true of the conference."""
    inside = [one for one in people if one.joined]
    found: set[Fact] = set()
    if inside:
        found.add(Fact.INSIDE)
    if any(_leads(one) for one in inside):
        found.add(Fact.HOST)
    if len(inside) > 1:
        found.add(Fact.COMPANY)
    if any(one.dialled is None for one in people):
        found.add(Fact.VISITOR)
    return frozenset(found)


def conditions(people: Sequence[Present], known: frozenset[Fact], limits: Limits) -> dict[End, float]:
    """Which ends are coming, with the seconds a condition has to hold. `people`: all who joined or wait to.

    Nobody at all is no end by these rules: the conference is over anyway.
    """
    inside = [one for one in people if one.joined]
    found: dict[End, float] = {}
    hosted = any(_leads(one) for one in inside)
    followers = [one for one in people if one.role is not Role.HOST or not one.joined]
    if Fact.HOST in known and followers and not hosted and limits.guests_only != math.inf:
        found[End.HOSTS_LEFT] = limits.guests_only
    if not limits.hosted and Fact.INSIDE in known and people and not inside:
        found[End.HOSTS_LEFT] = 0.0
    if limits.last_participant and Fact.COMPANY in known and len(inside) == 1 and len(people) == 1:
        found[End.LAST_PARTICIPANT] = limits.last_participant
    if people and Fact.VISITOR in known and not kept_alive(people):
        found[End.NOT_KEPT_ALIVE] = 0.0
    return found


def prevented(people: Sequence[Present]) -> frozenset[End]:
    """Which ends these people stand against by being there, whatever has been before."""
    found: set[End] = set()
    if any(_leads(one) for one in people):
        found.add(End.HOSTS_LEFT)
    if len(people) > 1:
        found.add(End.LAST_PARTICIPANT)
    if people and kept_alive(people):
        found.add(End.NOT_KEPT_ALIVE)
    return frozenset(found)


def kept_alive(people: Sequence[Present]) -> bool:
    """May a conference go on with these? Not by dialled ones alone, unless they keep it alive (CONF-162…CONF-165)."""
    if any(one.dialled is None for one in people):
        return True
    if any(one.dialled is KeepAlive.YES and one.role is Role.HOST for one in people):
        return True
    several = [one for one in people if one.dialled is KeepAlive.IF_MULTIPLE]
    return len(several) > 1 and any(one.role is Role.HOST for one in several)


def own_view(since: Since, began: Since) -> Since:
    """Since when the conditions have held as a node has to see it who itself saw them begin (`began`).

    What is said of an earlier time comes from nodes that were cut off from those who stood against the end.
    """
    return {end: began[end] if began.get(end, 0.0) > at + AGREED else at for end, at in since.items()}


def follow(since: Since, coming: Mapping[End, float], now: float) -> dict[End, float]:
    """Since when the conditions hold that hold now; one that had been broken begins anew."""
    return {end: since.get(end, now) for end in coming}


def due(
    since: Since, coming: Mapping[End, float], now: float, *, unreachable: bool, met: float = 0.0
) -> tuple[End | None, float | None]:
    """The end that is due, or in how many seconds to look again (None: nothing is coming).

    `unreachable`: participants are known whose node cannot be reached, so nothing is as sure as it looks. `met`: when
    another node came last.
    """
    soonest: float | None = None
    for end, delay in sorted(coming.items(), key=lambda one: one[1]):
        left = since.get(end, now) + (max(delay, UNREACHABLE) if unreachable else delay) - now
        left = max(left, met + MEETING - now)
        if left <= 0:
            return end, None
        soonest = left if soonest is None else min(soonest, left)
    return None, soonest


def _leads(one: Present) -> bool:
    return one.joined and one.role is Role.HOST and one.leads
