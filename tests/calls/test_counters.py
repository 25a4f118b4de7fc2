"""What a worker has counted is not lost with it."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.fakes import FakePool
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest
from tests.calls.virtual import clock, run, unix

from rostra.conference.hosting import COUNTED, LOOK
from rostra.domain.history import BackplaneEnded, MediaEnded


def kill_workers(pool: FakePool) -> None:
    for worker in pool.workers:
        if worker.alive:
            worker.kill()


@pytest.mark.parametrize("lived", [1.0, COUNTED + 2 * LOOK])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_history_keeps_what_a_dead_worker_told_last(lived: float, elsewhere: bool) -> None:
    """Also of a call that another node signals, which could not know."""

    async def story() -> None:
        network = Network()
        here, there = [
            await Node(
                network,
                name,
                lambda alias: SERVICES.get(alias),
                now=unix,
                clock=clock,
                capacity=1200 if name == "n1" else 0,
            ).start()
            for name in ("n1", "n2")
        ]
        guest = await Guest((there if elsewhere else here).exchange).join()
        await guest.call("c")
        await asyncio.sleep(lived)
        kill_workers(here.pool)
        await guest.session.open_webrtc("c", "offer")
        await asyncio.sleep(1)
        kill_workers(here.pool)  # before it was asked: nothing is told twice
        await asyncio.sleep(1)
        told = [event for event in here.events if isinstance(event, MediaEnded)]
        if lived < COUNTED:
            assert not told
        else:
            assert [(one.participant, one.call, one.quality) for one in told] == [
                (guest.session.participant.uuid, "c", (1,))
            ]
            assert [(s.node, s.rx_packets_received, s.tx_packets_sent) for s in told[0].streams] == [("n1", 10, 10)]
        assert not [event for event in there.events if isinstance(event, MediaEnded)]
        await guest.session.leave()
        for node in (here, there):
            await node.exchange.close()

    run(story())


def test_history_keeps_what_went_to_other_nodes() -> None:
    async def story() -> None:
        network = Network()
        nodes = [
            await Node(network, name, lambda alias: SERVICES.get(alias), now=unix, clock=clock, capacity=12).start()
            for name in ("n1", "n2")
        ]
        guests = [await (await Guest(node.exchange).join()).call(f"c-{node.name}") for node in nodes]
        await asyncio.sleep(COUNTED + 5)
        sent = len(nodes[0].pool.workers[0].sending)
        assert sent
        kill_workers(nodes[0].pool)
        for guest in guests:
            await guest.session.leave()
        await asyncio.sleep(30)
        ended = [event for event in nodes[0].events if isinstance(event, BackplaneEnded)]
        assert sum(len(event.streams) for event in ended) >= 1
        assert all(stream.tx_packets_sent == 10 for event in ended for stream in event.streams)
        for node in nodes:
            await node.exchange.close()

    run(story())
