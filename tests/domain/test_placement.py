from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.capacity import CallClass, edge
from rostra.domain.placement import CAPACITY_REACHED, Choice, LocationView, NodeRole, NodeView, choose

HD, RESERVED = CallClass.HD, CallClass.HD
USA, MEXICO, CANADA, BRAZIL = 1, 2, 3, 4
AMERICA = {
    USA: LocationView(id=USA, name="USA", overflow=(MEXICO, CANADA)),
    MEXICO: LocationView(id=MEXICO, name="Mexico", overflow=(BRAZIL,)),
    CANADA: LocationView(id=CANADA, name="Canada"),
    BRAZIL: LocationView(id=BRAZIL, name="Brazil"),
}


def node(name: str, location: int = USA, hd: int = 10, used: int = 0, **more: Any) -> NodeView:
    """`hd`: capacity in HD calls; `used`: likewise."""
    return NodeView(node=name, location=location, capacity=hd * HD, used=used * HD, **more)


def place(
    nodes: Collection[NodeView], location: int = USA, carrying: Collection[str] = (), **more: Any
) -> Choice | None:
    defaults: dict[str, Any] = {"cost": HD, "reservation": RESERVED, "locations": AMERICA}
    return choose(location=location, nodes={n.node: n for n in nodes}, carrying=carrying, **defaults | more)


class Platform:
    """A deployment in which calls stay."""

    def __init__(self, *nodes: NodeView) -> None:
        self.nodes = {one.node: one for one in nodes}
        self.carrying: list[str] = []

    def call(self, signalling: str) -> Choice:
        choice = choose(
            location=self.nodes[signalling].location,
            nodes=self.nodes,
            locations=AMERICA,
            carrying=self.carrying,
            cost=HD,
            reservation=RESERVED,
        )
        assert choice is not None
        if choice.fresh:
            self.carrying.append(choice.node)
        self.use(choice.node, HD + (RESERVED if choice.fresh else 0))
        return choice

    def use(self, name: str, tokens: int) -> None:
        view = self.nodes[name]
        self.nodes[name] = msgspec.structs.replace(view, used=view.used + tokens)

    def fill(self, location: int) -> None:
        """Others take what is left of a location."""
        for name, view in self.nodes.items():
            if view.location == location:
                self.use(name, view.available)


@pytest.mark.spec("PLAT-034", "PLAT-035", "PLAT-038", "PLAT-044")
def test_alice_bob_carol_and_dave() -> None:
    usa = Platform(node("USConf01", used=3), node("USConf02", used=1), node("USConf03", used=2))
    alice, bob, carol = (usa.call(on) for on in ("USConf01", "USConf02", "USConf03"))
    assert [(c.node, c.fresh) for c in (alice, bob, carol)] == [
        ("USConf02", True),
        ("USConf02", False),
        ("USConf02", False),
    ]
    usa.use("USConf02", usa.nodes["USConf02"].available)
    dave = usa.call("USConf01")
    assert (dave.node, dave.fresh, dave.overflowed_from) == ("USConf03", True, None)
    assert set(usa.carrying) == {"USConf02", "USConf03"}


@pytest.mark.spec("PLAT-036", "PLAT-063", "PLAT-064", "PLAT-065", "PLAT-066", "PLAT-071")
def test_emma_frank_and_greta() -> None:
    nodes = [node(name, where) for name, where in (("USConf01", USA), ("USConf02", USA), ("USConf03", USA))]
    nodes += [node("MexConf01", MEXICO), node("CanConf01", CANADA), node("BraConf01", BRAZIL)]
    world = Platform(*nodes)
    world.call("USConf01")
    world.fill(USA)
    emma = world.call("USConf01")
    assert (emma.node, emma.location, emma.overflowed_from) == ("MexConf01", MEXICO, USA)
    world.fill(MEXICO)
    frank = world.call("MexConf01")
    assert (frank.node, frank.overflowed_from) == ("BraConf01", MEXICO)
    greta = world.call("USConf03")
    assert (greta.node, greta.overflowed_from) == ("CanConf01", USA)
    world.fill(CANADA)
    assert world.nodes["BraConf01"].available >= HD
    refused = choose(
        location=USA,
        nodes=world.nodes,
        locations=AMERICA,
        carrying=world.carrying,
        cost=HD,
        reservation=RESERVED,
    )
    assert refused is None
    assert world.call("MexConf01").node == "BraConf01"


