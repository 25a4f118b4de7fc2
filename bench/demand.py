"""A large deployment and the calls that come to it, for simulations; a seed gives the same ones every time."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Iterator

import msgspec

from rostra.domain.capacity import CallClass
from rostra.domain.placement import LocationView, NodeRole, NodeView

NODES, EDGE_NODES, LOCATIONS, EDGE_LOCATIONS = 54, 6, 10, 2
"""Transcoding nodes and their locations; edge nodes and theirs."""
HOME = 0.8
"""Share of a conference's participants who call into its home location."""
LARGEST = 200
MEAN_HOURS = 0.75
DEMAND, SWING = 0.5, 0.5
"""Tokens of the calls offered over the capacity of all, on the average of a day, and how far the day swings."""


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    number: int
    conference: int
    location: int
    call: CallClass
    arrives: float
    leaves: float


@dataclasses.dataclass(slots=True)
class Deployment:
    nodes: dict[str, NodeView]
    locations: dict[int, LocationView]

    @property
    def tokens(self) -> int:
        return sum(node.capacity for node in self.nodes.values() if node.role is NodeRole.CONFERENCING)


def deploy(chance: random.Random) -> Deployment:
    """Nodes of unequal size in locations with two, one or no overflow locations; the last locations hold edge nodes."""
    locations = {where: LocationView(id=where, name=f"location{where}") for where in range(LOCATIONS)}
    for where in range(LOCATIONS):
        others = chance.sample([other for other in range(LOCATIONS) if other != where], 2)
        locations[where] = msgspec.structs.replace(locations[where], overflow=tuple(others[: 2 - (where % 5 == 4)]))
    locations[3] = msgspec.structs.replace(locations[3], overflow=())
    for where in range(LOCATIONS, LOCATIONS + EDGE_LOCATIONS):
        behind, overflow = chance.sample(range(LOCATIONS), 2)
        locations[where] = LocationView(id=where, name=f"edge{where}", overflow=(overflow,), transcoding=behind)
    nodes: dict[str, NodeView] = {}
    for number in range(NODES):
        size = chance.choice((10, 17, 20, 33, 40)) * CallClass.HD
        name = f"n{number}"
        nodes[name] = NodeView(
            node=name, location=number % LOCATIONS, capacity=size, used=0, weight=int(number % 9 == 0)
        )
    for number in range(NODES, NODES + EDGE_NODES):
        name, where = f"n{number}", LOCATIONS + number % EDGE_LOCATIONS
        nodes[name] = NodeView(node=name, location=where, capacity=480, used=0, role=NodeRole.PROXYING)
    return Deployment(nodes, locations)


def conference(chance: random.Random, number: int, begins: float) -> Iterator[Call]:
    """The calls of one conference: most are small, a few very large (Pareto), most calls from one location."""
    everywhere = range(LOCATIONS + EDGE_LOCATIONS)
    popularity = [1 / (1 + where * 0.12) for where in everywhere]
    size = min(LARGEST, int(2 * chance.paretovariate(1.25)))
    length = chance.expovariate(1 / MEAN_HOURS)
    home = chance.choices(everywhere, popularity)[0]
    for _ in range(size):
        where = home if chance.random() < HOME else chance.choices(everywhere, popularity)[0]
        arrives = begins + chance.random() * 0.15 * length
        leaves = begins + length * chance.uniform(0.7, 1.0)
        price = chance.choices((CallClass.AUDIO, CallClass.SD, CallClass.HD), (20, 20, 60))[0]
        yield Call(0, number, where, price, arrives, leaves)


def demand(chance: random.Random, calls: int, tokens: int) -> list[Call]:
    """Conferences that begin by chance, more of them by day than by night, in the order of the calls' arrivals."""
    pilot = [call for number in range(2000) for call in conference(chance, number, 0.0)]
    each = sum(call.call * (call.leaves - call.arrives) for call in pilot) / 2000
    found: list[Call] = []
    now = 0.0
    for number in itertools.count():
        now += chance.expovariate(DEMAND * tokens / each * (1 + SWING * math.sin(now / 24 * 2 * math.pi)))
        found += conference(chance, number, now)
        if len(found) >= calls:
            break
    found.sort(key=lambda call: call.arrives)
    return [dataclasses.replace(call, number=number) for number, call in enumerate(found[:calls])]
