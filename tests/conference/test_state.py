"""Replicated conference state converges whatever happens to deltas on the way."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from rostra.conference.roster import Participant
from rostra.conference.state import ConferenceState, Delta
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

NODES = ("n1", "n2", "n3")


def participant(uuid: str, node: str, **members: object) -> Participant:
    base = Participant(
        uuid=uuid, node=node, display_name=uuid, local_alias="a", protocol=CallProtocol.SIP, role=Role.HOST,
        service_type=ServiceType.CONFERENCE, start_time=1.0,
    )  # fmt: skip
    return msgspec.structs.replace(base, **members)


def test_applying_twice_changes_nothing() -> None:
    state = ConferenceState("n1")
    delta = state.put(participant("p", "n1"))
    assert state.apply(delta).created
    assert not state.apply(delta)


def test_a_late_update_does_not_bring_back_who_left() -> None:
    owner, other = ConferenceState("n1"), ConferenceState("n2")
    for step in (created := owner.put(participant("p", "n1")),):
        owner.apply(step)
    removed = owner.remove("p")
    owner.apply(removed)
    other.apply(removed)
    assert not other.apply(created)
    assert list(other) == []


def test_the_last_writer_of_a_flag_wins_everywhere() -> None:
    one, two = ConferenceState("n1"), ConferenceState("n2")
    first, second = one.set(locked=True), two.set(locked=False)
    for state, order in ((one, (first, second)), (two, (second, first))):
        for delta in order:
            state.apply(delta)
    assert one.flags == two.flags


class Convergence(RuleBasedStateMachine):
    """Three nodes; deltas are delayed, duplicated, reordered and lost at will; at the end all meet."""

    deltas = Bundle("deltas")

    def __init__(self) -> None:
        super().__init__()
        self.nodes = {name: ConferenceState(name) for name in NODES}
        self.serial = 0

    @rule(target=deltas, node=st.sampled_from(NODES))
    def join(self, node: str) -> Delta:
        self.serial += 1
        delta = self.nodes[node].put(participant(f"{node}-{self.serial}", node, start_time=float(self.serial)))
        self.nodes[node].apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), muted=st.booleans(), data=st.data())
    def change(self, node: str, muted: bool, data: st.DataObject) -> Delta:
        own = [p for p in self.nodes[node] if p.node == node]
        if not own:
            return Delta()
        chosen = data.draw(st.sampled_from(own))
        delta = self.nodes[node].put(msgspec.structs.replace(chosen, is_muted=muted))
        self.nodes[node].apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), data=st.data())
    def leave(self, node: str, data: st.DataObject) -> Delta:
        own = [p.uuid for p in self.nodes[node] if p.node == node]
        if not own:
            return Delta()
        delta = self.nodes[node].remove(data.draw(st.sampled_from(own)))
        self.nodes[node].apply(delta)
        return delta

    @rule(target=deltas, node=st.sampled_from(NODES), locked=st.booleans())
    def lock(self, node: str, locked: bool) -> Delta:
        delta = self.nodes[node].set(locked=locked)
        self.nodes[node].apply(delta)
        return delta

    @rule(delta=deltas, node=st.sampled_from(NODES))
    def deliver(self, delta: Delta, node: str) -> None:
        self.nodes[node].apply(delta)

    @invariant()
    def owners_know_their_own(self) -> None:
        for name, state in self.nodes.items():
            for other in self.nodes.values():
                for theirs in other:
                    if theirs.node == name and state.get(theirs.uuid) is None:
                        assert theirs.uuid in state.full().entries, "an owner has a tombstone for who left"

    def teardown(self) -> None:
        for _ in range(2):
            for left in self.nodes.values():
                for right in self.nodes.values():
                    right.apply(left.full())
        first, *others = self.nodes.values()
        for other in others:
            assert list(other) == list(first)
            assert other.flags == first.flags


TestConvergence = Convergence.TestCase
