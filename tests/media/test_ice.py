"""ICE of RTP legs, with a far end that is an agent as well, and coturn between them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from rostra.domain.ice import NO_SERVERS, IceServers, IceSide, StunServer, TurnServer
from rostra.domain.media import MediaDescription
from rostra.environment import Environment, PortRange
from rostra.media import messages as m
from rostra.media.engine import ice, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.ice import Agent
from rostra.media.engine.pipeline import Pipeline
from rostra.media.engine.webrtc_plan import plan
from rostra.media.engine.webrtc_transport import WebRtcTransport
from tests.calls.people import until
from tests.media import coturn
from tests.media.test_rtp_legs import side
from tests.media.test_ways import CODECS, KINDS, PICTURE, with_ice

from .conftest import Driven

PORTS = PortRange(low=47000, high=47999)
Own = Callable[..., list[str]]


@pytest.fixture(scope="module", autouse=True)
def gstreamer() -> None:
    stage.load()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if not coturn.available():
        pytest.skip("coturn is not installed")
    with coturn.running(tmp_path_factory.mktemp("coturn")) as port:
        yield port


@pytest.fixture
def environment(environment: Environment) -> Environment:
    """Media on the address that the relay is on."""
    return dataclasses.replace(environment, media_address="127.0.0.1")


@pytest.fixture
async def agents() -> AsyncIterator[Callable[..., Agent]]:
    made: list[Agent] = []

    def make(servers: IceServers = NO_SERVERS, *, controlling: bool = False) -> Agent:
        made.append(Agent(f"leg {len(made)}", PORTS, servers, controlling=controlling, announced=""))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def only(*addresses: str) -> Own:
    return lambda first="": list(addresses)


async def carried(sender: Agent, receiver: Agent) -> int:
    """Packets of two seconds' sending that came within that time."""
    came: list[bytes] = []
    away, into = Pipeline("away", print), Pipeline("into", print)
    source = away.add(Gst.ElementFactory.make("audiotestsrc"))
    source.set_property("is-live", True)
    out = sender.sink(away, "out", 0, 1)
    source.link(out)
    arriving = receiver.source(into, "arriving", 0, 1, Gst.Caps.from_string("application/x-rtp"))
    sink = into.add(Gst.ElementFactory.make("fakesink"))
    sink.set_property("sync", False)
    sink.set_property("signal-handoffs", True)
    sink.connect("handoff", lambda *_: came.append(b""))
    arriving.link(sink)
    into.play()
    away.play()
    try:
        await until(lambda: len(came) > 10, 3)
    finally:
        await away.close()
        await into.close()
    return len(came)


async def meet(near: Agent, far: Agent, components: int = 1) -> tuple[IceSide, IceSide]:
    [ours], [theirs] = await near.reserve([components], "0"), await far.reserve([components], "0")
    near.connect(0, theirs)
    far.connect(0, ours)
    await until(lambda: near.ready(0) and far.ready(0), 5)
    return ours, theirs


@pytest.mark.spec("REF-123")
async def test_two_agents_meet_with_rtcp_on_its_own(agents: Callable[..., Agent]) -> None:
    near, far = agents(), agents(controlling=True)
    ours, _ = await meet(near, far, 2)
    assert {one.split()[1] for one in ours.candidates} == {"1", "2"}
    assert all(PORTS.low <= int(one.split()[5]) <= PORTS.high for one in ours.candidates)
    assert await carried(near, far) > 10
    [again] = await near.reserve([2], "0")
    assert again == ours
    [anew] = await near.reserve([2], "1")
    assert anew.ufrag != ours.ufrag
    [theirs] = await far.reserve([2], "1")
    near.connect(0, theirs)
    far.connect(0, anew)
    assert await carried(far, near) > 10


