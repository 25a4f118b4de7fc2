"""Replicated conference state converges whatever happens to deltas on the way."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from rostra.conference.roster import Participant
from rostra.conference.state import IDENTITY, TOMBSTONES, ConferenceState, Delta
from rostra.domain.backplane import Host
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

NODES = ("n1", "n2", "n3")


def participant(uuid: str, node: str, **members: object) -> Participant:
    base = Participant(
        uuid=uuid, node=node, display_name=uuid, local_alias="a", protocol=CallProtocol.SIP, role=Role.HOST,
        service_type=ServiceType.CONFERENCE, start_time=1.0,
    )  # fmt: skip
    return msgspec.structs.replace(base, **members)


def pair() -> tuple[ConferenceState, ConferenceState]:
    """Two nodes that see each other."""
    one, two = ConferenceState("n1", "b1"), ConferenceState("n2", "b2")
    one.see({"n2": "b2"})
    two.see({"n1": "b1"})
    return one, two


def test_applying_twice_changes_nothing() -> None:
    state = ConferenceState("n1")
    delta = state.put(participant("p", "n1"))
    assert state.apply(delta).created
    assert not state.apply(delta)


def test_a_late_update_does_not_bring_back_who_left() -> None:
    owner, other = pair()
    created = owner.put(participant("p", "n1"))
    owner.apply(created)
    removed = owner.remove("p")
    owner.apply(removed)
    other.apply(removed)
    assert not other.apply(created)
    assert list(other) == []


def test_the_last_writer_of_a_flag_wins_everywhere() -> None:
    one, two = pair()
    first, second = one.set(locked=True), two.set(locked=False)
    for state, order in ((one, (first, second)), (two, (second, first))):
        for delta in order:
            state.apply(delta)
    assert one.flags == two.flags


def test_a_node_that_forgot_its_clock_does_not_split_the_flags() -> None:
    one, two = pair()
    for state in (one, two):
        state.apply(one.set(locked=True))
    again = ConferenceState("n1", "b9")
    again.apply(again.set(locked=False))
    two.apply(again.full())
    again.apply(two.full())
    assert again.flags == two.flags


def test_who_left_long_ago_is_forgotten() -> None:
    one, two = pair()
    for index in range(100):
        one.apply(one.put(participant(f"p{index}", "n1")))
        one.apply(one.remove(f"p{index}"))
    one.prune(1000.0)
    assert len(one.full().entries) == 100, "a late update must not bring them back"
    one.prune(1000.0 + TOMBSTONES + 1)
    assert not one.full().entries
    assert not list(two)


def test_the_earlier_of_two_beginnings_names_the_conference() -> None:
    one, two = pair()
    early, late = two.found("early", 100.0), one.found("late", 100.5)
    for state, order in ((one, (late, early)), (two, (early, late))):
        for delta in order:
            state.apply(delta)
        assert state.register(IDENTITY) == "early"


def test_who_is_gone_is_not_shown_and_back_at_once() -> None:
    one, two = pair()
    two.apply(two.put(participant("p", "n2")))
    two.apply(two.carry(Host(node="n2", location=1, since=1.0), ["c"]))
    one.apply(two.full())
    assert (len(one), one.pictures) == (1, {"c"})
    changes = one.see({})
    assert (changes.deleted, changes.hosts, dict(one.hosts)) == (["p"], True, {})
    changes = one.see({"n2": "b2"})
    assert ([p.uuid for p in changes.created], changes.hosts) == (["p"], True)
    assert one.see({"n2": "another run"}).deleted == ["p"], "what an earlier run owned is gone"


def test_who_let_go_is_forgotten_until_it_speaks_for_itself() -> None:
    one, two = pair()
    two.apply(two.put(participant("p", "n2")))
    hearsay = two.full()
    one.apply(hearsay)
    assert one.forget({("n2", "b2")}).deleted == ["p"]
    assert not one.apply(hearsay), "a third node does not know yet"
    one.welcome(("n2", "b2"))
    assert one.apply(hearsay).created


def test_what_an_owner_does_not_know_of_itself_is_dropped() -> None:
    one, two = pair()
    two.apply(two.put(participant("p", "n2")))
    two.apply(two.put(participant("q", "n2")))
    one.apply(two.full())
    again = ConferenceState("n2", "b2")
    again.apply(again.put(participant("r", "n2")))
    one.apply(again.full())
    assert one.confine(("n2", "b2"), again.full()).deleted == ["p", "q"]
    assert [known.uuid for known in one] == ["r"]


@pytest.mark.parametrize("value", [True, 2.5, "text", ("a", "b"), None])
def test_a_register_holds_any_of_its_values(value: object) -> None:
    state = ConferenceState("n1")
    delta = msgspec.msgpack.decode(msgspec.msgpack.encode(state.set(order=value)), type=Delta)  # type: ignore[arg-type]
    assert "order" in state.apply(delta).registers
    assert state.register("order") == value


class Convergence(RuleBasedStateMachine):
    """Three nodes; deltas are delayed, duplicated, reordered and lost, nodes restart; at the end all meet."""

    deltas = Bundle("deltas")

    def __init__(self) -> None:
        super().__init__()
        self.boots = dict.fromkeys(NODES, "0")
        self.nodes = {name: ConferenceState(name, "0") for name in NODES}
        self.serial = 0
        self.look()

    def look(self) -> None:
        for state in self.nodes.values():
            state.see(self.boots)

    @rule(target=deltas, node=st.sampled_from(NODES))
    def join(self, node: str) -> Delta:
        self.serial += 1
        delta = self.nodes[node].put(participant(f"{node}-{self.serial}", node, start_time=float(self.serial)))
        self.nodes[node].apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), muted=st.booleans(), data=st.data())
    def change(self, node: str, muted: bool, data: st.DataObject) -> Delta:
        state = self.nodes[node]
        own = [p for p in state if state.owns(p.uuid)]
        if not own:
            return Delta()
        delta = state.put(msgspec.structs.replace(data.draw(st.sampled_from(own)), is_muted=muted))
        state.apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), data=st.data())
    def leave(self, node: str, data: st.DataObject) -> Delta:
        state = self.nodes[node]
        own = [p.uuid for p in state if state.owns(p.uuid)]
        if not own:
            return Delta()
        delta = state.remove(data.draw(st.sampled_from(own)))
        state.apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), locked=st.booleans())
    def lock(self, node: str, locked: bool) -> Delta:
        delta = self.nodes[node].set(locked=locked)
        self.nodes[node].apply(delta)
        return delta

    @rule(
        target=deltas, node=st.sampled_from(NODES), calls=st.frozensets(st.sampled_from("xyz")), carries=st.booleans()
    )
    def carry(self, node: str, calls: frozenset[str], carries: bool) -> Delta:
        host = Host(node=node, location=1, since=float(self.serial)) if carries else None
        delta = self.nodes[node].carry(host, calls)
        self.nodes[node].apply(delta)
        return delta

    @rule(node=st.sampled_from(NODES))
    def restart(self, node: str) -> None:
        """A new run knows nothing until it meets the others."""
        self.boots[node] = str(int(self.boots[node]) + 1)
        self.nodes[node] = ConferenceState(node, self.boots[node])
        self.look()

    @rule(delta=deltas, node=st.sampled_from(NODES))
    def deliver(self, delta: Delta, node: str) -> None:
        self.nodes[node].apply(delta)

    @rule(node=st.sampled_from(NODES), blind=st.sampled_from(NODES))
    def lose_sight(self, node: str, blind: str) -> None:
        self.nodes[node].see({name: boot for name, boot in self.boots.items() if name != blind})

    @invariant()
    def what_is_shown_is_owned_by_a_run_that_is_there(self) -> None:
        for state in self.nodes.values():
            entries = state.full().entries
            assert all(entries[p.uuid].boot == self.boots[p.node] for p in state)

    def teardown(self) -> None:
        self.look()
        for _ in range(2):
            for left in self.nodes.values():
                for right in self.nodes.values():
                    right.apply(msgspec.msgpack.decode(msgspec.msgpack.encode(left.full()), type=Delta))
        first, *others = self.nodes.values()
        for other in others:
            assert list(other) == list(first)
            assert other.flags == first.flags
            assert (other.hosts, other.pictures) == (first.hosts, first.pictures)


TestConvergence = Convergence.TestCase
TestConvergence.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
