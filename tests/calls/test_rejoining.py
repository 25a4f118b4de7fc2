"""Who has lost its connection or its node is what it was when it joins anew; nobody else is by saying so."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import Guest
from tests.calls.stories import on_nodes

from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, CallRequest, Former, PinRequired
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType


class Client(Guest):
    """A client of the API that can show who it was."""

    def __init__(self, node: Node, mark: str = "own") -> None:
        super().__init__(node.exchange)
        self.mark = mark

    async def come(self, alias: str, pin: str | None = None, before: CallSession | None = None) -> Client:
        former = Former(before.participant.uuid, self.mark) if before else None
        request = CallRequest(
            alias=alias, protocol=CallProtocol.API, display_name="Ada", pin=pin, mark=self.mark, former=former
        )
        self.session = await self.exchange.join(request, self.listener)
        await asyncio.sleep(0.5)
        return self

    @property
    def role(self) -> Role:
        return self.session.participant.role


@pytest.mark.spec("CONF-064")
@pytest.mark.parametrize("killed", [False, True])
def test_a_role_that_a_host_gave_outlives_a_lost_node(killed: bool) -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await Client(nodes[0], "host").come("hosted", "1234")
        await host.call("h")
        up = await Client(nodes[1]).come("hosted", "")
        down = await Client(nodes[1], "down").come("hosted", "1234")
        conference = host.session.conference
        await conference.set_role(up.session.participant.uuid, Role.HOST)
        await conference.set_role(down.session.participant.uuid, Role.GUEST)
        await conference.mute(up.session.participant.uuid, True)
        await asyncio.sleep(0.5)
        if killed:
            network.kill("n1")
            await asyncio.sleep(2)
        again = await Client(nodes[2]).come("hosted", "", up.session)
        assert again.role is Role.HOST
        assert again.session.participant.is_muted
        assert (await Client(nodes[2], "down").come("hosted", "1234", down.session)).role is Role.GUEST

    on_nodes(story)


@pytest.mark.spec("CONF-160", "CONF-060")
def test_who_started_it_by_hand_keeps_it_going_when_it_is_back() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await Client(nodes[1], "host").come("hosted", "1234")
        await host.session.conference.start(host.session.participant.uuid)
        guest = await Client(nodes[0], "guest").come("hosted", "")
        assert guest.session.participant.joined
        network.kill("n1")
        await asyncio.sleep(40)
        again = await Client(nodes[2], "host").come("hosted", "1234", host.session)
        await asyncio.sleep(200)
        assert not guest.listener.reasons
        await again.session.leave()
        await asyncio.sleep(65)
        assert guest.listener.reasons

    on_nodes(story)


@pytest.mark.parametrize("written", ["", "Chair"])
def test_a_new_name_is_shown_unless_another_text_was_written(written: str) -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        first = await Client(nodes[0]).come("open")
        if written:
            await first.session.conference.set_client_state(first.session.participant.uuid, overlay_text=written)
        former = Former(first.session.participant.uuid, "own")
        request = CallRequest(alias="open", protocol=CallProtocol.API, display_name="Grace", mark="own", former=former)
        session = await nodes[0].exchange.join(request, Guest(nodes[0].exchange).listener)
        assert session.participant.overlay_text == (written or "Grace")

    on_nodes(story)


@pytest.mark.spec("CONF-132")
def test_a_lock_keeps_nobody_out_who_was_in() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await Client(nodes[0], "host").come("open")
        inside = await Client(nodes[1]).come("open")
        await host.session.conference.lock(True)
        await asyncio.sleep(0.5)
        waits = await Client(nodes[1], "waits").come("open")
        assert waits.where is ServiceType.WAITING_ROOM
        network.kill("n1")
        await asyncio.sleep(2)
        assert (await Client(nodes[2]).come("open", None, inside.session)).session.participant.joined
        late = await Client(nodes[2], "waits").come("open", None, waits.session)
        assert late.where is ServiceType.WAITING_ROOM, "it came in by being lost"

    on_nodes(story)


@pytest.mark.spec("CONF-150")
def test_who_joins_anew_goes_for_itself_in_a_full_conference() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        first = await Client(nodes[0]).come("small")
        again = await Client(nodes[1]).come("small", None, first.session)
        await first.session.leave()
        await asyncio.sleep(10)
        assert not again.listener.reasons
        with pytest.raises(CallRefused):
            await Client(nodes[1], "other").come("small", None, again.session)

    on_nodes(story)


@pytest.mark.spec("CONF-049")
def test_nobody_is_somebody_else() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        host = await Client(nodes[0], "host").come("hosts", "1234")
        for mark in ("guessed", ""):
            with pytest.raises(PinRequired):
                await Client(nodes[1], mark).come("hosts", None, host.session)
        elsewhere = await Client(nodes[0], "host").come("open")
        with pytest.raises(PinRequired):
            await Client(nodes[1], "host").come("hosts", None, elsewhere.session)
        phone = await Guest(nodes[0].exchange).join("hosts", "1234", CallProtocol.SIP)
        with pytest.raises(PinRequired):
            await Client(nodes[1], "").come("hosts", None, phone.session)
        uuid = host.session.participant.uuid
        await host.session.conference.remove(uuid, "removed by a Host")
        await asyncio.sleep(0.5)
        with pytest.raises(PinRequired):
            await Client(nodes[1], "host").come("hosts", None, host.session)
        assert {node.name for node in nodes if node.exchange.conferences} == {"n0"}, "a conference of nobody"

    on_nodes(story)


@pytest.mark.spec("CONF-150")
@pytest.mark.parametrize("again", [1, 2])
def test_who_comes_back_twice_at_once_takes_one_place(again: int) -> None:
    """By two nodes, which do not know of each other yet; once is in order, though it still is there as it was."""

    async def story(_network: Network, nodes: list[Node]) -> None:
        there = await Client(nodes[0]).come("small")
        await asyncio.gather(*(Client(node).come("small", before=there.session) for node in nodes[1 : 1 + again]))
        await asyncio.sleep(1)
        (conference,) = nodes[0].exchange.conferences
        assert len(conference.participants) == 2
        assert conference.participants[1].node in ("n1", "n2")

    on_nodes(story)
