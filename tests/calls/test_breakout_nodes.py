"""Breakout rooms on several nodes: everybody knows of them, and a conference lasts as long as they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import PINS, SERVICES, Guest, service, settle, until

from rostra.calls.switchboard import CallRefused, CallRequest
from rostra.conference.messages import key_of
from rostra.domain.rooms import Room
from rostra.domain.vocabulary import CallProtocol, Role

HERE = {**SERVICES, "team": service("Team", PINS, breakout_rooms=True, guests_only_timeout=0.05)}
RED = Room(uuid="4f1d2f0e-0000-4000-8000-000000000001", name="Red", main_alias="team")


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[Node, Node]]:
    network = Network()
    made = [await Node(network, name, lambda alias: HERE.get(alias.lower())).start() for name in ("n1", "n2")]
    yield made[0], made[1]
    for node in made:
        await node.exchange.close()


async def enter(node: Node, room: Room, role: Role, protocol: CallProtocol = CallProtocol.API) -> Guest:
    guest = Guest(node.exchange)
    request = CallRequest(alias=room.alias, protocol=protocol, display_name="Ada", role=role)
    guest.session = await node.exchange.join(request, guest.listener)
    return guest


@pytest.mark.spec("API-154", "API-156", "POL-038")
async def test_rooms_are_known_everywhere_and_guests_come_back(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    host = await Guest(one.exchange).join("team", "1234")
    await host.session.conference.start(host.session.participant.uuid)
    there = await Guest(two.exchange).join("team", "", CallProtocol.SIP)
    there.listener.goes = False
    await host.session.conference.open_room(RED)
    await until(lambda: two.exchange.room(RED.alias) == RED)
    await host.session.conference.transfer(there.session.participant.uuid, RED.alias, Role.GUEST)
    await until(lambda: there.session.conference.name == f"Team_breakout_{RED.uuid}")
    assert there.session.participant.joined
    main = there.session.conference.key, key_of("Team")
    assert {running.key for running in two.exchange.conferences} == set(main)  # the main one goes on for its room
    await asyncio.sleep(0.1)  # longer than Guests may be alone in the main conference
    assert there.session.participant.joined
    await host.session.conference.close_room(RED.uuid)
    await until(lambda: there.session.conference.name == "Team")
    assert there.session.participant.role is Role.GUEST
    await until(lambda: [running.key for running in two.exchange.conferences] == [key_of("Team")])
    assert two.exchange.room(RED.alias) is None


async def test_nobody_dials_a_room(nodes: tuple[Node, Node]) -> None:
    host = await Guest(nodes[0].exchange).join("team", "1234")
    await host.session.conference.open_room(RED)
    with pytest.raises(CallRefused):
        await Guest(nodes[0].exchange).join(RED.alias, "1234")


async def test_a_conference_ends_with_its_last_room(nodes: tuple[Node, Node]) -> None:
    one, _ = nodes
    host = await Guest(one.exchange).join("team", "1234")
    await host.session.conference.open_room(RED)
    guest = await enter(one, RED, Role.GUEST)
    await host.session.leave()
    await settle()
    assert len(one.exchange.conferences) == 2
    await guest.session.leave()
    await until(lambda: not one.exchange.conferences)
    assert one.exchange.room(RED.alias) is None


@pytest.mark.spec("API-152")
async def test_a_room_whose_time_is_over_closes_on_every_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    host = await Guest(one.exchange).join("team", "1234")
    await Guest(two.exchange).join("team", "1234")
    brief = Room(uuid=RED.uuid, name="Brief", main_alias="team", end_time=time.time() + 0.2, end_action="disconnect")
    await host.session.conference.open_room(brief)
    await until(lambda: two.exchange.room(brief.alias) is not None)
    guest = await enter(two, brief, Role.GUEST)
    await until(lambda: guest.listener.reasons == ["Conference terminated by another participant"])
    assert not host.session.conference.rooms


@pytest.mark.spec("PLAT-083")
async def test_following_a_room_reserves_nothing() -> None:
    node = await Node(Network(), "n1", lambda alias: HERE.get(alias.lower()), atlas=MapAtlas(reserved=7)).start()
    host = await Guest(node.exchange).join("team", "1234")
    before = node.ledger.used
    assert before == 7
    await host.session.conference.open_room(RED)
    follower = CallRequest(alias=RED.alias, protocol=CallProtocol.API, role=Role.HOST, attending=True)
    await node.exchange.join(follower, Guest(node.exchange).listener)
    assert node.ledger.used == before
    await enter(node, RED, Role.GUEST)
    await node.exchange.close()