@pytest.mark.spec("PLAT-068")
def test_the_text_in_the_administrator_log() -> None:
    assert CAPACITY_REACHED == ("Capacity reached in the location. Allocating the media node in the overflow location.")


@pytest.mark.spec("PLAT-034")
def test_who_carries_the_conference_goes_before_who_is_idle() -> None:
    found = place([node("a", used=9), node("b"), node("c")], carrying=["a"])
    assert found == Choice(node="a", location=USA, fresh=False)


@pytest.mark.spec("PLAT-035")
def test_most_available_counts_units_not_percent() -> None:
    found = place([node("half-full", hd=40, used=20), node("idle", hd=10)])
    assert found is not None
    assert found.node == "half-full"


@pytest.mark.spec("PLAT-039", "PLAT-062")
def test_three_full_nodes_overflow_although_a_fourth_is_idle() -> None:
    nodes = [*(node(name, hd=1, used=1) for name in "abc"), node("idle"), node("mex", MEXICO)]
    found = place(nodes, carrying="abc")
    assert found == Choice(node="mex", location=MEXICO, overflowed_from=USA, fresh=True)
    assert place(nodes, carrying="ab") == Choice(node="idle", location=USA, fresh=True)


@pytest.mark.spec("PLAT-062")
def test_a_single_full_node_overflows() -> None:
    found = place([node("a", hd=1, used=1), node("can", CANADA)], carrying=["a"])
    assert found == Choice(node="can", location=CANADA, overflowed_from=USA, fresh=True)


@pytest.mark.spec("PLAT-069")
def test_the_limit_of_three_holds_in_an_overflow_location_too() -> None:
    full = [node(f"us{i}", hd=1, used=1) for i in range(3)]
    mexico = [node(f"mex{i}", MEXICO, hd=1, used=1) for i in range(3)]
    nodes = [*full, *mexico, node("mex-idle", MEXICO), node("can", CANADA)]
    carrying = [n.node for n in (*full, *mexico)]
    found = place(nodes, carrying=carrying)
    assert found == Choice(node="can", location=CANADA, overflowed_from=USA, fresh=True)


@pytest.mark.spec("PLAT-064")
def test_in_the_overflow_location_too_who_carries_goes_first() -> None:
    nodes = [node("us", hd=1, used=1), node("mex-carrying", MEXICO, used=8), node("mex-idle", MEXICO)]
    found = place(nodes, carrying=["us", "mex-carrying"])
    assert found == Choice(node="mex-carrying", location=MEXICO, overflowed_from=USA, fresh=False)


@pytest.mark.spec("PLAT-040")
def test_a_fourth_node_that_is_there_already_is_used() -> None:
    nodes = [*(node(name, hd=1, used=1) for name in "abc"), node("fourth"), node("fifth")]
    assert place(nodes, carrying=["a", "b", "c", "fourth"]) == Choice(node="fourth", location=USA, fresh=False)
    full = [*nodes[:3], node("fourth", hd=1, used=1), node("fifth")]
    assert place(full, carrying=["a", "b", "c", "fourth"]) is None


@pytest.mark.spec("POL-123")
def test_a_new_node_needs_room_for_the_reservation_too() -> None:
    assert place([node("a", hd=1)]) is None
    assert place([node("a", hd=1)], carrying=["a"]) is not None
    assert place([node("a", hd=2)]) is not None
    assert place([node("a", hd=1)], reservation=0) is not None


@pytest.mark.spec("POL-116")
def test_who_only_controls_needs_room_for_the_reservation() -> None:
    assert place([node("a", hd=0)], cost=0) is None
    assert place([node("a", hd=1)], cost=0) == Choice(node="a", location=USA, fresh=True)


@pytest.mark.spec("PLAT-037", "POL-062")
def test_without_room_or_nodes_there_is_no_choice() -> None:
    assert place([]) is None
    assert place([node("a", takes_media=False), node("elsewhere", 99)]) is None
    assert place([node("a")], location=77) is None


