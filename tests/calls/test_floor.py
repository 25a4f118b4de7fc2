"""The floor in conferences of one and of two nodes, with everything but media."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.calls.fakes import FakePool
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.exchange import Exchange
from rostra.calls.switchboard import CallRefused
from rostra.conference.events import (
    ConferenceEvent,
    PresentationFrame,
    PresentationStarted,
    PresentationStopped,
)
from rostra.domain.placement import LocationView
from rostra.domain.vocabulary import CallProtocol
from rostra.media import messages as m
from rostra.media.messages import FirstPicture

SLIDES = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=content:slides\r\na=rtcp-fb:96 nack\r\na=sendonly\r\n"


class Watcher:
    """Reads what one participant is told about presentations."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.told: list[ConferenceEvent] = []
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.guest.session.conference.subscribe(self.guest.session.participant.uuid):
            if isinstance(event, PresentationStarted | PresentationStopped | PresentationFrame):
                self.told.append(event)

    def names(self) -> list[str]:
        """Presenters told of; `-` where it stopped, pictures left out."""
        started = [e for e in self.told if not isinstance(e, PresentationFrame)]
        return [e.uuid if isinstance(e, PresentationStarted) else "-" for e in started][1:]


async def room(exchange: Exchange, *names: str, alias: str = "open", **more: Any) -> list[Guest]:
    return [await Guest(exchange).join(alias, **more) for _ in names]


def uuid(guest: Guest) -> str:
    return guest.session.participant.uuid


@pytest.mark.spec("API-096", "API-099", "API-101", "API-102", "API-103", "API-104", "API-105")
async def test_the_floor_goes_from_one_to_the_next_and_everybody_hears_of_it_once(exchange: Exchange) -> None:
    ada, bob, eve = await room(exchange, "ada", "bob", "eve")
    watching = {guest: Watcher(guest) for guest in (ada, bob, eve)}
    await until(lambda: all(one.told for one in watching.values()))
    assert await ada.session.take_floor()
    await until(lambda: ada.session.participant.is_presenting)
    await until(lambda: watching[bob].names() == [uuid(ada)] == watching[eve].names())
    assert watching[ada].names() == []
    assert await bob.session.take_floor()  # steals it
    await until(lambda: watching[ada].names() == [uuid(bob)])
    assert watching[eve].names() == [uuid(ada), uuid(bob)]  # and no stop in between
    assert watching[bob].names() == [uuid(ada)]
    await ada.session.release_floor()  # what clients do when they are replaced
    await asyncio.sleep(0)
    assert bob.session.participant.is_presenting
    assert not ada.session.participant.is_presenting
    await bob.session.leave()
    await until(lambda: watching[eve].names()[-1] == "-" == watching[ada].names()[-1])
    assert await ada.session.take_floor()
    await ada.session.release_floor()
    await until(lambda: watching[ada].names()[-1] == "-")
    late = Watcher(eve)
    await until(lambda: late.told == [PresentationStopped(initial=True)])


@pytest.mark.spec("API-044", "API-108")
async def test_who_may_not_receive_hears_nothing_and_late_watchers_hear_who_presents(exchange: Exchange) -> None:
    ada, bob = await room(exchange, "ada", "bob")
    watching = Watcher(bob)
    await until(lambda: bool(watching.told))
    await ada.session.take_floor()
    await until(lambda: watching.names() == [uuid(ada)])
    conference = ada.session.conference
    await conference.set_client_state(uuid(bob), rx_presentation_allowed=False)
    await until(lambda: watching.names() == [uuid(ada), "-"])
    await conference.set_client_state(uuid(bob), rx_presentation_allowed=True)
    await until(lambda: watching.names() == [uuid(ada), "-", uuid(ada)])
    late, itself = Watcher(bob), Watcher(ada)
    await until(lambda: len(late.told) == 1)
    assert isinstance(late.told[0], PresentationStarted)
    await asyncio.sleep(0)
    assert itself.told == []


