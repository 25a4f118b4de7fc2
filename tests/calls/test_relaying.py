"""Calls through an edge node: who is told which address, and that no relay outlives its call (POL-130, POL-131)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from tests.calls.fakes import ANSWER
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.switchboard import CallRefused
from rostra.domain.media import MediaKind
from rostra.domain.placement import LocationView
from rostra.media.relay_sdp import Place

CANDIDATE = "a=candidate:1 1 UDP 2015363327 10.0.0.9 40000 typ host\r\n"


class FakeRelays:
    """Relays that forward nothing and remember everything."""

    def __init__(self, _environment: Any) -> None:
        self.open_ones: dict[str, int] = {}
        self.aimed: dict[str, tuple[Place, ...]] = {}
        self.idle_ones: tuple[str, ...] = ()
        MADE.append(self)

    def open(self, relay: str, shapes: Sequence[Any]) -> tuple[Place, ...]:
        self.open_ones[relay] = len(shapes)
        return tuple(Place("192.0.2.7", 41000 + 2 * index) for index in range(len(shapes)))

    def aim(self, relay: str, targets: Sequence[Place]) -> tuple[Place, ...]:
        self.aimed[relay] = tuple(targets)
        return tuple(Place("10.0.0.7", 42000 + 2 * index) for index in range(len(targets)))

    def announce(self, relay: str, endpoints: Any) -> None:
        assert relay in self.open_ones

    def close(self, relay: str) -> None:
        self.open_ones.pop(relay, None)

    def idle(self, _seconds: float) -> tuple[str, ...]:
        return self.idle_ones

    def shut(self) -> None:
        self.open_ones.clear()


MADE: list[FakeRelays] = []


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    """An edge node in location 1, two transcoding nodes in location 2."""
    MADE.clear()
    monkeypatch.setattr("rostra.calls.edge.Relays", FakeRelays)
    monkeypatch.setattr("rostra.calls.edge.LOOK", 0.02)
    monkeypatch.setattr("tests.calls.fakes.ANSWER", ANSWER.replace("a=sendrecv\r\n", "a=sendrecv\r\n" + CANDIDATE, 1))
    made = Network()
    places = {1: LocationView(id=1, name="Edge", transcoding=2), 2: LocationView(id=2, name="Inside")}
    atlas = MapAtlas(places=places)
    await Node(made, "edge", find, location=1, capacity=120, atlas=atlas, role="PROXYING").start()
    for name in ("n2", "n3"):
        await Node(made, name, find, location=2, capacity=120, atlas=atlas).start()
    yield made
    await made.nodes["edge"].exchange.edge.close()  # what looks after relays ends by this alone for certain


def find(alias: str) -> Any:
    return SERVICES.get(alias)


async def caller(network: Network) -> Guest:
    return await Guest(network.nodes["edge"].exchange).join()


@pytest.mark.spec("POL-130", "POL-131", "POL-136")
async def test_a_browser_is_told_the_relay_and_the_relay_the_worker(network: Network) -> None:
    guest = await caller(network)
    answer = await guest.session.open_webrtc("c1", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + CANDIDATE)
    assert "192.0.2.7 41000" in answer
    assert "10.0.0.9" not in answer
    (relays,) = MADE
    assert list(relays.aimed.values()) == [(Place("10.0.0.9", 40000),)]
    (leg,) = guest.session.participant.legs
    assert (leg.node in ("n2", "n3"), leg.proxy) == (True, "edge")
    assert network.nodes["edge"].ledger.used == 3, "three audio units for a relayed video call"
    await guest.session.leave()
    await until(lambda: not relays.open_ones and network.nodes["edge"].ledger.used == 0)


async def test_a_sip_system_is_told_the_relay(network: Network) -> None:
    guest = await caller(network)
    assert await guest.session.reserve_rtp("s1", [MediaKind.AUDIO]) == ("192.0.2.7", (41000,))
    await guest.session.close_call("s1")
    await until(lambda: not MADE[0].open_ones)


@pytest.mark.parametrize("how", ["worker", "node"])
async def test_what_is_lost_behind_it_leaves_no_relay(network: Network, how: str) -> None:
    guest = await caller(network)
    await guest.session.open_webrtc("c1", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
    await guest.session.confirm("c1")
    node = guest.session.participant.legs[0].node
    if how == "worker":
        network.nodes[node].pool.workers[0].kill()
    else:
        network.kill(node)
    await until(lambda: guest.listener.lost == ["c1"])
    await until(lambda: not MADE[0].open_ones)
    await guest.session.open_webrtc("c1", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
    assert len(MADE[0].open_ones) == 1
    await guest.session.leave()
    await until(lambda: not MADE[0].open_ones and network.nodes["edge"].ledger.used == 0)


async def test_an_idle_relay_goes_only_when_its_call_has_gone(network: Network) -> None:
    guest = await caller(network)
    await guest.session.open_webrtc("c1", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
    (relays,) = MADE
    (used,) = relays.open_ones
    network.nodes["edge"].exchange.edge._owners["lost"] = (network.nodes["edge"].name, network.nodes["edge"].boot)
    relays.open_ones["lost"] = 1
    relays.idle_ones = (used, "lost")
    await until(lambda: list(relays.open_ones) == [used])
    await asyncio.sleep(0.1)
    assert list(relays.open_ones) == [used], "a call on hold keeps its relay"


@pytest.mark.spec("POL-131")
async def test_without_a_transcoding_node_there_is_no_capacity(network: Network) -> None:
    network.kill("n2")
    network.kill("n3")
    guest = await caller(network)
    with pytest.raises(CallRefused, match="Out of resource"):
        await guest.session.open_webrtc("c1", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
