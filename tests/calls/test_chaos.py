"""Random operations on five nodes while nodes die, messages get lost and the network splits: after healing all is one.

Everything runs in one process on the fabric in memory, so thousands of steps take seconds; tests/cluster/chaos.py does
the same to real processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.switchboard import CallRefused, MediaRefused
from rostra.conference.shared import OwnerUnreachable
from rostra.domain.history import ParticipantEnded
from rostra.domain.vocabulary import ServiceType

NAMES = ("n1", "n2", "n3", "n4", "n5")


class Chaos:
    """The platform, the people on it, and what is known of how each of them ended."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.network = Network(seed)
        self.people: dict[str, list[Guest]] = {name: [] for name in NAMES}
        self.left: list[str] = []
        self.events: list[Any] = []
        self.calls = 0

    async def start(self, name: str) -> None:
        await Node(self.network, name, lambda alias: SERVICES.get(alias), capacity=120).start()

    def alive(self) -> list[str]:
        return list(self.network.nodes)

    def everybody(self) -> list[Guest]:
        return [guest for name in self.alive() for guest in self.people[name] if not guest.listener.reasons]

    async def step(self) -> None:
        steps = {
            self.join: 6, self.call: 5, self.renegotiate: 6, self.leave: 3, self.act: 6, self.kill_worker: 1,
            self.kill_node: 1, self.revive: 3, self.split: 1, self.heal: 2, self.lose: 1, self.drain: 1,
        }  # fmt: skip
        (chosen,) = self.random.choices(list(steps), list(steps.values()))
        with contextlib.suppress(OwnerUnreachable):  # a node that is gone, or a participant that has just left
            await chosen()
        await asyncio.sleep(0.002 * self.random.random())

    async def join(self) -> None:
        name = self.random.choice(self.alive())
        if len(self.people[name]) < 8:
            self.people[name].append(await Guest(self.network.nodes[name].exchange).join())

    async def call(self) -> None:
        if guest := self.one():
            self.calls += 1
            await self.media(guest, f"c{self.calls}")

    async def renegotiate(self) -> None:
        """People whose media was lost follow, as clients do."""
        for guest in self.everybody():
            while guest.listener.lost:
                await self.media(guest, guest.listener.lost.pop())

    async def media(self, guest: Guest, call: str) -> None:
        try:
            async with asyncio.timeout(2):
                await guest.call(call)
        except (CallRefused, MediaRefused, TimeoutError):
            await guest.session.close_call(call)

    async def leave(self) -> None:
        if guest := self.one():
            self.left.append(guest.session.participant.uuid)
            await guest.session.leave()
            self.people[guest.session.participant.node].remove(guest)

    async def act(self) -> None:
        if guest := self.one():
            conference = guest.session.conference
            target = self.random.choice(list(conference.participants)).uuid
            on = self.random.random() < 0.5
            match self.random.randrange(5):
                case 0:
                    await conference.lock(on)
                case 1:
                    await conference.mute(target, on)
                case 2:
                    await conference.admit(target)
                case 3:
                    await conference.spotlight(target, on)
                case _:
                    await conference.remove(target, "Disconnected by another participant")

    async def kill_worker(self) -> None:
        node = self.network.nodes[self.random.choice(self.alive())]
        workers = [worker for worker in node.pool.workers if worker.alive and worker not in node.pool.released]
        if workers:
            self.random.choice(workers).kill()

    async def kill_node(self) -> None:
        if len(self.alive()) > 2:
            name = self.random.choice(self.alive())
            self.events += self.network.nodes[name].events
            self.network.kill(name)
            self.people[name] = []

    async def revive(self) -> None:
        gone = [name for name in NAMES if name not in self.network.nodes]
        if gone:
            await self.start(self.random.choice(gone))

    async def split(self) -> None:
        self.network.split(**{name: self.random.randrange(2) for name in self.alive()})

    async def heal(self) -> None:
        self.network.heal()

    async def lose(self) -> None:
        self.network.lost = self.random.choice([0.0, 0.0, 0.2, 0.8])

    async def drain(self) -> None:
        await self.network.nodes[self.random.choice(self.alive())].exchange.move_calls_away()

    def one(self) -> Guest | None:
        people = self.everybody()
        return self.random.choice(people) if people else None

    # ---- after all

    def rosters(self) -> list[list[str]]:
        return [
            [person.uuid for person in conference.participants]
            for node in self.network.nodes.values()
            for conference in node.exchange.conferences
        ]

    def true(self) -> set[str]:
        return {guest.session.participant.uuid for guest in self.everybody()}

    def settled(self) -> bool:
        rosters = self.rosters()
        return all(len(roster) == len(set(roster)) and set(roster) == self.true() for roster in rosters)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(6))
async def test_after_healing_everybody_agrees(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.conference.link.BEAT", 0.05)
    monkeypatch.setattr("rostra.conference.link.SILENT", 0.3)
    monkeypatch.setattr("rostra.conference.link.AGAIN", 0.02)
    monkeypatch.setattr("rostra.calls.exchange.LOOK", 0.05)
    monkeypatch.setattr("rostra.conference.media.UNCARRIED", 0.2)
    monkeypatch.setattr("rostra.conference.hosting.LOOK", 0.05)
    monkeypatch.setattr("rostra.conference.hosting.ORPHANED", 0.3)
    monkeypatch.setattr("rostra.conference.hosting.UNLISTED", 0.5)
    monkeypatch.setattr("rostra.calls.exchange.DRAINING", 0.4)
    chaos = Chaos(seed)
    for name in NAMES:
        await chaos.start(name)
    for _ in range(400):
        await chaos.step()
    chaos.network.lost = 0.0
    chaos.network.heal()
    await until(chaos.settled, 20)
    locks = {c.flags.locked for node in chaos.network.nodes.values() for c in node.exchange.conferences}
    assert len(locks) <= 1
    assert len({c.id for node in chaos.network.nodes.values() for c in node.exchange.conferences}) <= 1
    async with asyncio.timeout(20):
        while not media_is_whole(chaos):
            await chaos.renegotiate()  # also of what is told only now
            await asyncio.sleep(0.02)
    for node in chaos.network.nodes.values():
        chaos.events += node.events
    ends = Counter(e.participant.uuid for e in chaos.events if isinstance(e, ParticipantEnded))
    assert not [uuid for uuid, count in ends.items() if count != 1], "an end was told twice"
    assert set(chaos.left) <= ends.keys(), "an end was not told"
    assert not ends.keys() & chaos.true(), "the end of somebody who is there was told"
    for guest in chaos.everybody():
        await guest.session.leave()
    await until(lambda: not any(node.exchange.conferences for node in chaos.network.nodes.values()))
    await until(lambda: all(node.ledger.used == 0 for node in chaos.network.nodes.values()))


def media_is_whole(chaos: Chaos) -> bool:
    """Every listed leg runs on the worker of the node it is listed on, and nothing else runs."""
    listed = {
        (leg.node, leg.call)
        for guest in chaos.everybody()
        for leg in guest.session.participant.legs
        if guest.session.participant.service_type is not ServiceType.CONNECTING
    }
    run = {
        (name, leg)
        for name, node in chaos.network.nodes.items()
        for worker in node.pool.workers
        if worker.alive and worker not in node.pool.released
        for leg in worker.legs
    }
    booked = {
        (name, call)
        for name, node in chaos.network.nodes.items()
        for conference in node.exchange.conferences
        if conference.media.hosting
        for call in conference.media.hosting.calls
    }
    return listed == run == booked