async def test_an_adapter_is_told_that_its_participant_is_held(exchange: Exchange) -> None:
    (ada,) = await room(exchange, "ada")
    told: list[bool] = []
    ada.session.on_hold = told.append
    for held in (True, True, False):
        await ada.session.conference.hold(uuid(ada), held)
    await until(lambda: told == [True, False])


@pytest.mark.spec("API-099", "API-104")
async def test_a_hold_ends_presenting(exchange: Exchange) -> None:
    (ada,) = await room(exchange, "ada")
    await ada.session.take_floor()
    await until(lambda: ada.session.participant.is_presenting)
    await ada.session.conference.hold(uuid(ada), True)
    await until(lambda: not ada.session.participant.is_presenting)
    assert not await ada.session.take_floor()


async def test_who_waits_neither_presents_nor_hears_of_it(exchange: Exchange) -> None:
    host, guest = await Guest(exchange).join("hosted", pin="1234"), await Guest(exchange).join("hosted", pin="none")
    watching = Watcher(guest)
    await host.session.take_floor()
    await until(lambda: host.session.participant.is_presenting)
    assert not await guest.session.take_floor()
    assert watching.names() == []
    await host.call("h")
    await until(lambda: watching.names() == [uuid(host)])


@pytest.mark.parametrize(("alias", "wanted"), [("calm", True), ("open", False)])
async def test_noise_is_taken_out_where_the_service_says_so(
    exchange: Exchange, pool: FakePool, alias: str, wanted: bool
) -> None:
    await (await Guest(exchange).join(alias)).call("c")
    assert pool.denoising == [wanted]


async def present(guest: Guest, pool: FakePool, call: str) -> None:
    """A call that does nothing but present."""
    answers = {worker: worker._carry_out for worker in pool.workers}
    for worker, carry_out in answers.items():

        def slides(request: m.Request, carry_out: Any = carry_out) -> m.Reply:
            reply = carry_out(request)
            return m.WebRtcAnswer(sdp=SLIDES) if isinstance(request, m.OpenWebRtc) else reply

        worker._carry_out = slides  # type: ignore[method-assign]
    await guest.session.open_webrtc(call, "offer", present="send")
    await guest.session.confirm(call)
    for worker, carry_out in answers.items():
        worker._carry_out = carry_out  # type: ignore[method-assign]


@pytest.mark.spec("API-095", "API-096", "CONF-076")
async def test_a_call_to_present_takes_the_floor_and_ends_with_it(exchange: Exchange, pool: FakePool) -> None:
    ada, bob = await room(exchange, "ada", "bob")
    phone = await Guest(exchange).join(protocol=CallProtocol.SIP)
    for guest, call in ((ada, "a"), (bob, "b"), (phone, "p")):
        await guest.call(call)
    await present(ada, pool, "as")
    assert ada.session.participant.has_media
    assert {leg.call for leg in ada.session.participant.legs} == {"a", "as"}
    worker = pool.workers[0]
    worker.tell(FirstPicture(leg="a", width=640, height=360))
    worker.tell(FirstPicture(leg="as:slides", width=1280, height=720))

    def mixed() -> bool:
        compose = worker.composed[-1]
        return {"as:slides", "a"} <= {tile.source for tile in compose.views[compose.watching["p"]].tiles}

    await until(mixed)  # one stream only: the presentation, and the speaker in a corner
    compose = worker.composed[-1]
    assert "as" not in compose.watching
    assert not any(tile.source == "as:slides" for tile in compose.views[compose.watching["b"]].tiles)
    await bob.session.take_floor()
    await until(lambda: ada.listener.ended != [])
    assert ada.listener.ended[0][0] == "as"
    await until(lambda: "as" not in worker.legs and "a" in worker.legs)
    assert bob.session.participant.is_presenting
    await present(ada, pool, "as2")
    assert ada.session.conference.presenting.presenter == ada.session.participant
    watching = Watcher(bob)
    await until(lambda: bool(watching.told))
    await present(ada, pool, "as3")  # instead of the other one, and nobody hears of an end
    await until(lambda: "as2" not in worker.legs)
    assert watching.names() == []
    await ada.session.close_call("as3")
    await until(lambda: not ada.session.participant.is_presenting)
    assert ada.session.participant.has_media
    assert [call for call, _ in ada.listener.ended] == ["as"]


