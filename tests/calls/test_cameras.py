"""Cameras that are moved by others: who moves whose, also where media is on another node."""

from __future__ import annotations

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.domain.camera import CameraCommand, Movement
from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.media import messages as m

LEFT = CameraCommand(action="start", movement=(Movement(axis="pan", direction="left"),), timeout=800.0)
STOP = CameraCommand(action="stop", movement=(Movement(axis="pan", direction="left"),))
CODECS = {
    MediaKind.VIDEO: CodecParameters(name="VP8", payload_type=98, clock_rate=90000),
    MediaKind.APPLICATION: CodecParameters(name="H224", payload_type=100, clock_rate=4800),
}


async def system(node: Node, call: str, *, camera: bool) -> Guest:
    """A SIP system with a picture, and with a camera that can be moved or without."""
    guest = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
    kinds = (MediaKind.VIDEO, MediaKind.APPLICATION)[: 1 + camera]
    _, ports = await guest.session.reserve_rtp(call, kinds)
    side = MediaDescription(
        address="127.0.0.1",
        streams=tuple(
            MediaStream(kind=kind, address="127.0.0.1", port=port, codecs=(CODECS[kind],))
            for kind, port in zip(kinds, ports, strict=True)
        ),
    )
    await guest.session.connect_rtp(call, side, side)
    await guest.session.confirm(call)
    return guest


@pytest.mark.spec("API-120", "API-057")
@pytest.mark.parametrize("away", [False, True], ids=["here", "media-elsewhere"])
async def test_whoever_is_seen_largest_is_moved(away: bool) -> None:
    network = Network()
    for name in ("n1", "n2")[: 1 + away]:
        capacity = 0 if away and name == "n1" else 1200
        await Node(network, name, SERVICES.get, capacity=capacity, atlas=MapAtlas()).start()
    node = network.nodes["n1"]
    ada, bob, eve = [await system(node, call, camera=call != "eve") for call in ("ada", "bob", "eve")]
    assert [one.session.participant.fecc_supported for one in (ada, bob, eve)] == [True, True, False]
    worker = network.nodes["n2" if away else "n1"].pool.workers[0]
    for call in ("ada", "bob", "eve"):
        worker.tell(m.FirstPicture(leg=call, width=640, height=360))
    conference = ada.session.conference
    await conference.spotlight(bob.session.participant.uuid, True)
    await until(lambda: seen(ada) == bob.session.participant.uuid == seen(eve))
    worker.tell(m.CameraAsked(leg="ada", command=LEFT))
    worker.tell(m.CameraAsked(leg="eve", command=STOP))  # has no camera, but may move others'
    await until(lambda: worker.cameras == [("bob", LEFT), ("bob", STOP)])
    await conference.spotlight(bob.session.participant.uuid, False)
    await conference.spotlight(eve.session.participant.uuid, True)
    await until(lambda: seen(ada) == eve.session.participant.uuid)
    if not away:  # else it is known a moment later, when somebody else is seen
        worker.tell(m.CameraAsked(leg="ada", command=LEFT))  # of whom nothing can be moved
    await conference.spotlight(eve.session.participant.uuid, False)
    await conference.spotlight(ada.session.participant.uuid, True)
    await until(lambda: seen(bob) == ada.session.participant.uuid)
    worker.tell(m.CameraAsked(leg="bob", command=STOP))
    await until(lambda: worker.cameras[2:] == [("ada", STOP)])
    await conference.set_role(eve.session.participant.uuid, Role.GUEST)
    worker.tell(m.CameraAsked(leg="eve", command=LEFT))  # as by the API it is for Hosts
    worker.tell(m.CameraAsked(leg="bob", command=LEFT))
    await until(lambda: worker.cameras[3:] == [("ada", LEFT)])
    worker.tell(m.CameraAsked(leg="bob", command=STOP))
    await until(lambda: worker.cameras[4:] == [("ada", STOP)])
    for guest in (ada, bob, eve):
        await guest.session.leave()


def seen(guest: Guest) -> str:
    """Whom somebody sees largest."""
    layout = guest.session.conference.media.production.layout(guest.session.participant.uuid)
    return next(iter(layout.participants), "")
