"""Whatever people do on several nodes, in whatever order, cut off or not: who gets in, who acts, when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.calls.network import Network, Node
from tests.calls.people import Guest, service
from tests.calls.virtual import VirtualLoop, clock, unix

from rostra.calls.switchboard import CallRefused, PinRequired
from rostra.conference.instance import ConferenceInstance
from rostra.conference.patience import WAITED_LONG
from rostra.conference.roster import Participant
from rostra.conference.shared import OwnerUnreachable
from rostra.domain.admission import AccessRules, held_by_lock
from rostra.domain.ending import End
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

GUESTS_ONLY = 60.0
LATE = 60.0
"""Seconds that an end may be late where a cut has been healed meanwhile."""
PATIENT = 100.0
"""Seconds in the waiting room."""
RULES = {
    "open": AccessRules(),
    "hosted": AccessRules(host_pin="1234", allow_guests=True),
    "pinned": AccessRules(host_pin="1234", allow_guests=True, guest_pin="5678"),
    "hosts": AccessRules(host_pin="1234"),
}
SERVICES = {
    name: service(name.title(), access, guests_only_timeout=GUESTS_ONLY, waiting_timeout=PATIENT)
    for name, access in RULES.items()
}
WHO = st.integers(0, 30)


class Person(Guest):
    """Somebody, and what it has a right to."""

    def __init__(self, node: Node, access: AccessRules, given: str | None) -> None:
        super().__init__(node.exchange)
        self.node = node
        self.host = not access.pin_asked or given == "1234"
        self.guest = access.allow_guests and (not access.guest_pin or given == access.guest_pin)
        self.admitted = False
        self.was_in = False
        self.guest_since: float | None = None
        """Since when it is in as a Guest."""
        self.gone: float | None = None
        """When it was seen to be let go."""
        self.waits: float | None = None
        """Since when it is in the waiting room."""

    @property
    def here(self) -> bool:
        return not self.listener.reasons

    @property
    def entry(self) -> Participant:
        return self.session.participant


class Meetings(RuleBasedStateMachine):
    """One service on three nodes; time passes only when the story says so."""

    @initialize(alias=st.sampled_from(sorted(RULES)), party=st.booleans(), nodes=st.permutations(range(3)))
    def begin(self, alias: str, party: bool, nodes: list[int]) -> None:
        """An empty conference, or one under way: a Host and two who come without the Host PIN where that goes."""
        self.alias, self.access = alias, RULES[alias]
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.people: list[Person] = []
        self.troubles: list[dict[str, Any]] = []
        self.cut = False
        self.held: dict[str, bool] = {}
        self.hosted: dict[str, float] = {}
        self.runner.run(self._open())
        if party:
            for pin, where in zip(("1234", "5678" if self.access.guest_pin else "", ""), nodes, strict=True):
                self.join(where, pin, CallProtocol.SIP, media=True)

    async def _open(self) -> None:
        self.network = Network(7)
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.troubles.append(context))
        self.nodes = [
            await Node(self.network, f"n{i}", lambda alias: SERVICES.get(alias), now=unix, clock=clock).start()
            for i in range(3)
        ]

    def do(self, work: Coroutine[Any, Any, Any], seconds: float = 0.5) -> None:
        """Something happens, and everybody hears of it."""

        async def happen() -> None:
            self._note()
            await work
            await asyncio.sleep(seconds)
            self._note()

        self.runner.run(happen())

    def one(self, number: int) -> Person:
        return self.people[number % len(self.people)]

    # ---- what people do

    @rule(
        where=st.integers(0, 2), pin=st.sampled_from([None, "", "1234", "5678", "9"]),
        protocol=st.sampled_from([CallProtocol.SIP, CallProtocol.SIP, CallProtocol.API]), media=st.booleans(),
    )  # fmt: skip
    def join(self, where: int, pin: str | None, protocol: CallProtocol, media: bool) -> None:
        async def arrive() -> None:
            person = Person(self.nodes[where], self.access, pin)
            try:
                await person.join(self.alias, pin, protocol)
            except (CallRefused, PinRequired):
                return
            self.people.append(person)
            try:
                if media:
                    await person.call(f"c{person.entry.uuid}")
            except CallRefused:
                assert not person.here, "without media although it is in"

        self.do(arrive())

    @precondition(lambda self: self.people)
    @rule(number=WHO, digits=st.sampled_from(["1234", "5678", "0000", "*7", "*5", "#", "12"]))
    def press(self, number: int, digits: str) -> None:
        person = self.one(number)
        if not person.here:
            return
        before, flags = person.entry, person.session.conference.flags

        async def type_in() -> None:
            person.session.dtmf("", digits)

        person.host |= "1234" in digits
        person.guest |= bool(self.access.guest_pin) and digits == self.access.guest_pin
        self.do(type_in())
        if before.role is not Role.HOST and person.here:
            now = person.session.conference.flags
            assert (now.locked, now.guests_muted) == (flags.locked, flags.guests_muted), "a Guest changed something"

    @property
    def acting(self) -> list[Person]:
        """Hosts who are in."""
        return [one for one in self.people if one.here and one.entry.joined and one.entry.role is Role.HOST]

    def host(self, number: int) -> tuple[Person, ConferenceInstance]:
        person = self.acting[number % len(self.acting)]
        return person, person.session.conference

    @precondition(lambda self: self.acting)
    @rule(number=WHO, locked=st.booleans())
    def lock(self, number: int, locked: bool) -> None:
        self.do(self.host(number)[1].lock(locked))
        if not locked and not self.cut:
            self._nobody_is_held()

    @precondition(lambda self: self.acting and not self.cut)
    @rule(number=WHO, where=st.integers(0, 2), pin=st.sampled_from(["", "1234", "5678"]))
    def come_while_it_is_locked(self, number: int, where: int, pin: str) -> None:
        """Held by the lock, unless it is a Host by PIN, and let in by whoever unlocks."""
        _, conference = self.host(number)
        self.do(conference.lock(True))
        before = len(self.people)
        self.join(where, pin, CallProtocol.SIP, media=True)
        for late in self.people[before:]:
            assert not late.entry.joined or (self.access.pin_asked and late.entry.role is Role.HOST), "not locked out"
        if not conference.ended:
            self.do(conference.lock(False))
            self._nobody_is_held()

    def _nobody_is_held(self) -> None:
        """There is no lock any more."""
        for other in self.people:
            if other.here and other.entry.service_type is ServiceType.WAITING_ROOM:
                assert other.entry.role is Role.GUEST, "held although it is not locked any more"
                assert not other.session.conference.flags.started, "held although it is not locked any more"

    @precondition(lambda self: self.acting and len(self.people) > 1)
    @rule(number=WHO, other=WHO, what=st.sampled_from(["admit", "host", "guest", "remove", "start"]))
    def govern(self, number: int, other: int, what: str) -> None:
        (host, conference), target = self.host(number), self.one(other)
        if host is target or not target.here:
            return
        uuid = target.entry.uuid
        if conference.participant(uuid) is None:
            return

        async def act() -> None:
            try:
                if what == "admit":
                    target.admitted = True
                    await conference.admit(uuid)
                elif what == "remove":
                    await conference.remove(uuid, "removed")
                elif what == "start":
                    await conference.start(host.entry.uuid)
                else:
                    target.host |= what == "host"
                    target.guest = True
                    await conference.set_role(uuid, Role.HOST if what == "host" else Role.GUEST)
            except OwnerUnreachable:
                return

        self.do(act())

    @precondition(lambda self: len(self.people) > 2)
    @rule(number=WHO, hosts=st.booleans())
    def leave(self, number: int, hosts: bool) -> None:
        person = self.host(number)[0] if hosts and self.acting else self.one(number)
        self.people.remove(person)
        if person.here:
            self.do(person.session.leave())

    @precondition(lambda self: self.acting)
    @rule()
    def all_hosts_leave(self) -> None:
        for host in self.acting:
            self.people.remove(host)
            self.do(host.session.leave())
        self.wait(130.0)

    # ---- what happens to them

    @precondition(lambda self: self.people)
    @rule(seconds=st.sampled_from([1.0, 20.0, 45.0, 70.0, 130.0]))
    def wait(self, seconds: float) -> None:
        async def step() -> None:
            """Looked at often, so that it is known when a Host was last seen."""
            for _ in range(int(seconds)):
                await asyncio.sleep(1)
                self._note()

        self.do(step())

    @precondition(lambda self: len(self.people) > 1 and not self.cut)
    @rule(side=st.integers(0, 2))
    def cut_off(self, side: int) -> None:
        async def split() -> None:
            self.network.split(**{f"n{i}": int(i == side) for i in range(3)})

        self.cut = True
        self.do(split())

    @precondition(lambda self: self.cut)
    @rule(seconds=st.sampled_from([0.05, 1.5, 15.0]))
    def heal(self, seconds: float) -> None:
        """For good, or for a moment only."""

        async def mend() -> None:
            self.network.heal()

        sides = dict(self.network.sides)
        self.do(mend(), seconds)
        self.cut = seconds < 15
        if self.cut:

            async def split() -> None:
                self.network.split(**sides)

            self.do(split())

    # ---- laws

    def _note(self) -> None:
        """On which nodes a Host who counts is seen now, and whom a lock holds."""
        for node in self.nodes:
            for conference in node.exchange.conferences:
                starters = conference._state.names("started_by_hand")
                people = conference.participants
                if any(p.role is Role.HOST and p.joined and (p.has_media or p.uuid in starters) for p in people):
                    self.hosted[node.name] = unix()
        for person in self.people:
            if not person.here:
                person.gone = person.gone or unix()
                continue
            if person.entry.joined and not person.was_in:
                person.was_in = True
                self._came_in(person)
            follows = person.entry.joined and person.entry.role is Role.GUEST
            person.guest_since = (person.guest_since or unix()) if follows else None
            last = self.hosted.get(person.node.name)
            if last and person.guest_since:
                alone = unix() - max(last, person.guest_since)  # also of a part that is cut off, and had ended before
                assert alone < GUESTS_ONLY + LATE + 5, "it should have ended"
            waits = person.entry.service_type is ServiceType.WAITING_ROOM
            person.waits = (person.waits or unix()) if waits else None
            assert person.waits is None or unix() - person.waits < PATIENT + 2, "it waits for ever"

    def _came_in(self, person: Person) -> None:
        """It had the right to, and nothing held it."""
        entry, flags = person.entry, person.session.conference.flags
        assert person.host or person.guest, "in without any right"
        if entry.role is Role.HOST:
            assert person.host, "a Host without the right to be one"
        elif entry.role is Role.GUEST:
            assert flags.started, "a Guest came in before the conference had begun"
        else:
            raise AssertionError("in without a role")
        if held_by_lock(entry.role, self.access, locked=flags.locked) and not person.admitted:
            assert not self.held.get(person.node.name), "came in through a lock"

    @invariant()
    def nothing_goes_wrong_unseen(self) -> None:
        if hasattr(self, "troubles"):
            assert not self.troubles
            for node in self.nodes:
                self.held[node.name] = any(c.flags.locked for c in node.exchange.conferences)

    @invariant()
    def nobody_is_lost(self) -> None:
        for person in getattr(self, "people", []):
            if person.here:
                known = person.session.conference.participant(person.entry.uuid)
                assert known is not None
                assert person.session.conference in person.exchange.conferences
            assert len(person.listener.reasons) <= 1

    @invariant()
    def nobody_is_let_go_before_the_time(self) -> None:
        for person in list(getattr(self, "people", [])):
            if not person.listener.reasons:
                continue
            self.people.remove(person)
            gone = person.gone or unix_of(self)
            waited = person.waits is not None
            if person.listener.reasons[0] == End.HOSTS_LEFT.text and (self.access.pin_asked or not waited):
                alone = gone - self.hosted.get(person.node.name, 0.0)
                assert alone >= GUESTS_ONLY - 2.5, f"after {alone} s already"
            if person.listener.reasons[0] == WAITED_LONG:
                assert person.waits is not None
                assert gone - person.waits >= PATIENT - 1.5, "it was let go too early"

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return

        async def end() -> None:
            self.network.heal()
            await asyncio.sleep(20)
            rosters = [
                {p.uuid for c in node.exchange.conferences for p in c.participants}
                for node in self.nodes
                if node.exchange.conferences
            ]
            assert all(roster == rosters[0] for roster in rosters), "the nodes do not agree"
            for person in self.people:
                if person.here:
                    await person.session.leave()
            await asyncio.sleep(120)
            assert not [c for node in self.nodes for c in node.exchange.conferences]
            for node in self.nodes:
                await node.exchange.close()
            assert not self.troubles

        try:
            self.runner.run(end())
        finally:
            self.runner.close()


def unix_of(machine: Meetings) -> float:
    async def now() -> float:
        return unix()

    return machine.runner.run(now())


TestMeetings = Meetings.TestCase
TestMeetings.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