@pytest.mark.spec("API-097", "API-106")
async def test_slides_go_to_calls_that_have_room_for_them(exchange: Exchange, pool: FakePool) -> None:
    ada, bob = await room(exchange, "ada", "bob")
    await ada.call("a")
    await bob.call("b")
    conference, worker = ada.session.conference, pool.workers[0]
    conference.media.add_leg("b", uuid(bob), "n1", slides=True)
    await until(lambda: bob.session.participant.presentation_supported)
    await ada.session.take_floor()
    await until(lambda: worker.composed[-1].slides == {"b": "a:slides"})
    await conference.set_client_state(uuid(bob), presentation_in_mix=True)
    await until(
        lambda: any(
            tile.source == "a:slides" for tile in worker.composed[-1].views[worker.composed[-1].watching["b"]].tiles
        )
    )
    await conference.set_client_state(uuid(bob), rx_presentation_allowed=False)
    await until(lambda: worker.composed[-1].slides == {})
    await ada.session.release_floor()


@pytest.mark.spec("API-110", "API-111", "API-113", "API-114")
async def test_pictures_are_posted_and_fetched(exchange: Exchange, pool: FakePool) -> None:
    ada, bob = await room(exchange, "ada", "bob")
    watching = Watcher(bob)
    await until(lambda: bool(watching.told))
    with pytest.raises(CallRefused):
        await ada.session.show_still(b"jpeg")
    await ada.session.present_stills("s")
    await until(lambda: watching.names() == [uuid(ada)])
    [started] = [event for event in watching.told if isinstance(event, PresentationStarted)]
    assert started.static
    await ada.session.show_still(b"jpeg")
    await until(lambda: any(isinstance(event, PresentationFrame) for event in watching.told))
    conference = bob.session.conference
    assert (await conference.still(), await conference.still(large=True)) == (b"small", b"large")
    assert not ada.session.participant.has_media
    await ada.session.release_floor()
    await until(lambda: "s" not in pool.workers[0].legs)
    assert await conference.still() is None


async def two_nodes() -> tuple[Network, Guest, Guest]:
    network = Network()
    places = {number: LocationView(id=number, name=f"L{number}") for number in (1, 2)}
    for number, name in enumerate(("n1", "n2"), 1):
        await Node(network, name, SERVICES.get, location=number, atlas=MapAtlas(places)).start()
    ada, bob = [await Guest(node.exchange).join() for node in network.nodes.values()]
    await until(lambda: all(len(node.exchange.conferences[0].participants) == 2 for node in network.nodes.values()))
    return network, ada, bob


def presenters(network: Network) -> set[str]:
    found = (node.exchange.conferences[0].presenting.presenter for node in network.nodes.values())
    return {one.uuid if one else "" for one in found}


@pytest.mark.spec("API-099", "API-102", "PLAT-027")
async def test_two_nodes_that_decide_at_once_end_with_one_presenter() -> None:
    network, ada, bob = await two_nodes()
    watching = {guest: Watcher(guest) for guest in (ada, bob)}
    await until(lambda: all(one.told for one in watching.values()))
    assert await asyncio.gather(ada.session.take_floor(), bob.session.take_floor()) == [True, True]
    await until(lambda: len(presenters(network)) == 1 and presenters(network) != {""})
    winner, loser = (ada, bob) if presenters(network) == {uuid(ada)} else (bob, ada)
    await until(lambda: winner.session.participant.is_presenting and not loser.session.participant.is_presenting)
    await until(lambda: watching[loser].names()[-1:] == [uuid(winner)])
    assert watching[winner].names() in ([], [uuid(loser)])


