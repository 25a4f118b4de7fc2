"""Media between workers: what a far end of one shows and says arrives at far ends of the others, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
from typing import Any

import pytest

from rostra.domain.media import CryptoAttribute, MediaKind
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure
from rostra.media.messages import EVERYBODY, OTHER_LOCATION, PARTICIPANT, SAME_LOCATION, AudioRoute, Quality
from rostra.media.pool import WorkerPool

from .conftest import Driven
from .endpoints import H264, VP8, Far, Screen, Voice, ends

__all__ = ["ends"]

RED, BLUE = 0xC02020, 0x2040C0
FULL, THUMBNAIL = Quality.FULL, Quality.THUMBNAIL
SUITE = "AES_CM_128_HMAC_SHA1_80"


def key() -> CryptoAttribute:
    return CryptoAttribute(tag=1, suite=SUITE, key_salt=base64.b64encode(secrets.token_bytes(30)).decode())


class Node(Driven):
    """A node's worker."""

    name: str

    async def backplane(self) -> dict[str, dict[str, Any]]:
        """State of the backplane legs."""
        found = (await self.worker.statistics()).debug["backplane"]
        assert isinstance(found, list)
        return {one["leg"]: one for one in found}

    async def encoders(self) -> list[dict[str, Any]]:
        found = (await self.worker.statistics()).debug["encoders"]
        assert isinstance(found, list)
        return found

    async def show(self, source: str, leg: str, **audio: AudioRoute) -> None:
        """Let a leg see one source, as large as can be."""
        tile = Tile(source=source, x=0, y=0, width=1280, height=720)
        await self.worker.compose(m.Compose(views={"v": Scene(tiles=(tile,))}, watching={leg: "v"}, audio=audio))

    async def listen(self, **audio: AudioRoute) -> None:
        """Set the routes of sound; `_` in names stands for `:`."""
        routes = {name.replace("_", ":"): route for name, route in audio.items()}
        await self.worker.compose(m.Compose(views={}, watching={}, audio=routes))


@pytest.fixture
async def nodes(pool: WorkerPool) -> list[Node]:
    """Three nodes: a, b, c."""
    made: list[Node] = []
    for name in "abc":
        node = Node()
        node.name = name
        node.worker = await pool.acquire("conference", "Test", node.hear, node.lost.append)
        made.append(node)
    return made


class Stream:
    """One stream from node to node."""

    def __init__(self, sender: Node, receiver: Node, kind: MediaKind, source: str, quality: Quality = FULL) -> None:
        self.sender, self.receiver = sender, receiver
        leg = f"{sender.name}>{receiver.name}:{kind}:{source}:{quality}"
        forth, back = key(), key()
        self.receive = m.ReceiveBackplane(
            leg=leg, kind=kind, source=source, quality=quality, key_in=forth, key_out=back
        )
        self.send = m.SendBackplane(
            leg=leg, kind=kind, source=source, quality=quality, address="", port=9, key_out=forth, key_in=back
        )

    async def open(self) -> Stream:
        _, port = await self.receiver.worker.receive_backplane(self.receive)
        self.send = m.msgspec.structs.replace(self.send, address="127.0.0.1", port=port)
        await self.sender.worker.send_backplane(self.send)
        return self

    async def close(self) -> None:
        for node in (self.sender, self.receiver):
            await node.worker.close_leg(self.send.leg)

    async def at_sender(self) -> dict[str, Any]:
        return (await self.sender.backplane())[self.send.leg]


async def video(sender: Node, receiver: Node, source: str, quality: Quality = FULL) -> Stream:
    return await Stream(sender, receiver, MediaKind.VIDEO, source, quality).open()


async def mix(sender: Node, receiver: Node) -> Stream:
    """The mix of one node for another, there known as `mix:<name>`; at the sender its route is that of the leg."""
    return await Stream(sender, receiver, MediaKind.AUDIO, f"mix:{sender.name}").open()


async def joined(ends: list[Far], end: Far, node: Node, leg: str) -> Any:
    ends.append(end)
    await end.join(node.worker, leg)
    return end


@pytest.mark.parametrize("codec", [VP8, H264], ids=["vp8", "h264"])
@pytest.mark.spec("PLAT-052")
async def test_a_picture_is_passed_on_as_it_came(nodes: list[Node], ends: list[Far], codec: Any) -> None:
    """From A by way of C to B, without an encoder anywhere on the way."""
    a, b, c = nodes
    await joined(ends, Screen(codec, RED), a, "alice")
    await video(a, c, "alice")
    await video(c, b, "alice")
    await b.show("alice", "viewer")
    screen = await joined(ends, Screen(), b, "viewer")
    await screen.shows(RED)
    assert b.told(m.FirstPicture(leg="alice", width=640, height=360))
    assert c.told(m.FirstPicture(leg="alice", width=640, height=360))
    assert await c.encoders() == []
    for node in (a, c):
        ways = {one["direction"]: one for one in (await node.backplane()).values()}
        assert ways["out"]["way"] == "forward"
        assert ways["out"]["codec"] == codec.name
