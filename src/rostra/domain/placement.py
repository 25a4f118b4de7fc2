"""Which node carries the media of a call (PLAT-032…PLAT-043, PLAT-061…PLAT-071, POL-123, POL-131…POL-135). Pure.

A call is placed in the location of its signalling node, else in that location's overflow locations. In each of
them a node that already carries the conference comes first, then a new one, as long as there are fewer than three.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

MEDIA_NODES = 3
"""Nodes of one location that carry media of one conference instance (PLAT-039)."""
CAPACITY_REACHED = "Capacity reached in the location. Allocating the media node in the overflow location."
"""Administrator log at every use of an overflow location (PLAT-068)."""


class NodeRole(enum.StrEnum):
    """`node_type` of a Conferencing Node."""

    CONFERENCING = "CONFERENCING"
    PROXYING = "PROXYING"
    """Edge node: relays media, hosts nothing (POL-130)."""


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a node."""

    node: str
    location: int
    capacity: int
    """Tokens it can carry at most (see `domain.capacity`)."""
    used: int
    """Tokens in use and reserved."""
    role: NodeRole = NodeRole.CONFERENCING
    takes_media: bool = True
    """False: it is in maintenance mode, dead, draining or starting."""
    weight: int = 0
    """`media_priority_weight`: the higher is preferred, whatever the load."""

    @property
    def available(self) -> int:
        return self.capacity - self.used


class LocationView(msgspec.Struct, frozen=True, kw_only=True):
    """A system location as placement sees it; a media location answered by policy replaces its last two members."""

    id: int
    name: str = ""
    overflow: tuple[int, ...] = ()
    """Primary, secondary: tried in this order. Their own overflow locations play no part (PLAT-065)."""
    transcoding: int | None = None
    """Where media of calls signalled here is transcoded; None: here."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Where the media of a call goes."""

    node: str
    location: int
    """Of `node`."""
    overflowed_from: int | None = None
    """The location that was full, when `location` is an overflow location of it."""
    proxy: str | None = None
    """Edge node that relays between endpoint and `node`."""
    fresh: bool
    """The instance is new on that node: it makes its reservation there."""


def choose(
    *,
    location: int,
    nodes: Mapping[str, NodeView],
    locations: Mapping[int, LocationView],
    carrying: Collection[str],
    cost: int,
    reservation: int,
    exclude: Collection[str] = (),
    key: str = "",
    edge_cost: int | None = None,
) -> Choice | None:
    """Choose the media node of a call; None: it is refused for lack of capacity.

    `location` is that of the signalling node; `carrying` lists the nodes that carry media of the instance; `cost` and
    `reservation` are tokens. `exclude`: nodes not to choose, because they have just refused or are suspect; they count
    as media nodes all the same. Nodes that are equally good are told apart by a hash of `key` (the instance) and their
    id. `edge_cost`: tokens on an edge node, for a call that arrived on one; such a call needs a transcoding location.
    """
    here = locations.get(location, LocationView(id=location))
    proxy: str | None = None
    if edge_cost is not None:
        edges = (
            n
            for n in nodes.values()
            if n.location == location and n.role is NodeRole.PROXYING and n.node not in exclude
        )
        best = _best(edges, edge_cost, key)
        if best is None or here.transcoding is None:
            return None
        proxy = best.node
    principal = location if here.transcoding is None else here.transcoding
    for where in dict.fromkeys((principal, *here.overflow)):
        there = [n for n in nodes.values() if n.location == where and n.role is NodeRole.CONFERENCING]
        found = _within(there, carrying, cost, reservation, exclude, key)
        if found:
            return Choice(
                node=found.node,
                location=where,
                overflowed_from=None if where == principal else principal,
                proxy=proxy,
                fresh=found.node not in carrying,
            )
    return None


def _within(
    there: Sequence[NodeView],
    carrying: Collection[str],
    cost: int,
    reservation: int,
    exclude: Collection[str],
    key: str,
) -> NodeView | None:
    """Steps 1 and 2 among the transcoding nodes of one location (PLAT-034, PLAT-035)."""
    present = [n for n in there if n.node in carrying]
    found = _best((n for n in present if n.node not in exclude), cost, key) if present else None
    if found or len(present) >= MEDIA_NODES:
        return found
    new = (n for n in there if n.node not in carrying and n.node not in exclude)
    return _best(new, cost + reservation, key)


def _best(nodes: Iterable[NodeView], need: int, key: str) -> NodeView | None:
    """The preferred one of those with room: by weight, then by available capacity in tokens, then by hash."""
    best: list[NodeView] = []
    rank = (0, 0)
    for node in nodes:
        if node.available < need or not node.takes_media:
            continue
        own = (node.weight, node.available)
        if not best or own > rank:
            best, rank = [node], own
        elif own == rank:
            best.append(node)
    if len(best) > 1:
        return max(best, key=lambda node: (spread(key, node.node), node.node))
    return best[0] if best else None


def spread(key: str, node: str) -> bytes:
    """Rank of a node among equals: the same wherever it is computed, another for every conference."""
    return hashlib.blake2b(f"{key}\n{node}".encode(), digest_size=8).digest()
