"""A conference that ends by itself although it is on several nodes, some of which die or are cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest
from tests.calls.virtual import clock, run, unix

from rostra.domain.ending import End, KeepAlive
from rostra.domain.vocabulary import Role

Story = Callable[[Network, list[Node]], Awaitable[None]]


def on_three_nodes(story: Story) -> None:
    async def begin() -> None:
        network = Network(3)
        nodes = [
            await Node(network, f"n{i}", lambda alias: SERVICES.get(alias), now=unix, clock=clock).start()
            for i in range(3)
        ]
        await story(network, nodes)
        for node in list(network.nodes.values()):
            await node.exchange.close()

    run(begin())


async def joined(node: Node, pin: str = "none", **more: object) -> Guest:
    guest = await Guest(node.exchange).join("hosted", pin)
    await guest.call(f"c-{guest.session.participant.uuid}")
    if more:
        await guest.session.conference.set_client_state(guest.session.participant.uuid, **more)  # type: ignore[arg-type]
    await asyncio.sleep(0.5)
    return guest


@pytest.mark.spec("CONF-062", "CONF-160")
def test_the_time_goes_on_where_another_node_had_begun_to_count() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await joined(nodes[2], "1234")
        _, two = await joined(nodes[0]), await joined(nodes[1])
        await host.session.leave()
        await asyncio.sleep(40)
        network.kill("n0")
        await asyncio.sleep(15)
        late = await joined(nodes[2])
        assert not two.listener.reasons
        await asyncio.sleep(6)
        assert two.listener.reasons == late.listener.reasons == [End.HOSTS_LEFT.text]

    on_three_nodes(story)


def test_a_partition_ends_no_conference_at_once_and_none_twice() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host, guest = await joined(nodes[0], "1234"), await joined(nodes[1])
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(59)
        assert not guest.listener.reasons
        network.heal()
        await asyncio.sleep(120)
        assert not guest.listener.reasons
        assert not host.listener.reasons
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(70)
        assert guest.listener.reasons == [End.HOSTS_LEFT.text]
        network.heal()
        await asyncio.sleep(30)
        assert not host.listener.reasons
        assert host.session.conference.flags.started, "the side without Hosts has ended it for the other"
        back = await joined(nodes[1])
        assert back.session.participant.joined

    on_three_nodes(story)


@pytest.mark.spec("CONF-162", "CONF-163", "CONF-164", "CONF-165")
@pytest.mark.parametrize(
    ("keep", "role", "goes_on"),
    [
        (KeepAlive.NEVER, Role.HOST, False),
        (KeepAlive.IF_MULTIPLE, Role.HOST, False),
        (KeepAlive.YES, Role.HOST, True),
        (KeepAlive.YES, Role.GUEST, False),
    ],
)
def test_dialled_participants_on_another_node(keep: KeepAlive, role: Role, goes_on: bool) -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await joined(nodes[0], "1234")
        recorder = await joined(nodes[1], "1234" if role is Role.HOST else "none", keep_alive=keep)
        await asyncio.sleep(1)
        assert not recorder.listener.reasons
        await host.session.leave()
        await asyncio.sleep(1)
        assert recorder.listener.reasons == ([] if goes_on else [End.NOT_KEPT_ALIVE.text])

    on_three_nodes(story)


@pytest.mark.spec("CONF-160", "API-060")
def test_who_only_controls_keeps_it_going_once_it_has_started_it() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        watching = await Guest(nodes[0].exchange).join("hosted", "1234")
        starter = await Guest(nodes[1].exchange).join("hosted", "1234")
        guest = await Guest(nodes[2].exchange).join("hosted", "none")
        assert not guest.session.participant.joined
        await starter.session.conference.start(starter.session.participant.uuid)
        await asyncio.sleep(300)
        assert guest.session.participant.joined
        await starter.session.leave()
        await asyncio.sleep(59)
        assert not guest.listener.reasons
        await asyncio.sleep(2)
        assert guest.listener.reasons == watching.listener.reasons == [End.HOSTS_LEFT.text]

    on_three_nodes(story)