def test_who_refused_is_not_asked_again_but_still_counts() -> None:
    nodes = [*(node(name) for name in "abcd"), node("mex", MEXICO)]
    found = place(nodes, carrying="abc", exclude="abc")
    assert found == Choice(node="mex", location=MEXICO, overflowed_from=USA, fresh=True)
    assert place(nodes[:3], exclude="ab") == Choice(node="c", location=USA, fresh=True)


def test_who_leaves_takes_nothing_new_but_still_counts() -> None:
    leaving = [node(name, takes_media=False) for name in "abc"]
    assert place([*leaving, node("d")], carrying="abc") is None
    assert place([*leaving, node("d")], carrying="ab") == Choice(node="d", location=USA, fresh=True)


def test_a_heavier_node_is_preferred_while_it_has_room() -> None:
    light, heavy = node("light", hd=100), node("heavy", weight=5, used=5)
    assert place([light, heavy]) == Choice(node="heavy", location=USA, fresh=True)
    full = node("heavy", hd=1, used=1, weight=5)
    assert place([light, full]) == Choice(node="light", location=USA, fresh=True)


def test_equals_share_the_conferences() -> None:
    nodes = [node(name) for name in ("n1", "n2", "n3", "n4")]
    chosen = Counter(found.node for i in range(4000) if (found := place(nodes, key=f"conference{i}")))
    assert set(chosen) == {"n1", "n2", "n3", "n4"}
    assert all(850 < count < 1150 for count in chosen.values()), chosen
    assert place(nodes, key="one") == place(nodes[::-1], key="one")


EDGE, CORE = 10, 11
DMZ = {
    EDGE: LocationView(id=EDGE, name="DMZ", overflow=(MEXICO, CANADA), transcoding=CORE),
    CORE: LocationView(id=CORE, name="Core", overflow=(BRAZIL,)),
}


def edge_node(name: str, **more: Any) -> NodeView:
    return node(name, EDGE, role=NodeRole.PROXYING, **more)


@pytest.mark.spec("POL-131")
def test_a_call_on_an_edge_node_is_relayed_by_the_least_loaded_one() -> None:
    nodes = [edge_node("edge1", used=3), edge_node("edge2"), node("core", CORE), node("mex", MEXICO)]
    relay = edge(CallClass.HD)
    found = place(nodes, EDGE, locations=DMZ, edge_cost=relay)
    assert found == Choice(node="core", location=CORE, proxy="edge2", fresh=True)
    nodes[2] = node("core", CORE, hd=1, used=1)
    found = place([*nodes, node("bra", BRAZIL)], EDGE, locations=DMZ, edge_cost=relay)
    assert found == Choice(node="mex", location=MEXICO, overflowed_from=CORE, proxy="edge2", fresh=True)


@pytest.mark.spec("POL-131")
def test_without_transcoding_location_or_room_to_relay_an_edge_node_refuses() -> None:
    nodes = [edge_node("edge"), node("mex", MEXICO), node("core", CORE)]
    bare = {EDGE: LocationView(id=EDGE, overflow=(MEXICO,))}
    assert place(nodes, EDGE, locations=bare, edge_cost=3) is None
    assert place(nodes, EDGE, locations=DMZ, edge_cost=3, exclude=["edge"]) is None
    assert place([edge_node("edge", hd=1, used=1), *nodes[1:]], EDGE, locations=DMZ, edge_cost=3) is None


@pytest.mark.spec("POL-132")
def test_a_transcoding_location_takes_the_media_and_nothing_is_relayed() -> None:
    found = place([node("here", EDGE), node("core", CORE)], EDGE, locations=DMZ)
    assert found == Choice(node="core", location=CORE, fresh=True)


@pytest.mark.spec("POL-130", "POL-133", "POL-135")
def test_edge_nodes_host_nothing_and_do_not_count() -> None:
    edges = [node(f"edge{i}", role=NodeRole.PROXYING) for i in range(3)]
    assert place(edges) is None
    found = place([*edges, node("a", hd=1, used=1), node("b")], carrying=["edge0", "edge1", "edge2", "a"])
    assert found == Choice(node="b", location=USA, fresh=True)


