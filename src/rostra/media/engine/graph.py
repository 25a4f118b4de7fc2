"""The running engine as a graph: what is decoded, scaled, composed, encoded, mixed and forwarded, and who shares it.

`messages.StatisticsReply.debug["graph"]` is a `Graph` as plain values:

    {"nodes": [{"id": "encoder:h264-1", "kind": "encoder", "name": "H264 1280x720@30", "running": true, "users": 50,
                "detail": {"view": "guests", "bitrate": 1700000}}, ...],
     "edges": [["composition:guests/h264-1", "encoder:h264-1"], ["encoder:h264-1", "out:leg7"], ...],
     "counts": {"decoders": 3, "decoders_idle": 49, "scalings": 4, "mixes": 3,
                "compositions": 2, "encoders": 2, "forwarded": 1}}

Edges go the way media goes. The kinds stand in the order of `Kind`: a node has edges to later kinds only, so a page
may draw each kind as a column. `users` counts the edges that leave a node, whoever is at their other end; one with
more than one user is shared. Ids are unique within a graph, begin with the kind, and stay the same while the thing
itself does.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter
from collections.abc import Iterable


class Kind(enum.StrEnum):
    """What a node is, in the order media passes them."""

    INCOMING = "in"
    """A leg, as far as it sends to us; named by the leg's id."""
    DECODER = "decoder"
    """Of one received picture; not running: nobody looks, so only its key frames are decoded, if any."""
    SCALING = "scaling"
    """One source made one size, once for all pictures it is in."""
    MIX = "mix"
    """What a set of legs hears, summed once; of a speaker, the mix without itself."""
    COMPOSITION = "composition"
    """One view painted at one size, for the encoder that it goes to. Copies of what was scaled: that costs little."""
    ENCODER = "encoder"
    """A shared encoder."""
    FORWARDED = "forwarded"
    """A received stream that is sent on as it came."""
    OUTGOING = "out"
    """A leg, as far as we send to it."""


Value = str | int | float | bool


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """One thing at work (or idle)."""

    id: str
    kind: Kind
    name: str
    """For people."""
    running: bool = True
    users: int = 0
    detail: dict[str, Value] = dataclasses.field(default_factory=dict[str, Value])
    """More of it, by kind: `source`, `codec`, `width`, `height`, `frame_rate`, `bitrate`, `view`, `frames`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Graph:
    """All of it at one moment."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    """From node to node, by id."""
    counts: dict[str, int] = dataclasses.field(default_factory=dict[str, int])
    """How many run of each kind, by plural name; `decoders_idle` as well."""


def name_of(kind: Kind, key: str) -> str:
    """The id of a node."""
    return f"{kind}:{key}"


def build(nodes: Iterable[Node], edges: Iterable[tuple[str, str]]) -> Graph:
    """A graph of these, with users and counts; edges from or to what is not there are left out. Pure."""
    found = {node.id: node for node in nodes}
    joined = tuple(dict.fromkeys(edge for edge in edges if edge[0] in found and edge[1] in found))
    users = Counter(origin for origin, _ in joined)
    kept = tuple(dataclasses.replace(node, users=users[node.id]) for node in found.values())
    counts = {plural: sum(n.running for n in kept if n.kind is kind) for kind, plural in _COUNTED.items()}
    counts["decoders_idle"] = sum(not n.running for n in kept if n.kind is Kind.DECODER)
    return Graph(kept, joined, counts)


_COUNTED = {
    Kind.DECODER: "decoders",
    Kind.SCALING: "scalings",
    Kind.MIX: "mixes",
    Kind.COMPOSITION: "compositions",
    Kind.ENCODER: "encoders",
    Kind.FORWARDED: "forwarded",
}