@pytest.mark.spec("SYS-155", "SYS-158", "REF-124")
async def test_media_passes_by_the_relay_where_there_is_no_other_way(
    agents: Callable[..., Agent], relay: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One side has IPv6 only and the other IPv4 only; relays are IPv4 (RFC 8656 6.2)."""
    server = TurnServer(address="::1", port=relay, username=coturn.NAME, password=coturn.PASSWORD)
    monkeypatch.setattr(ice, "own_addresses", only("::1"))
    near = agents(IceServers(turn=server))
    monkeypatch.setattr(ice, "own_addresses", only("127.0.0.1"))
    far = agents(controlling=True)
    ours, theirs = await meet(near, far)
    assert [one.split()[7] for one in ours.candidates if ":" not in one.split()[4]] == ["relay"]
    assert {one.split()[7] for one in theirs.candidates} == {"host"}
    assert await carried(near, far) > 10
    assert await carried(far, near) > 10


async def test_a_call_is_seen_by_the_relay_alone(driven: Driven, relay: int) -> None:
    """Each of two legs hears of no address of the other but its relay's."""
    worker = driven.worker
    servers = IceServers(
        turn=TurnServer(address="127.0.0.1", port=relay, username=coturn.NAME, password=coturn.PASSWORD)
    )
    told: dict[str, MediaDescription] = {}

    async def reserve(leg: str) -> None:
        _, ports = await worker.reserve_rtp(leg, KINDS)
        request = m.ReserveIce(leg=leg, components=(1, 1), controlling=leg == "one", servers=servers)
        told[leg] = with_ice(side(ports, CODECS, mux=True), tuple(map(relayed, await worker.reserve_ice(request))))

    await asyncio.gather(reserve("one"), reserve("two"))
    await worker.connect_rtp("one", told["one"], told["two"])
    await worker.connect_rtp("two", told["two"], told["one"])
    for leg in told:
        await worker.start(leg)
    for leg in told:
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, **PICTURE)), 15)


def relayed(side: IceSide) -> IceSide:
    kept = tuple(one for one in side.candidates if " typ relay" in one)
    assert kept
    return msgspec.structs.replace(side, candidates=kept)


async def test_wrong_credentials_are_logged_and_calls_go_on(
    agents: Callable[..., Agent], relay: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "own_addresses", only("127.0.0.1"))
    wrong = TurnServer(address="127.0.0.1", port=relay, username=coturn.NAME, password="wrong")
    with capture_logs() as logged:
        await meet(agents(IceServers(turn=wrong)), agents(controlling=True))
    [warning] = [one for one in logged if one["log_level"] == "warning"]
    assert "credentials" in warning["event"]
    assert (warning["server"], warning["username"]) == ("127.0.0.1", coturn.NAME)
    assert "wrong" not in str(warning)


async def test_servers_are_found_by_their_names() -> None:
    turn = TurnServer(address="localhost", port=1, username="a")
    stun, found = await ice.resolved(IceServers(turn=turn, stun=StunServer(address="192.0.2.1")))
    assert stun == StunServer(address="192.0.2.1")
    assert found is not None
    assert found.address in ("127.0.0.1", "::1")
    with capture_logs() as logged:
        for _ in range(3):
            assert await ice.resolved(IceServers(stun=StunServer(address="no.such.host.invalid"))) == (None, None)
    assert [one["server"] for one in logged] == ["no.such.host.invalid"], "the next calls do not wait for that again"


@pytest.mark.spec("SYS-155", "REF-151")
async def test_browsers_are_told_of_our_relay(relay: int) -> None:
    offer = (Path(__file__).parent / "offers" / "chromium-audio-video-inactive.sdp").read_bytes().decode()
    servers = IceServers(
        turn=TurnServer(address="127.0.0.1", port=relay, username=coturn.NAME, password=coturn.PASSWORD)
    )
    transport = WebRtcTransport("leg", PORTS, lambda _: None, lambda _: None, servers)
    try:
        answer = await transport.negotiate(plan(offer))
    finally:
        await transport.close()
    relayed = [line for line in answer.splitlines() if line.startswith("a=candidate:") and " relay " in line]
    assert relayed
    assert all(" 127.0.0.1 58" in line for line in relayed)


def test_our_address_behind_static_nat() -> None:
    host = "1 1 UDP 2015363327 10.0.0.5 41049 typ host"
    assert ice.as_announced(host, "203.0.113.7").split()[4] == "203.0.113.7"
    assert ice.as_announced(host, "") == host
    assert ice.as_announced(host.replace("10.0.0.5", "fd00::2"), "203.0.113.7").split()[4] == "fd00::2"
