"""Streams as participants: begun, refused, moved, lost and ended, on a worker without media."""

from __future__ import annotations

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until
from tests.calls.test_outgoing import Plan
from tests.calls.virtual import run as run_virtually

from rostra.calls.switchboard import NotDialled
from rostra.conference.roster import Participant
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.history import ParticipantEnded
from rostra.domain.vocabulary import CallProtocol, ServiceType
from rostra.media.messages import Failure, LegFailed
from rostra.rtmp.service import StreamService

URL = "rtmp://media.example/live/key"
STREAM = Wanted(destination=URL, protocol=CallProtocol.RTMP, presentation_url=f"{URL}2", keep_alive=KeepAlive.NEVER)


async def begin() -> tuple[Node, Guest]:
    """Somebody with media in a conference of one node."""
    node = Node(Network(), "n1", SERVICES.get, atlas=MapAtlas(), plan=Plan())
    node.exchange.outgoing.diallers[CallProtocol.RTMP] = StreamService(lambda: "authorities")
    await node.start()
    guest = await (await Guest(node.exchange).join()).call("main")
    return node, guest


def streams(node: Node) -> list[Participant]:
    return [one for conference in node.exchange.conferences for one in conference.participants if one.is_streaming]


def reasons(node: Node) -> list[str]:
    return [event.disconnect_reason for event in node.events if isinstance(event, ParticipantEnded)]


@pytest.mark.spec("CONF-122", "CONF-125", "CONF-126", "CONF-127")
async def test_a_stream_is_one_participant() -> None:
    node, guest = await begin()
    (uuid,) = await node.exchange.dial("open", STREAM)
    await until(lambda: streams(node)[0].service_type is ServiceType.CONFERENCE)
    (stream,) = streams(node)
    assert (stream.display_name, stream.uri, stream.protocol) == ("media.example", URL, CallProtocol.RTMP)
    assert (stream.has_media, stream.presentation_supported) == (True, True)
    (worker,) = node.pool.workers
    (opened,) = worker.streams
    assert (opened.url, opened.presentation_url, opened.authorities) == (URL, f"{URL}2", "authorities")
    await guest.session.conference.remove(uuid, "Disconnected by an administrator")
    await until(lambda: opened.leg not in worker.legs)
    assert streams(node) == []


async def test_a_server_that_does_not_take_it() -> None:
    node, _ = await begin()
    node.pool.workers[0].refuse = Failure.Kind.UNREACHABLE
    await node.exchange.dial("open", STREAM)
    await until(lambda: streams(node) == [])
    assert reasons(node) == ["Destination cannot be reached"]


async def test_a_server_that_stays_away() -> None:
    node, _ = await begin()
    await node.exchange.dial("open", STREAM)
    (worker,) = node.pool.workers
    await until(lambda: streams(node)[0].has_media)
    worker.tell(LegFailed(leg=worker.streams[0].leg, reason="Streaming server lost"))
    await until(lambda: streams(node) == [])
    assert reasons(node) == ["Streaming server lost"]


@pytest.mark.spec("CONF-128", "CONF-129")
async def test_a_stream_is_always_video_and_ends_with_those_it_shows() -> None:
    node, guest = await begin()
    await node.exchange.dial(
        "open",
        Wanted(destination=URL, protocol=CallProtocol.RTMP, call_type="audio", keep_alive=KeepAlive.NEVER),
    )
    await until(lambda: streams(node)[0].has_media)
    assert streams(node)[0].is_video_call
    await guest.session.leave()
    await until(lambda: node.exchange.conferences == [])
    assert reasons(node)[-1] == "No participants can keep conference alive"


def test_a_worker_that_dies() -> None:
    async def scenario() -> None:
        node, _ = await begin()
        await node.exchange.dial("open", STREAM)
        (first,) = node.pool.workers
        await until(lambda: streams(node)[0].has_media)
        first.kill()
        await until(lambda: len(node.pool.workers) > 1 and bool(node.pool.workers[-1].streams))
        assert node.pool.workers[-1].streams == first.streams
        assert len(streams(node)) == 1
        await node.exchange.close()

    run_virtually(scenario())


@pytest.mark.parametrize("destination", ["rtmp://", "http://host/x", "rtmp://host"])
async def test_what_is_no_stream(destination: str) -> None:
    node, _ = await begin()
    with pytest.raises(NotDialled) as refused:
        await node.exchange.dial("open", Wanted(destination=destination, protocol=CallProtocol.RTMP))
    assert refused.value.status == 400