@pytest.mark.spec("API-104")
async def test_a_presenter_whose_node_is_gone_presents_no_more() -> None:
    network, ada, bob = await two_nodes()
    watching = Watcher(bob)
    await until(lambda: bool(watching.told))
    await ada.session.take_floor()
    await until(lambda: watching.names() == [uuid(ada)])
    network.split(n1=1)
    await until(lambda: watching.names() == [uuid(ada), "-"])
    network.heal()
    await until(lambda: watching.names() == [uuid(ada), "-", uuid(ada)])
    network.kill("n1")
    await until(lambda: watching.names()[-1] == "-")


@pytest.mark.spec("PLAT-052", "API-110")
async def test_a_presentation_crosses_to_the_node_of_its_viewers_once() -> None:
    network, ada, bob = await two_nodes()
    await ada.call("a")
    await bob.call("b")
    (one,), (two,) = (node.pool.workers for node in network.nodes.values())
    if "a" not in one.legs:  # both are carried by the same node: nothing has to cross
        pytest.fail("expected each call on its own node")
    bob.session.conference.media.add_leg("b", uuid(bob), "n2", slides=True)
    await ada.session.take_floor()
    one.tell(FirstPicture(leg="a:slides", width=1280, height=720))
    await until(lambda: "a:slides" in {request.source for request in two.receiving.values()})
    assert {r.quality for r in two.receiving.values() if r.source == "a:slides"} == {"full"}
    await until(lambda: "a:slides" in {request.source for request in one.sending.values()})
    assert await bob.session.conference.still(large=True) == b"large"  # asked of the node that carries it


@pytest.mark.spec("POL-112", "POL-128", "POL-129")
@pytest.mark.parametrize("room_left", [True, False])
async def test_a_browser_that_presents_in_its_call_costs_a_unit_where_its_media_is(room_left: bool) -> None:
    network = Network()
    node = await Node(network, "n1", SERVICES.get, capacity=36 if room_left else 35).start()
    ada, bob = await room(node.exchange, "ada", "bob")
    conference, watching = ada.session.conference, Watcher(bob)
    for guest, call in ((ada, "a"), (bob, "b")):
        await guest.call(call)
        conference.media.add_leg(call, uuid(guest), "n1", slides=True)
    assert node.ledger.used == 24
    assert await ada.session.take_floor() is room_left  # refused at once, not given and then withdrawn
    await until(lambda: ada.session.participant.is_presenting == room_left and len(watching.told) > room_left)
    assert node.ledger.used == 24 + 12 * room_left
    assert watching.names() == ([uuid(ada)] if room_left else [])
    assert {leg.call for leg in ada.session.participant.legs} == {"a"}, "the call goes on"
    if not room_left:
        assert conference.presenting.presenter is None
        return
    await bob.session.take_floor()  # the unit of the one before is free at once
    await until(lambda: bob.session.participant.is_presenting)
    assert node.ledger.used == 36
    await bob.session.release_floor()
    assert node.ledger.used == 24
    await bob.session.take_floor()
    await bob.session.leave()
    await until(lambda: node.ledger.used == 12)
    await ada.session.leave()
    await until(lambda: node.ledger.used == 0)


@pytest.mark.spec("POL-129")
async def test_the_node_that_carries_the_call_books_it_wherever_it_is_signalled() -> None:
    network, ada, bob = await two_nodes()
    await bob.call("b")
    ((carrier, _),) = [(node, one) for node in network.nodes.values() for one in node.pool.workers]
    bob.session.conference.media.add_leg("b", uuid(bob), carrier.name, slides=True)
    other = next(node for node in network.nodes.values() if node is not carrier)
    carrier.ledger.capacity = 12
    assert not await bob.session.take_floor()
    assert presenters(network) == {""}
    assert bob.session.conference.presenting.take(uuid(bob))  # as if the last unit went meanwhile
    await until(lambda: presenters(network) == {""})
    carrier.ledger.capacity = 24
    assert await bob.session.take_floor()
    await until(lambda: carrier.ledger.used == 24 and presenters(network) == {uuid(bob)})
    assert other.ledger.used == 0
    phone = await Guest(other.exchange).join(protocol=CallProtocol.SIP)
    await phone.session.take_floor()  # telephones present for nothing
    await until(lambda: carrier.ledger.used == 12)
    await ada.session.leave()
