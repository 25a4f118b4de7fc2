"""One conference on several nodes: the roster, orders, media and losses, on a fabric in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.conference.events import ConferenceUpdated, LayoutChanged, MessageReceived
from rostra.conference.roster import Participant
from rostra.conference.shared import OwnerUnreachable
from rostra.domain.history import BackplaneEnded, ConferenceEnded, MediaNodeUsed, ParticipantEnded
from rostra.domain.licensing import GRACE, Licence, permitted
from rostra.domain.look import IllegalValue
from rostra.domain.media import MediaKind
from rostra.domain.placement import LocationView
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.media.messages import FirstPicture, Levels, Quality


def find(alias: str) -> Any:
    return SERVICES.get(alias)


async def platform(*names: str, locations: tuple[int, ...] = (), capacity: int = 1200, **atlas: Any) -> Network:
    network = Network()
    geography = MapAtlas(**atlas)
    for index, name in enumerate(names):
        location = locations[index] if locations else 1
        await Node(network, name, find, location=location, capacity=capacity, atlas=geography).start()
    return network


def roster(network: Network, node: str) -> list[tuple[str, str]]:
    return [(p.uuid, p.node) for c in network.nodes[node].exchange.conferences for p in c.participants]


async def same_roster(network: Network, count: int) -> None:
    def agreed() -> bool:
        lists = [roster(network, node) for node in network.nodes if network.nodes[node].exchange.conferences]
        return all(entries == lists[0] for entries in lists) and len(lists[0]) == count

    await until(agreed)


def known(network: Network, node: str, guest: Guest) -> Participant | None:
    (conference,) = network.nodes[node].exchange.conferences
    return conference.participant(guest.session.participant.uuid)


@pytest.mark.spec("PLAT-026", "PLAT-027")
async def test_callers_of_two_nodes_are_in_one_conference() -> None:
    network = await platform("n1", "n2")
    one = await Guest(network.nodes["n1"].exchange).join()
    two = await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    assert one.session.conference.id == two.session.conference.id
    await one.session.leave()
    await same_roster(network, 1)
    await until(lambda: not network.nodes["n1"].exchange.conferences)
    await two.session.leave()
    await until(lambda: not network.nodes["n2"].exchange.conferences)


async def test_two_first_callers_at_the_same_moment_meet() -> None:
    network = await platform("n1", "n2", "n3")
    guests = await asyncio.gather(*(Guest(node.exchange).join() for node in network.nodes.values()))
    for node in network.nodes.values():
        node.exchange.conferences[0]._shared._link.beat()  # what two seconds bring
    await same_roster(network, 3)
    assert len({guest.session.conference.id for guest in guests}) == 1


@pytest.mark.spec("PLAT-027")
async def test_hosts_rule_over_participants_of_other_nodes() -> None:
    network = await platform("n1", "n2")
    host = await (await Guest(network.nodes["n1"].exchange).join("hosted", "1234")).call("c1")
    guest = await Guest(network.nodes["n2"].exchange).join("hosted", "none")
    conference, uuid = host.session.conference, guest.session.participant.uuid
    await same_roster(network, 2)
    await until(lambda: guest.where is ServiceType.CONFERENCE)
    await conference.mute(uuid, True)
    await until(lambda: known(network, "n1", guest).is_muted)  # type: ignore[union-attr]
    await conference.mute_guests(True)
    await until(lambda: known(network, "n1", guest).is_muted)  # type: ignore[union-attr]
    await conference.mute(uuid, False)
    await until(lambda: not guest.session.participant.is_muted)
    await conference.mute_guests(True)
    await until(lambda: guest.session.participant.is_muted)
    await conference.set_role(uuid, Role.HOST)
    await until(lambda: known(network, "n1", guest).role is Role.HOST)  # type: ignore[union-attr]
    await conference.spotlight(uuid, True)
    await until(lambda: known(network, "n1", guest).spotlight > 0)  # type: ignore[union-attr]
    await conference.remove(uuid, "Disconnected by another participant")
    assert guest.listener.reasons == ["Disconnected by another participant"]
    await same_roster(network, 1)


async def test_a_lock_and_letting_in_work_across_nodes() -> None:
    network = await platform("n1", "n2")
    host = await Guest(network.nodes["n1"].exchange).join()
    await host.session.conference.lock(True)
    late = await Guest(network.nodes["n2"].exchange).join()
    assert late.where is ServiceType.WAITING_ROOM
    await until(lambda: known(network, "n1", late) is not None)
    await host.session.conference.admit(late.session.participant.uuid)
    assert late.where is ServiceType.CONFERENCE
    later = await Guest(network.nodes["n2"].exchange).join()
    assert later.where is ServiceType.WAITING_ROOM
    await host.session.conference.lock(False)
    await until(lambda: later.where is ServiceType.CONFERENCE)


async def test_chat_and_flags_reach_watchers_of_other_nodes_once() -> None:
    network = await platform("n1", "n2")
    one = await Guest(network.nodes["n1"].exchange).join()
    two = await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    events = aiter(two.session.conference.subscribe(two.session.participant.uuid))
    await one.session.conference.message(one.session.participant.uuid, "text/plain", "hello")
    await one.session.conference.message(
        one.session.participant.uuid, "text/plain", "you", two.session.participant.uuid
    )
    await one.session.conference.lock(True)
    seen: list[Any] = []
    async with asyncio.timeout(5):
        while not (seen and isinstance(seen[-1], ConferenceUpdated) and seen[-1].flags.locked):
            seen.append(await anext(events))
    said = [(event.payload, event.direct) for event in seen if isinstance(event, MessageReceived)]
    assert said == [("hello", False), ("you", True)]


@pytest.mark.spec("PLAT-019", "SYS-194", "SYS-195")
async def test_after_the_grace_calls_are_refused_and_those_in_progress_stay() -> None:
    network, silent = Network(), [0.0]
    node = Node(network, "n1", find, licensed=lambda: permitted(Licence(limit=10), silent[0]))
    await node.start()
    inside = await (await Guest(node.exchange).join()).call("c1")
    silent[0] = GRACE - 1
    await Guest(node.exchange).join()
    silent[0] = GRACE
    with pytest.raises(CallRefused, match="Insufficient licenses"):
        await Guest(node.exchange).join()
    assert inside.session.participant.has_media


@pytest.mark.spec("PLAT-083")
async def test_who_only_controls_a_conference_reserves_its_backplane() -> None:
    network = await platform("n1", "n2", reserved=12)
    watching = await Guest(network.nodes["n1"].exchange).join()
    assert network.nodes["n1"].ledger.used == 12
    assert network.nodes["n1"].ledger.calls == 0
    await watching.session.leave()
    assert network.nodes["n1"].ledger.used == 0


# ---- media


def fill(network: Network, node: str, tokens: int) -> None:
    assert network.nodes[node].ledger.book("other conferences", "calls", tokens, 0)


@pytest.mark.spec("PLAT-030", "PLAT-034", "PLAT-035", "PLAT-041", "PLAT-044")
async def test_media_goes_where_there_is_room_and_signalling_stays() -> None:
    network = await platform("us1", "us2", "us3", capacity=60, reserved=12)
    fill(network, "us1", 24)
    fill(network, "us3", 12)
    alice = await (await Guest(network.nodes["us1"].exchange).join()).call("alice")
    bob = await (await Guest(network.nodes["us2"].exchange).join()).call("bob")
    carol = await (await Guest(network.nodes["us3"].exchange).join()).call("carol")
    for guest in (alice, bob, carol):
        assert [leg.node for leg in guest.session.participant.legs] == ["us2"]
    fill(network, "us2", 12)
    dave = await (await Guest(network.nodes["us1"].exchange).join()).call("dave")
    assert [leg.node for leg in dave.session.participant.legs] == ["us3"]
    assert dave.session.participant.node == "us1"
    used = [event for event in network.nodes["us1"].events if isinstance(event, MediaNodeUsed)]
    assert [event.media_node for event in used] == ["us2", "us3"]
    for guest in (alice, bob, carol, dave):
        await guest.session.leave()
    await until(lambda: [n.ledger.used for n in network.nodes.values()] == [24, 12, 12])


@pytest.mark.spec("PLAT-037", "PLAT-063", "PLAT-068", "PLAT-071", "POL-125")
async def test_overflow_is_not_transitive_and_what_fits_nowhere_is_refused() -> None:
    places = {
        1: LocationView(id=1, name="USA", overflow=(2, 3)), 2: LocationView(id=2, name="Mexico", overflow=(4,)),
        3: LocationView(id=3, name="Canada"), 4: LocationView(id=4, name="Brazil"),
    }  # fmt: skip
    network = await platform("us", "mex", "can", "bra", locations=(1, 2, 3, 4), capacity=24, places=places, reserved=12)

    async def placed(node: str, call: str) -> str:
        guest = await (await Guest(network.nodes[node].exchange).join()).call(call)
        return guest.session.participant.legs[0].node

    assert await placed("us", "a") == "us"
    assert await placed("us", "emma") == "mex"
    assert await placed("mex", "frank") == "bra"
    assert await placed("us", "greta") == "can"
    with pytest.raises(CallRefused) as refused:
        await placed("us", "nobody")
    assert refused.value.refusal is Refusal.OUT_OF_RESOURCE


async def test_a_node_that_was_filled_meanwhile_refuses_and_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    network = await platform("n1", "n2", capacity=24)
    stale = network.nodes["n2"].report()
    fill(network, "n2", 24)
    fill(network, "n1", 1)
    monkeypatch.setattr(network.nodes["n2"], "report", lambda: stale)
    guest = await (await Guest(network.nodes["n1"].exchange).join()).call("c1")
    assert guest.session.participant.legs[0].node == "n1"


async def pictures(network: Network, *calls: str) -> None:
    """Legs bring pictures."""
    for node in network.nodes.values():
        for worker in node.pool.workers:
            for call in sorted(worker.legs & set(calls)):
                worker.tell(FirstPicture(leg=call, width=640, height=360))


def worker_of(network: Network, node: str) -> Any:
    return network.nodes[node].pool.workers[-1]


def sees(network: Network, node: str, call: str) -> list[str]:
    composed = worker_of(network, node).composed
    if not composed or call not in composed[-1].watching:
        return []
    return [tile.source for tile in composed[-1].views[composed[-1].watching[call]].tiles if tile.source]


async def spread(locations: tuple[int, ...]) -> Network:
    """A conference with one leg on each node; each node has room for just one."""
    names = tuple(f"n{index + 1}" for index in range(len(locations)))
    places = {location: LocationView(id=location) for location in locations}
    network = await platform(*names, locations=locations, capacity=12, places=places)
    for name in names:
        guest = await (await Guest(network.nodes[name].exchange).join()).call(f"c{name[1:]}")
        assert guest.session.participant.legs[0].node in names
    await same_roster(network, len(names))
    return network


def arrangement(network: Network) -> dict[str, str]:
    """Call to the node that carries it."""
    conference = next(iter(network.nodes.values())).exchange.conferences[0]
    return {leg.call: leg.node for p in conference.participants for leg in p.legs}


def receiving(network: Network, node: str, kind: MediaKind) -> dict[str, str]:
    """Sources that a node takes from others, with their quality."""
    return {
        request.source: str(request.quality)
        for request in worker_of(network, node).receiving.values()
        if request.kind is kind
    }


def connected(network: Network) -> bool:
    """Everything taken is being sent."""
    wanted = {leg for node in network.nodes for leg in worker_of(network, node).receiving}
    sent = {leg for node in network.nodes for leg in worker_of(network, node).sending}
    return wanted == sent and bool(wanted)


@pytest.mark.spec("PLAT-042", "PLAT-047", "PLAT-048", "PLAT-049", "PLAT-051", "PLAT-052", "PLAT-054")
async def test_streams_cross_between_locations_once_through_the_proxies() -> None:
    network = await spread((1, 1, 2, 2))
    await pictures(network, "c1", "c2", "c3", "c4")
    where = arrangement(network)
    assert len(set(where.values())) == 4
    await until(lambda: all(len(receiving(network, n, MediaKind.VIDEO)) == 3 for n in network.nodes))
    await until(lambda: connected(network))
    crossing = {
        (want.source, want.quality)
        for node in network.nodes.values()
        for conference in node.exchange.conferences
        for peer, crosses, streams in conference.media.hosting.backplanes()  # type: ignore[union-attr]
        if crosses
        for want, sending in streams
        if sending and want.kind is MediaKind.VIDEO
    }
    assert len(crossing) == 4, "each picture crosses once"
    mixes = {n: sorted(receiving(network, n, MediaKind.AUDIO)) for n in network.nodes}
    proxies = [n for n in network.nodes if len(mixes[n]) == 2]
    assert len(proxies) == 2
    assert {network.nodes[n].location for n in proxies} == {1, 2}
    ended = asyncio.create_task(network.nodes[proxies[0]].exchange.close())
    await until(
        lambda: bool(
            [e for e in network.nodes[proxies[0]].events if isinstance(e, BackplaneEnded) and e.scope == "geo"]
        )
    )
    await ended
    heard = [worker_of(network, n).composed[-1].audio for n in network.nodes]
    assert all(route.listens or not route.hears for audio in heard for route in audio.values())


@pytest.mark.spec("PLAT-052", "PLAT-053", "PLAT-055", "CONF-084")
async def test_the_speaker_crosses_at_full_quality_and_everybody_agrees_who_speaks() -> None:
    network = await spread((1, 1, 1))
    await pictures(network, "c1", "c2", "c3")
    where = arrangement(network)
    await until(lambda: all(len(sees(network, where[c], c)) == 2 for c in where))
    speaker, quiet = "c2", [call for call in where if call != "c2"]

    async def speak() -> None:
        for _ in range(12):
            for call, node in where.items():
                worker_of(network, node).tell(Levels(levels={call: -20.0 if call == speaker else -90.0}))
            await asyncio.sleep(0.02)

    await speak()
    await until(lambda: all(sees(network, where[call], call)[0] == speaker for call in quiet))
    for call in quiet:
        await until(lambda n=where[call]: receiving(network, n, MediaKind.VIDEO).get(speaker) == Quality.FULL)
    orders = {node.exchange.conferences[0]._state.names("order") for node in network.nodes.values()}
    assert len(orders) == 1


# ---- losses


async def remote_leg() -> tuple[Network, Guest, str]:
    """A call signalled by n1 and carried elsewhere, in a conference with people on all nodes."""
    network = await platform("n1", "n2", "n3", capacity=24)
    fill(network, "n1", 20)
    fill(network, "n3", 1)
    for node in network.nodes.values():
        await Guest(node.exchange).join()
    guest = await (await Guest(network.nodes["n1"].exchange).join(protocol=CallProtocol.SIP)).call("c1")
    await same_roster(network, 4)
    assert guest.session.participant.legs[0].node == "n2"
    return network, guest, "n2"


async def test_a_call_outlives_its_media_node() -> None:
    network, guest, node = await remote_leg()
    await guest.session.conference.mute(guest.session.participant.uuid, True)
    network.kill(node)
    assert guest.listener.lost == ["c1"]
    await guest.session.open_webrtc("c1", "offer again")
    moved = guest.session.participant
    assert [leg.node for leg in moved.legs] == ["n3"]
    assert worker_of(network, "n3").started == {"c1"}
    assert moved.is_muted
    assert moved.has_media
    await same_roster(network, 3)


async def test_a_node_that_only_carries_media_ends_its_part_once_when_it_stops() -> None:
    network = await platform("n1", "n2", capacity=24)
    fill(network, "n1", 20)
    guest = await (await Guest(network.nodes["n1"].exchange).join()).call("c1")
    node = network.nodes["n2"]
    assert guest.session.participant.legs[0].node == "n2"
    (carried,) = node.exchange.conferences
    await node.exchange.close()
    carried.media.release("c1", "any")
    carried.end_if_unused()
    assert not node.exchange.conferences
    assert [type(event) for event in node.events].count(ConferenceEnded) == 1
    assert node.ledger.used == 0
    assert not guest.listener.reasons


async def test_a_slow_node_is_waited_for_and_a_dying_one_is_not() -> None:
    network = await platform("n1", "n2", capacity=24)
    fill(network, "n1", 20)
    pool = network.nodes["n2"].pool
    pool.stocked.clear()
    guest = await Guest(network.nodes["n1"].exchange).join()
    call = asyncio.create_task(guest.call("c1"))
    await asyncio.sleep(0.1)
    assert not call.done()
    pool.stocked.set()
    await call
    assert guest.session.participant.legs[0].node == "n2"

    pool.stocked.clear()
    network.nodes["n2"].pool.workers[0].kill()
    again = asyncio.create_task(guest.session.open_webrtc("c1", "offer again"))
    await asyncio.sleep(0.05)
    await Node(network, "n3", find, capacity=24, atlas=MapAtlas()).start()
    network.kill("n2")
    async with asyncio.timeout(2):
        await again
    assert guest.session.participant.legs[0].node == "n3"


async def test_a_leg_left_behind_on_a_live_worker_is_closed() -> None:
    network, guest, node = await remote_leg()
    old = worker_of(network, node)
    guest.session.media_lost("c1", node=node)  # its edge node died, say, not its worker
    fill(network, node, 12)
    await guest.session.open_webrtc("c1", "offer again")
    assert guest.session.participant.legs[0].node == "n3"
    await until(lambda: not old.legs)


async def test_news_of_where_a_call_was_does_not_hurt_where_it_is() -> None:
    network, guest, node = await remote_leg()
    assert await network.nodes[node].exchange.move_calls_away() == 1
    await until(lambda: guest.listener.lost == ["c1"])
    await guest.session.open_webrtc("c1", "offer again")
    network.kill(node)
    assert guest.listener.lost == ["c1"], "it had left already"
    assert worker_of(network, "n3").legs == {"c1"}


async def test_what_another_node_did_not_do_is_said() -> None:
    network = await platform("n1", "n2")
    one = await Guest(network.nodes["n1"].exchange).join()
    two = await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    network.buses["n2"].subscriptions.clear()
    with pytest.raises(OwnerUnreachable):
        await one.session.conference.mute(two.session.participant.uuid, True)


async def test_an_answer_that_was_overtaken_drops_nobody() -> None:
    network = await platform("n1", "n2")
    await Guest(network.nodes["n1"].exchange).join()
    await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    conference = network.nodes["n1"].exchange.conferences[0]
    stale = conference.answer()
    late = await Guest(network.nodes["n1"].exchange).join()
    await same_roster(network, 3)
    link = network.nodes["n2"].exchange.conferences[0]._shared._link
    await link._take(msgspec.msgpack.encode(stale))
    assert late.session.participant.uuid in dict(roster(network, "n2"))


async def test_calls_move_away_on_command_and_the_old_leg_is_closed_after() -> None:
    network, guest, node = await remote_leg()
    old = worker_of(network, node)
    assert await network.nodes[node].exchange.move_calls_away() == 1
    await until(lambda: guest.listener.lost == ["c1"])
    assert old.legs == {"c1"}, "media goes on where it is until it is elsewhere"
    await guest.session.open_webrtc("c1", "offer again")
    assert guest.session.participant.legs[0].node == "n3"
    await until(lambda: not old.legs and network.nodes[node].ledger.calls == 0)
    assert not guest.listener.reasons


@pytest.mark.parametrize("victim", ["n1", "n2", "n3"])
async def test_people_of_a_dead_node_vanish_and_the_others_stay(victim: str) -> None:
    network = await platform("n1", "n2", "n3")
    guests = {name: await Guest(node.exchange).join() for name, node in network.nodes.items()}
    await same_roster(network, 3)
    network.kill(victim)
    await same_roster(network, 2)
    assert victim not in {owner for _, owner in roster(network, next(iter(network.nodes)))}
    back = await Node(network, victim, find).start()
    again = await Guest(back.exchange).join()
    await same_roster(network, 3)
    assert again.session.conference.id == next(g for n, g in guests.items() if n != victim).session.conference.id


@pytest.mark.spec("PLAT-022")
async def test_both_sides_of_a_partition_go_on_and_merge_without_ghosts() -> None:
    network = await platform("n1", "n2", "n3")
    guests = {name: await Guest(node.exchange).join() for name, node in network.nodes.items()}
    await same_roster(network, 3)
    network.split(n3=1)
    await until(lambda: len(roster(network, "n1")) == 2 and len(roster(network, "n3")) == 1)
    await guests["n1"].session.conference.lock(True)
    await guests["n2"].session.leave()
    newcomer = await Guest(network.nodes["n3"].exchange).join()
    assert newcomer.where is ServiceType.CONFERENCE, "the lock of the other side is not known here"
    network.heal()
    await same_roster(network, 3)
    await until(lambda: all(c.flags.locked for node in network.nodes.values() for c in node.exchange.conferences))
    ends = [e for node in network.nodes.values() for e in node.events if isinstance(e, ParticipantEnded)]
    assert [end.participant.uuid for end in ends] == [guests["n2"].session.participant.uuid]


async def test_what_was_lost_on_the_way_is_asked_for() -> None:
    network = await platform("n1", "n2")
    one = await Guest(network.nodes["n1"].exchange).join()
    await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    network.lost = 1.0
    late = await Guest(network.nodes["n1"].exchange).join()
    await one.session.leave()
    await until(lambda: len(roster(network, "n1")) == 2)
    network.lost = 0.0
    assert late.session.participant.uuid not in dict(roster(network, "n2"))
    network.nodes["n1"].exchange.conferences[0]._shared._link.beat()
    await same_roster(network, 2)


async def test_who_let_go_and_came_back_unheard_has_nothing_of_before() -> None:
    network = await platform("n1", "n2", "n3")
    one = await Guest(network.nodes["n1"].exchange).join()
    await Guest(network.nodes["n2"].exchange).join()
    await Guest(network.nodes["n3"].exchange).join()
    await same_roster(network, 3)
    network.split(n2=1)
    await until(lambda: len(roster(network, "n2")) == 1)
    await one.session.leave()
    await until(lambda: not network.nodes["n1"].exchange.conferences)
    again = await Guest(network.nodes["n1"].exchange).join()
    network.heal()
    await same_roster(network, 3)
    assert again.session.participant.uuid in dict(roster(network, "n2"))


async def test_a_node_that_let_go_without_a_word_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.conference.link.BEAT", 0.02)
    monkeypatch.setattr("rostra.conference.link.SILENT", 0.1)
    network = await platform("n1", "n2")
    one = await Guest(network.nodes["n1"].exchange).join()
    await Guest(network.nodes["n2"].exchange).join()
    await same_roster(network, 2)
    network.lost = 1.0
    await one.session.leave()
    await until(lambda: len(roster(network, "n2")) == 1)


@pytest.mark.spec("PLAT-042", "POL-162", "POL-163")
async def test_a_layout_chosen_at_one_node_is_drawn_at_all() -> None:
    network = await spread((1, 2))
    one, two = (network.nodes[name].exchange.conferences[0] for name in ("n1", "n2"))
    watched = two.subscribe(two.participants[-1].uuid)
    await one.transform_layout({"layout": "4:0", "enable_overlay_text": True})
    async with asyncio.timeout(5):
        async for event in watched:
            if isinstance(event, LayoutChanged) and event.view == "4:0":
                break
    assert (event.requested_for_hosts, event.overlay_text) == ("4:0", True)
    with pytest.raises(IllegalValue):
        await two.transform_layout({"layout": "7:7"})
    await two.transform_layout({})
    await until(lambda: one.media.production.look.requested == ("1:7", "1:7"))
