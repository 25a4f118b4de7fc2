"""Who exchanges media with whom for one conference instance (PLAT-042, PLAT-046…PLAT-055). Pure.

Nodes of a location are joined with each other; between locations only their proxies are, each with each. Every
function computes from who hosts the instance now, so that nodes which see the same hosts agree without asking, and a
lost proxy is replaced by nothing but its absence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal

import msgspec

FULL_WIDTH = 600
"""Pixels of a scene of 16:9 from which on a tile needs more than a thumbnail: both pictures of two side by side do."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A node that carries media of the instance."""

    node: str
    location: int
    since: float
    """When it began to carry it, as it said itself: everybody compares the same values."""


class Hop(enum.StrEnum):
    """What joins two nodes."""

    SAME_LOCATION = "same_location"
    OTHER_LOCATION = "other_location"


class Sound(enum.StrEnum):
    """Where sounds on a node come from."""

    PARTICIPANTS = "participants"
    """Its own legs."""
    SAME_LOCATION = "same_location"
    """Mixes of the other nodes of its location."""
    OTHER_LOCATION = "other_location"
    """Mixes of the proxies of other locations."""


def proxy(location: int, hosts: Mapping[str, Host]) -> str | None:
    """The node that speaks for a location: its first media node (PLAT-048, PLAT-050)."""
    first = min((host for host in hosts.values() if host.location == location), key=_seniority, default=None)
    return first.node if first else None


def _seniority(host: Host) -> tuple[float, str]:
    return host.since, host.node


def neighbours(me: str, hosts: Mapping[str, Host]) -> dict[str, Hop]:
    """The nodes I exchange media with; nobody when I am no host."""
    mine = hosts.get(me)
    if mine is None:
        return {}
    found = {node: Hop.SAME_LOCATION for node, host in hosts.items() if host.location == mine.location and node != me}
    proxies = _proxies(hosts)
    if proxies[mine.location] == me:
        found |= {node: Hop.OTHER_LOCATION for location, node in proxies.items() if location != mine.location}
    return found


def next_hop(me: str, origin: str, hosts: Mapping[str, Host]) -> str | None:
    """Whom I ask for a stream that originates at `origin`; None when that is me, or one of us is no host."""
    mine, theirs = hosts.get(me), hosts.get(origin)
    if mine is None or theirs is None or me == origin:
        return None
    if mine.location == theirs.location:
        return origin
    own = proxy(mine.location, hosts)
    return proxy(theirs.location, hosts) if own == me else own


def audio_sources(me: str, neighbour: str, hosts: Mapping[str, Host]) -> frozenset[Sound]:
    """The sounds I mix for a neighbour, such that everybody hears everybody else exactly once.

    What came from a neighbour's side never goes back there. Empty for a node that is no neighbour.
    """
    hop = neighbours(me, hosts).get(neighbour)
    if hop is None:
        return frozenset()
    if hop is Hop.OTHER_LOCATION:
        return frozenset({Sound.PARTICIPANTS, Sound.SAME_LOCATION})
    if proxy(hosts[me].location, hosts) == me:
        return frozenset({Sound.PARTICIPANTS, Sound.OTHER_LOCATION})
    return frozenset({Sound.PARTICIPANTS})


def quality(width: int) -> Literal["full", "thumbnail"]:
    """How a picture must come over a backplane to fill a tile of this width (pixels of a scene; PLAT-052)."""
    return "full" if width >= FULL_WIDTH else "thumbnail"


def _proxies(hosts: Mapping[str, Host]) -> dict[int, str]:
    """The proxy of every location."""
    first: dict[int, Host] = {}
    for host in hosts.values():
        senior = first.get(host.location)
        if senior is None or _seniority(host) < _seniority(senior):
            first[host.location] = host
    return {location: host.node for location, host in first.items()}
