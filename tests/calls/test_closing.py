"""A conference that ends by itself although it is on several nodes, some of which die or are cut off."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import Guest
from tests.calls.stories import on_nodes

from rostra.domain.ending import End, KeepAlive
from rostra.domain.vocabulary import Role, ServiceType


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

    on_nodes(story)


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

    on_nodes(story)


@pytest.mark.spec("CONF-160")
@pytest.mark.parametrize("where", [0, 1])
def test_a_short_look_at_the_host_begins_the_time_anew(where: int) -> None:
    """Whichever node writes since when the Host is missed."""

    async def story(network: Network, nodes: list[Node]) -> None:
        host, guest = await joined(nodes[where], "1234"), await joined(nodes[1 - where])
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(50)
        network.heal()
        await asyncio.sleep(0.01)  # too short for the nodes to tell each other anything
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(58)
        assert not guest.listener.reasons
        network.heal()
        await asyncio.sleep(120)
        assert not guest.listener.reasons
        assert not host.listener.reasons

    on_nodes(story)


@pytest.mark.spec("CONF-062", "CONF-160")
@pytest.mark.parametrize("where", [0, 1])
def test_the_side_that_missed_the_host_first_does_not_count_for_the_other(where: int) -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        host = await joined(nodes[where], "1234")
        near, far = await joined(nodes[where]), await joined(nodes[1 - where])
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(40)
        await host.session.leave()
        await asyncio.sleep(10)
        network.heal()
        await asyncio.sleep(47)
        assert not near.listener.reasons, "counted from when the others lost sight of the Host"
        assert not far.listener.reasons
        await asyncio.sleep(15)  # at the latest from when they met
        assert near.listener.reasons == far.listener.reasons == [End.HOSTS_LEFT.text]

    on_nodes(story)


@pytest.mark.spec("CONF-062")
def test_a_host_whom_nodes_have_yet_to_hear_of_is_waited_for() -> None:
    """It came while they were cut off."""

    async def story(network: Network, nodes: list[Node]) -> None:
        first, guest = await joined(nodes[1], "1234"), await joined(nodes[1])
        network.split(n0=0, n1=1, n2=1)
        await first.session.leave()
        host = await joined(nodes[0], "1234")
        await asyncio.sleep(59.0)
        network.heal()
        await asyncio.sleep(100)
        assert not guest.listener.reasons
        assert not host.listener.reasons

    on_nodes(story)


@pytest.mark.spec("CONF-132", "CONF-135")
@pytest.mark.parametrize("nodes_apart", [False, True])
def test_who_waits_for_a_locked_conference_goes_with_the_last_who_could_admit(nodes_apart: bool) -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        inside = await Guest(nodes[0].exchange).join("open")
        await inside.session.conference.lock(True)
        waits = await Guest(nodes[int(nodes_apart)].exchange).join("open")
        await asyncio.sleep(0.5)
        assert waits.where is ServiceType.WAITING_ROOM
        await inside.session.leave()
        await asyncio.sleep(0.5)
        assert waits.listener.reasons == [End.HOSTS_LEFT.text]
        again = await Guest(nodes[0].exchange).join("open")
        assert again.session.participant.joined, "locked although nobody is in"

    on_nodes(story)


def test_a_node_that_dies_with_all_who_are_in_does_not_take_those_with_it_who_wait() -> None:
    async def story(network: Network, nodes: list[Node]) -> None:
        inside = await Guest(nodes[0].exchange).join("open")
        await inside.session.conference.lock(True)
        waits = await Guest(nodes[1].exchange).join("open")
        await asyncio.sleep(0.5)
        network.split(n0=0, n1=1, n2=1)
        await asyncio.sleep(20)
        assert not waits.listener.reasons
        network.heal()
        await asyncio.sleep(20)
        assert not waits.listener.reasons
        assert waits.where is ServiceType.WAITING_ROOM

    on_nodes(story)


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

    on_nodes(story)


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

    on_nodes(story)


@pytest.mark.spec("CONF-134", "REF-073")
def test_a_node_that_still_has_a_conference_of_nobody_locks_nobody_out() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        inside = await Guest(nodes[0].exchange).join("open")
        conference = inside.session.conference
        conference._needed = lambda _: True  # type: ignore[attr-defined]  # as while it carries media
        await conference.lock(True)
        await inside.session.leave()
        await asyncio.sleep(1)
        for node in nodes:
            late = await Guest(node.exchange).join("open")
            await asyncio.sleep(0.5)
            assert late.session.participant.joined
            assert not late.session.conference.flags.locked

    on_nodes(story)
