"""Room booked for a call is given back at once, whatever overtakes the booking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.calls.fakes import FakePool, FakeWorker
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest
from tests.calls.virtual import clock, run, unix

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.conference.hosting import ORPHANED
from rostra.domain.history import CapacityRefused
from rostra.domain.media import MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol, ServiceType
from rostra.media import messages as m

AUDIO = MediaDescription(streams=(MediaStream(kind=MediaKind.AUDIO, port=4000),))
AT_ONCE = ORPHANED / 2
"""Seconds in which no look for legs without a call would find one."""

Story = Callable[[Node, FakePool], Awaitable[None]]


def on_one_node(story: Story) -> None:
    async def begin() -> None:
        pool = FakePool()
        find = lambda alias: SERVICES.get(alias)  # noqa: E731
        node = await Node(Network(), "n1", find, pool=pool, now=unix, clock=clock).start()
        await story(node, pool)
        await node.exchange.close()

    run(begin())


class Slow:
    """Workers that take a while over requests of one kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *kinds: type[m.Request]) -> None:
        answer = FakeWorker.answer

        async def slowly(worker: FakeWorker, subject: str, payload: bytes) -> bytes | None:
            if isinstance(m.request_decoder.decode(payload), kinds):
                await asyncio.sleep(1)
            return await answer(worker, subject, payload)

        monkeypatch.setattr(FakeWorker, "answer", slowly)


async def nothing_is_left(node: Node, pool: FakePool) -> None:
    await asyncio.sleep(AT_ONCE)
    assert not node.exchange.conferences
    assert node.ledger.used == 0
    assert not [worker for worker in pool.workers if worker.alive and worker not in pool.released]


def test_a_request_given_up_while_its_call_is_being_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    Slow(monkeypatch, m.ConnectRtp, m.Close)

    async def story(node: Node, pool: FakePool) -> None:
        guest = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
        await guest.session.reserve_rtp("c", [MediaKind.AUDIO])
        asked = asyncio.ensure_future(guest.session.connect_rtp("c", AUDIO, AUDIO))
        await asyncio.sleep(0.5)
        leaving = asyncio.ensure_future(guest.session.leave())
        await asyncio.sleep(1)
        asked.cancel()
        await asyncio.gather(asked, leaving, return_exceptions=True)
        await nothing_is_left(node, pool)

    on_one_node(story)


@pytest.mark.parametrize("ended", [False, True])
def test_somebody_who_is_taken_elsewhere_before_there_is_a_worker(ended: bool) -> None:
    """What is placed then is for the conference it is in by then."""

    async def story(node: Node, pool: FakePool) -> None:
        pool.stocked.clear()
        guest = await Guest(node.exchange).join("hosts", protocol=CallProtocol.SIP)
        asked = asyncio.ensure_future(guest.session.reserve_rtp("c", [MediaKind.AUDIO]))
        await asyncio.sleep(0.5)
        before = guest.session.conference
        assert await node.exchange.transfers.refuse(guest.session, Refusal.PARTICIPANT_LIMIT)
        if ended:
            await guest.session.leave()
        pool.stocked.set()
        if ended:
            with pytest.raises(CallRefused):
                await asked
        else:
            await asked
            await guest.session.connect_rtp("c", AUDIO, AUDIO)
            await asyncio.sleep(1)
            assert guest.where is ServiceType.INSUFFICIENT_CAPACITY
            assert before.ended, "kept for a leg that it does not have"
            assert [leg.call for leg in guest.session.participant.legs] == ["c"]
            assert guest.session.conference.media.hosting is not None
            assert guest.session.conference.media.hosting.calls == ["c"]
            await guest.session.leave()
        await nothing_is_left(node, pool)

    on_one_node(story)


def test_two_requests_for_one_call_are_one_booking() -> None:
    async def story(node: Node, pool: FakePool) -> None:
        pool.stocked.clear()
        guest = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
        asked: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(guest.session.reserve_rtp("c", [MediaKind.AUDIO])) for _ in range(2)
        ]
        await asyncio.sleep(0.5)
        pool.stocked.set()
        assert len({(await one)[1] for one in asked}) == 1
        assert node.ledger.used > 0
        await guest.session.leave()
        await nothing_is_left(node, pool)

    on_one_node(story)


@pytest.mark.spec("POL-124")
def test_calls_that_come_at_once_never_get_the_same_room() -> None:
    async def admitted(at_once: bool) -> int:
        find = lambda alias: SERVICES.get(alias)  # noqa: E731
        network = Network()
        nodes = [await Node(network, name, find, now=unix, clock=clock, capacity=60).start() for name in ("n1", "n2")]
        guests = [await Guest(nodes[at % 2].exchange).join("open") for at in range(20)]
        calls = [guest.call(f"c{at}") for at, guest in enumerate(guests)]
        if at_once:
            found = await asyncio.gather(*calls, return_exceptions=True)
        else:
            found = [(await asyncio.gather(call, return_exceptions=True))[0] for call in calls]
        assert all(node.ledger.used <= 60 for node in nodes)
        refused = [one for one in found if isinstance(one, BaseException)]
        assert all(isinstance(one, CallRefused) and one.refusal is Refusal.OUT_OF_RESOURCE for one in refused)
        for node in nodes:
            await node.exchange.close()
        return len(found) - len(refused)

    async def story() -> None:
        assert 2 < await admitted(True) == await admitted(False) < 20

    run(story())


@pytest.mark.spec("POL-127")
def test_a_conference_that_is_full_is_no_alarm() -> None:
    async def story(node: Node, pool: FakePool) -> None:
        first = await Guest(node.exchange).join("small", protocol=CallProtocol.SIP)
        late = await Guest(node.exchange).join("small", protocol=CallProtocol.SIP)
        await late.session.reserve_rtp("c2", [MediaKind.AUDIO])
        assert (first.where, late.where) == (ServiceType.CONFERENCE, ServiceType.INSUFFICIENT_CAPACITY)
        assert not [event for event in node.events if isinstance(event, CapacityRefused)]
        await asyncio.sleep(60)
        await first.session.leave()
        await nothing_is_left(node, pool)

    on_one_node(story)
