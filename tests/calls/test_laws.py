"""Whatever people and workers do, in whatever order: the roster, the legs and the workers stay in step."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.calls.fakes import FakePool
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.arrivals import REFUSED_AS
from rostra.calls.switchboard import CallRefused, MediaRefused, PinRequired
from rostra.domain.media import MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.media import client
from rostra.media.messages import Failure, LegFailed

AUDIO = MediaDescription(streams=(MediaStream(kind=MediaKind.AUDIO, port=4000),))
WHO = st.integers(0, 30)
ANSWER = 0.5
"""Seconds a worker has to answer: one that died over a question is waited for as long."""


class Meetings(RuleBasedStateMachine):
    """Everything runs on one loop; requests may be left under way while the next thing happens."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.impatience = mock.patch.object(client, "REQUEST_TIMEOUT", ANSWER)
        self.impatience.start()
        self.pool = FakePool()
        self.people: list[Guest] = []
        self.everybody: list[Guest] = []
        self.asked: list[asyncio.Task[Any]] = []
        self.calls = 0
        self.troubles: list[dict[str, Any]] = []
        self.do(self._open())

    async def _open(self) -> None:
        node = Node(Network(), "n1", lambda alias: SERVICES.get(alias), pool=self.pool)
        self.node = await node.start()
        self.exchange = node.exchange
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.troubles.append(context))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def one(self, number: int) -> Guest:
        return self.people[number % len(self.people)]

    # ---- people

    @rule(
        alias=st.sampled_from(["open", "hosted", "hosts", "test"]),
        pin=st.sampled_from([None, "none", "1234"]),
        protocol=st.sampled_from([CallProtocol.API, CallProtocol.SIP]),
    )
    def join(self, alias: str, pin: str | None, protocol: CallProtocol) -> None:
        async def arrive() -> None:
            try:
                guest = await Guest(self.exchange).join(alias, pin, protocol)
            except (CallRefused, PinRequired):
                return
            self.people.append(guest)
            self.everybody.append(guest)

        self.do(arrive())

    @precondition(lambda self: self.people)
    @rule(number=WHO, patient=st.booleans(), sip=st.booleans(), confirm=st.booleans())
    def call(self, number: int, patient: bool, sip: bool, confirm: bool) -> None:
        guest = self.one(number)
        self.calls += 1
        name = f"c{self.calls}"

        async def media() -> None:
            try:
                if sip:
                    await guest.session.reserve_rtp(name, [MediaKind.AUDIO])
                    await guest.session.connect_rtp(name, AUDIO, AUDIO)
                else:
                    await guest.session.open_webrtc(name, "offer")
                if confirm:
                    await guest.session.confirm(name)
            except (CallRefused, MediaRefused):
                await guest.session.close_call(name)

        async def begin() -> None:
            task = asyncio.create_task(media())
            if patient and self.pool.stocked.is_set():
                await task
            else:
                self.asked.append(task)
                await asyncio.sleep(0)

        self.do(begin())

    @precondition(lambda self: any(not task.done() for task in self.asked))
    @rule()
    def give_up(self) -> None:
        async def cancel() -> None:
            for task in [task for task in self.asked if not task.done()][:1]:
                task.cancel()
            await asyncio.sleep(0)

        self.do(cancel())

    @precondition(lambda self: self.people)
    @rule(number=WHO)
    def leave(self, number: int) -> None:
        guest = self.one(number)
        self.people.remove(guest)
        self.do(guest.session.leave())

    @precondition(lambda self: self.people)
    @rule(number=WHO)
    def remove(self, number: int) -> None:
        guest = self.one(number)
        self.people.remove(guest)
        self.do(guest.session.conference.remove(guest.session.participant.uuid, "removed"))

    @precondition(lambda self: self.people)
    @rule(number=WHO, on=st.booleans(), what=st.sampled_from(["lock", "mute_guests"]))
    def govern(self, number: int, on: bool, what: str) -> None:
        self.do(getattr(self.one(number).session.conference, what)(on))

    @precondition(lambda self: self.people)
    @rule(number=WHO, role=st.sampled_from([Role.HOST, Role.GUEST]), admit=st.booleans())
    def promote(self, number: int, role: Role, admit: bool) -> None:
        guest = self.one(number)
        conference, uuid = guest.session.conference, guest.session.participant.uuid
        self.do(conference.admit(uuid) if admit else conference.set_role(uuid, role))

    @precondition(lambda self: self.people)
    @rule(number=WHO, digits=st.text("124#*", max_size=6))
    def press(self, number: int, digits: str) -> None:
        async def type_in() -> None:
            self.one(number).session.dtmf("", digits)

        self.do(type_in())

    # ---- workers

    @rule(stocked=st.booleans(), broken=st.booleans())
    def stock(self, stocked: bool, broken: bool) -> None:
        self.pool.broken = broken
        if stocked:
            self.pool.stocked.set()
        else:
            self.pool.stocked.clear()

    def at_work(self) -> list[Any]:
        return [worker for worker in self.pool.workers if worker.alive and worker not in self.pool.released]

    @precondition(lambda self: self.at_work())
    @rule(number=WHO)
    def kill(self, number: int) -> None:
        async def die() -> None:
            workers = self.at_work()
            if workers:  # else given back before we got here
                workers[number % len(workers)].kill()

        self.do(die())

    @precondition(lambda self: any(worker.legs for worker in self.at_work()))
    @rule(number=WHO)
    def leg_fails(self, number: int) -> None:
        async def fail() -> None:
            legs = [(worker, leg) for worker in self.at_work() for leg in sorted(worker.legs)]
            for worker, leg in legs[number % max(len(legs), 1) :][:1]:
                worker.legs.discard(leg)
                worker.tell(LegFailed(leg=leg, reason="Ice failure"))

        self.do(fail())

    @precondition(lambda self: self.at_work())
    @rule(number=WHO, kind=st.sampled_from([None, Failure.Kind.BAD_DESCRIPTION, Failure.Kind.INTERNAL]))
    def refuse(self, number: int, kind: Failure.Kind | None) -> None:
        self.at_work()[number % len(self.at_work())].refuse = kind

    def legs(self) -> set[str]:
        """Legs that workers run."""
        return {leg for worker in self.at_work() for leg in worker.legs}

    def known(self) -> set[str]:
        """Calls that sessions answer for."""
        return {call for guest in self.people for call in guest.session._calls}

    # ---- laws

    @invariant()
    def nobody_is_told_twice_and_nothing_goes_wrong_unseen(self) -> None:
        assert not self.troubles
        assert all(len(guest.listener.reasons) <= 1 for guest in self.everybody)

    @invariant()
    def who_was_not_told_is_in_the_roster(self) -> None:
        for guest in list(self.people):
            if guest.listener.reasons:
                self.people.remove(guest)
                continue
            uuid = guest.session.participant.uuid
            known = guest.session.conference.participant(uuid)
            assert known is not None
            assert guest.session.conference in self.exchange.conferences
            assert self.exchange.session(uuid) is guest.session
            undecided = {ServiceType.IVR, *REFUSED_AS.values()}  # asked who it is, or told why it cannot come
            assert known.role is not Role.UNKNOWN or known.service_type in undecided
        present = sum(len(conference.participants) for conference in self.exchange.conferences)
        assert present == len([g for g in self.people if not g.listener.reasons])

    def teardown(self) -> None:
        async def end() -> None:
            self.pool.broken = False
            self.pool.stocked.set()
            for worker in self.pool.workers:
                worker.refuse = None
            await asyncio.gather(*self.asked, return_exceptions=True)
            await until(lambda: self.legs() <= self.known())
            await until(lambda: len(self.at_work()) <= len(self.exchange.conferences))
            for guest in self.people:
                await guest.session.leave()
            # nothing is left to the look for legs without a call (hosting.UNLISTED)
            await until(lambda: not self.exchange.conferences and not self.at_work(), 20)
            assert self.node.ledger.used == 0
            await self.exchange.close()
            assert self.exchange.debug_state()["sessions"] == 0
            assert not self.at_work(), "a worker was not given back"
            assert len(self.pool.released) == len(set(self.pool.released))
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if left:  # what a worker was asked that died over it ends with the patience for its answer
                await asyncio.wait(left, timeout=4 * ANSWER)
            assert all(task.done() for task in left), left
            assert not self.troubles

        try:
            self.do(end())
        finally:
            self.impatience.stop()
            self.runner.close()


TestMeetings = Meetings.TestCase
TestMeetings.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
