"""The last place of a conference, taken on several nodes in the same moment."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, service
from tests.calls.virtual import clock, run, unix

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.domain.admission import AccessRules
from rostra.domain.vocabulary import CallProtocol, ServiceType

HERE = {
    **SERVICES,
    "three": service("Three", participant_limit=3),
    "asked": service("Asked", AccessRules(host_pin="1234"), participant_limit=1, pin_entry_timeout=600.0),
}


async def nodes_of(network: Network) -> list[Node]:
    return [
        await Node(network, f"n{i}", lambda alias: HERE.get(alias), now=unix, clock=clock).start() for i in range(3)
    ]


async def close(nodes: list[Node]) -> None:
    for node in nodes:
        await node.exchange.close()


@pytest.mark.spec("CONF-150")
@pytest.mark.parametrize(("alias", "limit"), [("small", 1), ("three", 3)])
@pytest.mark.parametrize("protocol", [CallProtocol.API, CallProtocol.SIP])
def test_the_first_keep_their_places(alias: str, limit: int, protocol: CallProtocol) -> None:
    async def story() -> None:
        network = Network(3)
        nodes = await nodes_of(network)
        network.split(n0=0, n1=1, n2=2)  # nobody hears of the others yet
        guests = [Guest(node.exchange) for node in nodes for _ in range(limit)]
        for guest in guests:
            await guest.join(alias, protocol=protocol)
            await asyncio.sleep(0.01)
        assert all(guest.where is ServiceType.CONFERENCE for guest in guests)
        network.heal()
        await asyncio.sleep(1)
        places = [guest.where for guest in guests if not guest.listener.reasons]
        assert places[:limit] == [ServiceType.CONFERENCE] * limit
        if protocol is CallProtocol.SIP:  # they are told why
            assert places[limit:] == [ServiceType.INSUFFICIENT_CAPACITY] * (2 * limit)
            await asyncio.sleep(60)
        late = guests[limit:]
        assert [guest.listener.reasons for guest in late] == [[Refusal.PARTICIPANT_LIMIT.text]] * len(late)
        assert not any(guest.listener.reasons for guest in guests[:limit])
        with pytest.raises(CallRefused):
            await Guest(nodes[1].exchange).join(alias)
        await close(nodes)

    run(story())


@pytest.mark.spec("CONF-151")
def test_whoever_has_been_in_for_a_while_stays() -> None:
    async def story() -> None:
        network = Network(3)
        nodes = await nodes_of(network)
        network.split(n0=0, n1=1, n2=1)
        one, two = await Guest(nodes[0].exchange).join("small"), await Guest(nodes[1].exchange).join("small")
        await asyncio.sleep(10)
        network.heal()
        await asyncio.sleep(60)
        assert not one.listener.reasons
        assert not two.listener.reasons
        await close(nodes)

    run(story())


@pytest.mark.spec("CONF-150", "CONF-151")
def test_a_place_is_taken_when_the_pin_is_right() -> None:
    """Who has been asked for the longest comes first, however late it answers."""

    async def story() -> None:
        network = Network(3)
        nodes = await nodes_of(network)
        slow = await Guest(nodes[0].exchange).join("asked", protocol=CallProtocol.SIP)
        await asyncio.sleep(9)
        network.split(n0=0, n1=1, n2=1)
        quick = await Guest(nodes[1].exchange).join("asked", "1234", protocol=CallProtocol.SIP)
        slow.session.dtmf("", "1234")
        network.heal()
        await asyncio.sleep(2)
        assert slow.where is ServiceType.CONFERENCE
        assert quick.where is ServiceType.INSUFFICIENT_CAPACITY
        await close(nodes)

    run(story())
