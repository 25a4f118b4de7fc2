"""What nodes do for administrators, with the conferences of several nodes on a fabric in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from rostra.calls.registrations import Registration, Registry
from rostra.domain.capacity import Figures
from rostra.domain.dialling import Wanted
from rostra.domain.ledger import Ledger
from rostra.domain.media import StreamType
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.fabric import status
from rostra.fabric.status import (
    Command,
    CommandReply,
    Dialling,
    DialOut,
    LegStreams,
    MediaGraph,
    MediaNode,
    MoveCallsAway,
    Moved,
    NotHere,
    Obeyed,
    OnConference,
    OnParticipant,
    Refused,
    Registrations,
    TellMedia,
    TellRegistrations,
    TellStreams,
)
from rostra.media.messages import StatisticsReply
from rostra.media.replies import StreamStatistics
from rostra.media.selfcheck import Checked
from rostra.node.measuring import CapacityCheck
from rostra.node.obeying import obey
from rostra.node.reporting import Answers
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, until
from tests.calls.test_outgoing import Adapter, Plan


@pytest.fixture
async def network() -> Network:
    network = Network()
    for name in ("n1", "n2"):
        await Node(network, name, SERVICES.get).start()
    return network


async def tell(network: Network, node: str, command: Command) -> CommandReply:
    return await obey(network.nodes[node].exchange, Registry(), command)


async def hosted(network: Network) -> tuple[Guest, Guest]:
    """A Host on one node and a Guest on the other, both in the conference and known to both nodes."""
    host = await (await Guest(network.nodes["n1"].exchange).join("hosted", "1234")).call("c1")
    guest = await Guest(network.nodes["n2"].exchange).join("hosted", "none")
    await until(lambda: guest.where is ServiceType.CONFERENCE)
    await until(lambda: len(host.session.conference.participants) == 2)
    return host, guest


@pytest.mark.spec("CONF-131")
async def test_conferences_are_locked_muted_and_ended(network: Network) -> None:
    host, guest = await hosted(network)
    identity, far = host.session.conference.id, guest.session.conference
    assert await tell(network, "n1", OnConference(conference=identity, action="lock")) == Obeyed()
    await until(lambda: far.flags.locked)
    await tell(network, "n1", OnConference(conference=identity, action="unlock"))
    await until(lambda: not far.flags.locked)
    await tell(network, "n1", OnConference(conference=identity, action="mute_guests"))
    await until(lambda: guest.session.participant.is_muted)
    assert not host.session.participant.is_muted
    await tell(network, "n1", OnConference(conference=identity, action="unmute_guests"))
    await until(lambda: not guest.session.participant.is_muted)
    assert await tell(network, "n1", OnConference(conference=identity, action="disconnect")) == Obeyed()
    reason = "Conference terminated by an administrator"
    await until(lambda: (host.listener.reasons, guest.listener.reasons) == ([reason], [reason]))


@pytest.mark.spec("CONF-167")
async def test_participants_are_muted_given_a_role_and_disconnected(network: Network) -> None:
    host, guest = await hosted(network)
    who = guest.session.participant.uuid
    for action, muted in (("mute", True), ("unmute", False)):
        assert await tell(network, "n2", OnParticipant(participant=who, action=action)) == Obeyed()
        assert guest.session.participant.is_muted is muted
    await tell(network, "n2", OnParticipant(participant=who, action="role", role="chair"))
    assert guest.session.participant.role is Role.HOST
    await tell(network, "n2", OnParticipant(participant=who, action="role", role="guest"))
    assert guest.session.participant.role is Role.GUEST
    assert await tell(network, "n2", OnParticipant(participant=who, action="disconnect")) == Obeyed()
    assert guest.listener.reasons == ["Disconnected by an administrator"]
    assert host.listener.reasons == []
    assert await tell(network, "n2", OnParticipant(participant=who, action="disconnect")) == NotHere()


async def test_who_waits_is_let_into_a_locked_conference(network: Network) -> None:
    first = await Guest(network.nodes["n1"].exchange).join()
    await tell(network, "n1", OnConference(conference=first.session.conference.id, action="lock"))
    late = await Guest(network.nodes["n1"].exchange).join()
    assert late.where is ServiceType.WAITING_ROOM
    await tell(network, "n1", OnParticipant(participant=late.session.participant.uuid, action="unlock"))
    assert late.where is ServiceType.CONFERENCE


async def test_what_is_not_here_or_not_known_is_said(network: Network) -> None:
    guest = await Guest(network.nodes["n1"].exchange).join()
    identity, who = guest.session.conference.id, guest.session.participant.uuid
    assert await tell(network, "n2", OnConference(conference=identity, action="lock")) == NotHere()
    assert await tell(network, "n2", OnParticipant(participant=who, action="mute")) == NotHere()
    for command in (
        OnConference(conference=identity, action="explode"),
        OnParticipant(participant=who, action="explode"),
        OnParticipant(participant=who, action="role", role="emperor"),
        OnParticipant(participant=who, action="role", role="unknown"),
    ):
        assert isinstance(await tell(network, "n1", command), Refused)
    assert await tell(network, "n1", MoveCallsAway()) == Moved(legs=0)


async def test_the_node_that_carries_a_call_tells_its_streams(network: Network) -> None:
    guest = await (await Guest(network.nodes["n1"].exchange).join()).call("c1")
    ((carrier, worker),) = [(name, one) for name, node in network.nodes.items() for one in node.pool.workers]
    counted = [
        StreamStatistics(leg="c1", kind=StreamType.AUDIO, sending=True, codec="opus", bitrate=64_000.4, jitter=0.002),
        StreamStatistics(leg="c1", kind=StreamType.VIDEO, sending=False, width=1280, height=720, frame_rate=25, lost=3,
                         idle=True, codec="VP8"),
        StreamStatistics(leg="c1", kind=StreamType.PRESENTATION, sending=False, width=1920, height=1080, codec="VP8"),
        StreamStatistics(leg="other", kind=StreamType.AUDIO, sending=True),
    ]  # fmt: skip

    graph: dict[str, Any] = {
        "nodes": [{"id": "in:c1", "kind": "in", "name": "c1", "running": True, "users": 0, "detail": {"frames": 9}}],
        "edges": [],
        "counts": {"encoders": 2},
        "of_later": 1,
    }
    debug: dict[str, object] = {"graph": graph}

    async def statistics() -> Any:
        return StatisticsReply(streams=tuple(counted), processor_seconds=0.0, debug=debug)

    worker.statistics = statistics  # type: ignore[attr-defined]
    told = await tell(network, carrier, TellStreams(call="c1"))
    assert isinstance(told, LegStreams)
    audio, video, slides = told.streams
    assert (slides.kind, slides.resolution) == ("presentation", "1920x1080")
    assert (audio.kind, audio.sending, audio.codec, audio.bitrate, audio.jitter) == ("audio", True, "opus", 64_000, 2.0)
    assert (video.sending, video.resolution, video.frame_rate, video.packets_lost) == (False, "1280x720", 25.0, 3)
    assert video.codec == "Off"
    (other,) = network.nodes.keys() - {carrier}
    assert await tell(network, other, TellStreams(call="c1")) == NotHere()

    identity = guest.session.conference.id
    drawn = await tell(network, carrier, TellMedia(conference=identity))
    assert isinstance(drawn, MediaGraph)
    assert status.decode_reply(status.encode_reply(drawn)) == drawn
    assert drawn.worker == worker.id
    assert drawn.counts == {"encoders": 2}
    assert drawn.nodes == (MediaNode(id="in:c1", kind="in", name="c1", detail={"frames": 9}),)
    debug.clear()
    assert await tell(network, carrier, TellMedia(conference=identity)) == NotHere()
    assert await tell(network, carrier, TellMedia(conference="none")) == NotHere()
    await guest.session.leave()


async def test_commands_come_over_the_fabric(network: Network) -> None:
    guest = await Guest(network.nodes["n1"].exchange).join()
    node = network.nodes["n1"]
    registry = Registry("n1")
    reporter: Any = SimpleNamespace(identity=SimpleNamespace(id="n1"), boot="b", registry=registry)
    figures = Figures(hd=3, sd=5, audio=20, full_hd=1)

    async def measured(cores: float) -> Checked:
        return Checked(cores=cores, figures=figures)

    answers = Answers(node.bus, reporter, node.exchange, node.ledger, CapacityCheck(0, Ledger(1), measured))  # type: ignore[arg-type]
    await answers.start()

    async def ask(payload: bytes) -> CommandReply:
        return status.decode_reply(await network.nodes["n2"].bus.request(status.command_subject("n1"), payload))

    who = guest.session.participant.uuid
    assert await ask(status.encode_command(OnParticipant(participant=who, action="mute"))) == Obeyed()
    assert guest.session.participant.is_muted
    assert await ask(status.encode_command(TellStreams(call="none"))) == NotHere()
    registry.add(
        Registration(id="r1", alias="ann", protocol=CallProtocol.SIP, keeper=SimpleNamespace(), username="a")  # type: ignore[arg-type]
    )
    told = await ask(status.encode_command(TellRegistrations()))
    assert isinstance(told, Registrations)
    assert [(row.id, row.alias, row.protocol, row.username) for row in told.rows] == [("r1", "ann", "sip", "a")]
    capacity = await ask(status.encode_command(status.CheckCapacity()))
    assert isinstance(capacity, status.Capacity)
    assert (capacity.hd, capacity.sd, capacity.audio, capacity.full_hd) == (3, 5, 20, 1)
    newer = msgspec.msgpack.encode({"command": "Sing", "song": "any"})
    assert isinstance(await ask(newer), Refused)
    await answers.stop()


@pytest.mark.spec("CONF-107", "CONF-111")
async def test_somebody_is_called() -> None:
    node = Node(Network(), "n1", SERVICES.get, plan=Plan())
    adapter = Adapter()
    node.exchange.outgoing.diallers[CallProtocol.SIP] = adapter
    await node.start()
    order = DialOut(alias="open", wanted=Wanted(destination="a@x", role=Role.HOST, dtmf_sequence="1"))
    assert status.decode_command(status.encode_command(order)) == order
    reply = await obey(node.exchange, Registry(), order)
    assert isinstance(reply, Dialling)
    assert status.decode_reply(status.encode_reply(reply)) == reply
    (called,) = node.exchange.conferences[0].participants
    assert (called.uuid,) == reply.participants
    assert await obey(node.exchange, Registry(), DialOut(alias="nowhere", wanted=order.wanted)) == Refused(
        reason="Neither conference nor gateway found"
    )


@pytest.mark.spec("CONF-117")
async def test_somebody_is_sent_on(network: Network) -> None:
    host, _ = await hosted(network)
    uuid = host.session.participant.uuid
    order = OnParticipant(participant=uuid, action="transfer", role="guest", alias="open")
    assert await tell(network, "n1", order) == Obeyed()
    assert host.listener.referred == [("open", Role.GUEST)]
    nowhere = msgspec.structs.replace(order, alias="nowhere")
    assert isinstance(await tell(network, "n1", nowhere), Refused)
    assert await tell(network, "n2", order) == NotHere()