# ---- properties -------------------------------------------------------------------------------------------

LOCATIONS = range(4)


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of choose()."""
    names = draw(st.lists(st.sampled_from([f"n{i}" for i in range(14)]), unique=True, max_size=14))
    nodes = {
        name: NodeView(
            node=name,
            location=draw(st.sampled_from(LOCATIONS)),
            capacity=draw(st.integers(0, 60)),
            used=draw(st.integers(0, 60)),
            role=draw(st.sampled_from([NodeRole.CONFERENCING] * 4 + [NodeRole.PROXYING])),
            takes_media=draw(st.sampled_from([True, True, True, False])),
            weight=draw(st.sampled_from([0, 0, 1])),
        )
        for name in names
    }
    some = st.lists(st.sampled_from(LOCATIONS), unique=True, max_size=2)
    transcoding = st.none() | st.sampled_from(LOCATIONS)
    locations = {
        where: LocationView(id=where, overflow=tuple(draw(some)), transcoding=draw(transcoding)) for where in LOCATIONS
    }
    subset = st.sets(st.sampled_from(names)) if names else st.just(set[str]())
    return {
        "location": draw(st.sampled_from(LOCATIONS)),
        "nodes": nodes,
        "locations": locations,
        "carrying": draw(subset),
        "cost": draw(st.sampled_from([1, 6, 12, 24])),
        "reservation": draw(st.sampled_from([0, 1, 12, 24])),
        "exclude": draw(subset) if draw(st.booleans()) else set(),
        "key": draw(st.sampled_from(["x", "y", "z"])),
        "edge_cost": draw(st.sampled_from([None, None, 3])),
    }


@pytest.mark.spec("PLAT-039", "PLAT-065", "POL-123", "POL-130")
@given(situations())
def test_a_choice_is_always_allowed(situation: dict[str, Any]) -> None:
    found = choose(**situation)
    if found is None:
        return
    nodes, carrying = situation["nodes"], situation["carrying"]
    chosen = nodes[found.node]
    here = situation["locations"][situation["location"]]
    principal = situation["location"] if here.transcoding is None else here.transcoding
    assert chosen.takes_media
    assert found.node not in situation["exclude"]
    assert chosen.role is NodeRole.CONFERENCING
    assert chosen.used + situation["cost"] + (situation["reservation"] if found.fresh else 0) <= chosen.capacity
    assert found.location == chosen.location
    assert found.location in (principal, *here.overflow)
    assert found.overflowed_from == (None if found.location == principal else principal)
    assert found.fresh == (found.node not in carrying)
    if found.fresh:
        beside = [n for n in carrying if nodes[n].location == chosen.location]
        assert len([n for n in beside if nodes[n].role is NodeRole.CONFERENCING]) < 3
    if situation["edge_cost"] is None:
        assert found.proxy is None
    else:
        relay = nodes[found.proxy]
        assert (relay.role, relay.location) == (NodeRole.PROXYING, situation["location"])
        assert relay.available >= situation["edge_cost"]


@given(situations(), st.data())
def test_more_room_never_causes_a_refusal(situation: dict[str, Any], data: st.DataObject) -> None:
    if choose(**situation) is None:
        return
    roomier = {
        name: msgspec.structs.replace(one, capacity=one.capacity + data.draw(st.sampled_from([0, 1, 12, 100])))
        for name, one in situation["nodes"].items()
    }
    assert choose(**situation | {"nodes": roomier}) is not None


@given(situations(), st.randoms(use_true_random=False))
def test_the_same_situation_gives_the_same_choice(situation: dict[str, Any], random: Any) -> None:
    shuffled = list(situation["nodes"].items())
    random.shuffle(shuffled)
    again = situation | {"nodes": dict(shuffled), "carrying": sorted(situation["carrying"], reverse=True)}
    assert choose(**again) == choose(**situation)


@given(situations())
def test_asking_again_without_the_refused_ends(situation: dict[str, Any]) -> None:
    situation["exclude"] = set()
    seen = set[str]()
    while (found := choose(**situation)) is not None:
        assert found.node not in seen
        seen.add(found.node)
        situation["exclude"] = seen
