"""Media between workers: what a far end of one shows and says arrives at far ends of the others, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from rostra.domain.media import CryptoAttribute, MediaKind
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure
from rostra.media.messages import OTHER_LOCATION, PARTICIPANT, SAME_LOCATION, AudioRoute, Quality
from rostra.media.pool import WorkerPool
from tests.e2e.browser import Peer, chromium

from .conftest import Driven
from .endpoints import H264, VP8, Far, Screen, Voice, ends
from .test_worker_lifetimes import held

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

    def told_levels(self) -> set[str]:
        """Whose levels were ever told."""
        return {leg for event in self.events if isinstance(event, m.Levels) for leg in event.levels}

    def sizes(self, source: str) -> list[tuple[int, int]]:
        """The sizes of a source's picture, as they were told."""
        return [(e.width, e.height) for e in self.events if isinstance(e, m.FirstPicture) and e.leg == source]

    async def until_sent(self, stream: Stream, count: int) -> None:
        """Wait until so many packets of a stream have left."""

        async def left() -> bool:
            found = (await self.worker.statistics()).streams
            return any(one.leg == stream.send.leg and one.sending and one.packets >= count for one in found)

        await eventually(left)

    async def encoders(self) -> list[dict[str, Any]]:
        """The encoders that work for backplanes."""
        found = (await self.worker.statistics()).debug["encoders"]
        assert isinstance(found, list)
        return [one for one in found if one["view"] != "~background" and one["view"] != "v"]

    async def show(self, source: str, leg: str) -> None:
        """Let a leg see one source, as large as can be."""
        tile = Tile(source=source, x=0, y=0, width=1280, height=720)
        await self.worker.compose(m.Compose(views={"v": Scene(tiles=(tile,))}, watching={leg: "v"}))

    async def route(self, audio: dict[str, AudioRoute]) -> None:
        """Set the routes of sound."""
        await self.worker.compose(m.Compose(views={}, watching={}, audio=audio))


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
        await self.aim(port)
        return self

    async def aim(self, port: int) -> None:
        """Send it to a port of this machine."""
        self.send = msgspec.structs.replace(self.send, address="127.0.0.1", port=port)
        await self.sender.worker.send_backplane(self.send)

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
    for node in (b, c):
        await node.until(lambda node=node: node.told(m.FirstPicture(leg="alice", width=640, height=360)))
        assert await node.encoders() == []
    for node in (a, c):
        ways = {one["direction"]: one for one in (await node.backplane()).values()}
        assert ways["out"]["way"] == "forward"
        assert ways["out"]["codec"] == codec.name


@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_a_browsers_picture_is_passed_on(nodes: list[Node], ends: list[Far], codec: str) -> None:
    a, b, _ = nodes
    async with chromium() as browser:
        peer = await Peer.open(browser, "red", 600, codec=codec)
        await peer.answer(await a.worker.open_webrtc("alice", await peer.offer(), start=True))
        stream = await video(a, b, "alice")
        await b.show("alice", "viewer")
        screen: Screen = await joined(ends, Screen(), b, "viewer")
        # browsers have their own idea of colour spaces: any red will do
        await screen.until(lambda seen: bool(seen[1] < 120 and seen[2] > 220), 10, "red")
        assert (await stream.at_sender())["way"] == "forward"
        assert f"video/{(await stream.at_sender())['codec']}" == codec
        assert await a.encoders() == []


@pytest.mark.spec("PLAT-054", "PLAT-056")
async def test_small_pictures_are_encoded_once_for_all(nodes: list[Node], ends: list[Far]) -> None:
    """Both other nodes get the same small picture, and the one of them passes it on as it is."""
    a, b, c = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    streams = [await video(a, b, "alice", THUMBNAIL), await video(a, c, "alice", THUMBNAIL)]
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=320, height=180)))
    await c.until(lambda: c.told(m.FirstPicture(leg="alice", width=320, height=180)))
    assert [(*one["rung"][:3], one["users"]) for one in await a.encoders()] == [(320, 180, 15, 2)]
    await streams[0].close()
    passed = await video(c, b, "alice", THUMBNAIL)
    assert (await passed.at_sender())["way"] == "forward"
    await b.show("alice", "viewer")
    await (await joined(ends, Screen(), b, "viewer")).shows(RED)
    assert await c.encoders() == []
    await streams[1].close()
    assert await a.encoders() == []
    assert (await a.worker.statistics()).debug["stage"]["views"] == 1  # the background; the hidden one is gone


async def test_what_is_small_already_is_not_encoded_again(nodes: list[Node], ends: list[Far]) -> None:
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED, (320, 180)), a, "alice")
    stream = await video(a, b, "alice", THUMBNAIL)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=320, height=180)))
    assert (await stream.at_sender())["way"] == "forward"
    assert await a.encoders() == []


async def test_quality_that_is_not_at_hand(nodes: list[Node], ends: list[Far]) -> None:
    """Small can be made of full, but full not of small; and there is nothing of a source that is not here."""
    a, b, c = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    for source in ("nobody", "alice"):
        with pytest.raises(MediaFailure) as unknown:
            await video(c, b, source)
        assert unknown.value.kind is m.Failure.Kind.UNKNOWN_LEG
    small = await video(a, c, "alice", THUMBNAIL)
    with pytest.raises(MediaFailure) as unknown:
        await video(c, b, "alice", FULL)
    assert unknown.value.kind is m.Failure.Kind.UNKNOWN_LEG
    await small.close()
    await video(a, c, "alice", FULL)
    await video(c, b, "alice", THUMBNAIL)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=320, height=180)))
    assert len(await c.encoders()) == 1


async def test_full_and_small_at_once_show_the_full_one(nodes: list[Node], ends: list[Far]) -> None:
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    await video(a, b, "alice", THUMBNAIL)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=320, height=180)))
    full = await video(a, b, "alice", FULL)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await full.close()
    await b.until(lambda: b.sizes("alice")[-1] == (320, 180))
    assert b.sizes("alice") == [(320, 180), (640, 360), (320, 180)]


async def test_a_source_that_comes_back_with_another_codec(nodes: list[Node], ends: list[Far]) -> None:
    """The stream falls silent with its source, which is no failure, and follows it when it is back."""
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = await video(a, b, "alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await a.worker.close_leg("alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=0, height=0)))
    assert (await stream.at_sender())["way"] == "quiet"
    await joined(ends, Screen(H264, BLUE, (848, 480)), a, "alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=848, height=480)))
    await b.show("alice", "viewer")
    await (await joined(ends, Screen(), b, "viewer")).shows(BLUE)
    assert not any(isinstance(event, m.LegFailed) for event in a.events + b.events)


async def test_a_receiver_that_missed_the_beginning_asks_the_camera(nodes: list[Node], ends: list[Far]) -> None:
    """Key frames come every ten seconds from this camera: what comes earlier has been asked for, through two nodes."""
    a, b, c = nodes
    camera = await joined(ends, Screen(VP8, RED), a, "alice")
    await video(a, c, "alice")
    stream = Stream(c, b, MediaKind.VIDEO, "alice")
    await c.until(lambda: c.told(m.FirstPicture(leg="alice", width=640, height=360)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.setblocking(False)
        await stream.aim(nobody.getsockname()[1])
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await asyncio.wait_for(loop.sock_recv(nobody, 2000), 5)
        asked = camera.asked
        _, port = await b.worker.receive_backplane(stream.receive)
        await stream.aim(port)
        await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)), 4)
    assert camera.asked > asked


async def test_only_the_right_key_opens(nodes: list[Node], ends: list[Far]) -> None:
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = Stream(a, b, MediaKind.VIDEO, "alice")
    right, stream.receive = stream.receive, msgspec.structs.replace(stream.receive, key_in=key())
    await stream.open()
    await a.until_sent(stream, 30)
    assert await packets(b, stream) == 0
    stream.receive = right
    port = (await b.worker.receive_backplane(right))[1]
    assert port == stream.send.port, "other keys, the same place"
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await b.show("alice", "viewer")
    await (await joined(ends, Screen(), b, "viewer")).shows(RED)
    no_key = CryptoAttribute(tag=1, suite=SUITE, key_salt="bm8=")
    broken = msgspec.structs.replace(right, leg="other", key_in=no_key)
    with pytest.raises(MediaFailure) as bad:
        await b.worker.receive_backplane(broken)
    assert bad.value.kind is m.Failure.Kind.BAD_DESCRIPTION
    assert "other" not in (await b.worker.statistics()).debug["legs"]
    with pytest.raises(MediaFailure) as bad:
        await a.worker.send_backplane(msgspec.structs.replace(stream.send, leg="other", key_out=no_key))
    assert bad.value.kind is m.Failure.Kind.BAD_DESCRIPTION


async def test_garbage_and_packets_sent_again(nodes: list[Node], ends: list[Far]) -> None:
    """Between the nodes sits somebody who repeats every packet and adds noise: the picture is what it was."""
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = Stream(a, b, MediaKind.VIDEO, "alice")
    _, port = await b.worker.receive_backplane(stream.receive)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as between:
        between.bind(("127.0.0.1", 0))
        between.setblocking(False)
        await stream.aim(between.getsockname()[1])
        recorded: list[bytes] = []

        async def relay(count: int) -> int:
            """Pass packets on; how many of them were media."""
            media = 0
            for _ in range(count):
                packet, origin = await asyncio.wait_for(loop.sock_recvfrom(between, 2000), 5)
                if origin[1] == port:
                    continue  # its reports go nowhere
                media += not 192 <= packet[1] <= 223
                recorded.append(packet)
                for copy in (packet, packet, secrets.token_bytes(len(packet)), packet[:20], b"\x80\x62" + packet[2:]):
                    between.sendto(copy, ("127.0.0.1", port))
            return media

        sent = await relay(60)
        while not b.told(m.FirstPicture(leg="alice", width=640, height=360)):
            sent += await relay(5)
        for packet in recorded[:30]:
            between.sendto(packet, ("127.0.0.1", port))
        sent += await relay(30)
        await b.show("alice", "viewer")
        screen = await joined(ends, Screen(), b, "viewer")
        showing = asyncio.ensure_future(screen.shows(RED))
        while not showing.done():
            sent += await relay(5)
        await showing
    assert 0 < await packets(b, stream) <= sent
    assert not b.lost


async def test_a_flood_of_strangers_takes_no_memory(nodes: list[Node], ends: list[Far]) -> None:
    """Each packet claims to be of another source: none is remembered, and the picture goes on."""
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = await video(a, b, "alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    before = held(b.worker.process)["megabytes"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(400):
            for _ in range(50):
                stranger.sendto(b"\x80\x62" + secrets.token_bytes(100), ("127.0.0.1", stream.send.port))
            await asyncio.sleep(0.002)  # slowly enough that the socket's buffer takes them all
    assert held(b.worker.process)["megabytes"] < before + 30
    count = await packets(b, stream)
    await eventually(lambda: received(b, stream, count + 30))
    assert not b.told(m.FirstPicture(leg="alice", width=0, height=0))


async def test_a_stream_is_moved(nodes: list[Node], ends: list[Far]) -> None:
    a, b, c = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = await video(a, b, "alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    before = await stream.at_sender()
    await a.worker.send_backplane(stream.send)
    assert {**await stream.at_sender(), "bitrate": 0} == {**before, "bitrate": 0}, "the same again changes nothing"
    elsewhere = msgspec.structs.replace(stream.receive, key_in=key(), key_out=key())
    _, port = await c.worker.receive_backplane(elsewhere)
    moved = msgspec.structs.replace(stream.send, port=port, key_out=elsewhere.key_in, key_in=elsewhere.key_out)
    await a.worker.send_backplane(moved)
    await c.until(lambda: c.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=0, height=0)))


async def test_on_hold_and_with_a_dead_worker_nothing_is_shown(nodes: list[Node], ends: list[Far]) -> None:
    """What stops at its source stops everywhere, by word or by a crash, and can begin again from elsewhere."""
    a, b, c = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    stream = await video(a, b, "alice")
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await a.worker.hold("alice", True)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=0, height=0)))
    b.events.clear()
    await a.worker.hold("alice", False)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    os.kill(a.worker.process, signal.SIGKILL)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=0, height=0)))
    assert (await b.backplane()).keys() == {stream.receive.leg}
    assert not any(isinstance(event, m.LegFailed) for event in b.events)
    b.events.clear()
    await joined(ends, Screen(H264, BLUE), c, "alice")
    await c.worker.send_backplane(stream.send)
    await b.until(lambda: b.told(m.FirstPicture(leg="alice", width=640, height=360)))
    await b.show("alice", "viewer")
    await (await joined(ends, Screen(), b, "viewer")).shows(BLUE)


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until a question to a worker is answered with yes."""
    for _ in range(round(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"it did not come true within {seconds} s")


async def received(node: Node, stream: Stream, count: int) -> bool:
    """Whether a node has so many packets of a stream."""
    return await packets(node, stream) >= count


async def packets(node: Node, stream: Stream) -> int:
    """How many packets of a stream a node has received."""
    found = (await node.worker.statistics()).streams
    return sum(one.packets for one in found if one.leg == stream.send.leg and not one.sending)


A, B, C = 440, 1000, 2500
"""Tones of those on nodes a, b and c."""


async def speaking(nodes: list[Node], ends: list[Far]) -> dict[str, Voice]:
    """Somebody on each node, with a tone of their own."""
    tones = zip(nodes, (A, B, C), strict=True)
    return {node.name: await joined(ends, Voice(tone), node, f"on {node.name}") for node, tone in tones}


@pytest.mark.spec("PLAT-049")
async def test_everybody_hears_everybody_else_once(nodes: list[Node], ends: list[Far]) -> None:
    """A and C in one location, of which C is the proxy; B in another: A's sound goes to B by way of C, and back."""
    a, b, c = nodes
    streams = {(one.name, two.name): await mix(one, two) for one, two in ((a, c), (c, a), (c, b), (b, c))}
    legs = {pair: stream.send.leg for pair, stream in streams.items()}
    to_b = AudioRoute(speaks=False, listens=PARTICIPANT | SAME_LOCATION)
    await a.route(
        {"mix:c": AudioRoute(group=SAME_LOCATION), legs["a", "c"]: AudioRoute(speaks=False, listens=PARTICIPANT)}
    )
    await b.route(
        {"mix:c": AudioRoute(group=OTHER_LOCATION), legs["b", "c"]: AudioRoute(speaks=False, listens=PARTICIPANT)}
    )
    await c.route(
        {
            "mix:a": AudioRoute(group=SAME_LOCATION),
            "mix:b": AudioRoute(group=OTHER_LOCATION),
            legs["c", "a"]: AudioRoute(speaks=False, listens=PARTICIPANT | OTHER_LOCATION),
            legs["c", "b"]: to_b,
        }
    )
    voices = await speaking(nodes, ends)
    for name, others, own in (("a", (B, C), A), ("b", (A, C), B), ("c", (A, B), C)):
        await voices[name].hears(*others, never=(own,))
    assert [one["view"] for one in await a.encoders()] == [f"~mix:{PARTICIPANT}"]
    assert not a.told_levels() & {"mix:c"}, "levels are those of the people here"


async def test_sound_that_nobody_has_placed_is_not_heard(nodes: list[Node], ends: list[Far]) -> None:
    """Until it is composed, a mix neither goes out nor sounds: it could be on its way back to where it is from."""
    a, b, _ = nodes
    forth, back = await mix(a, b), await mix(b, a)
    ear_of_a: Voice = await joined(ends, Voice(A), a, "on a")
    ear_of_b: Voice = await joined(ends, Voice(B), b, "on b")
    await joined(ends, Voice(C), b, "also on b")
    await ear_of_b.hears(C, never=(A, B))
    assert (await forth.at_sender())["way"] == "quiet"
    await a.route({forth.send.leg: AudioRoute(listens=PARTICIPANT)})
    await a.until_sent(forth, 30)
    await ear_of_b.hears(C, never=(A, B))
    await b.route({"mix:a": AudioRoute(group=SAME_LOCATION), back.send.leg: AudioRoute(listens=PARTICIPANT)})
    await ear_of_b.hears(A, C, never=(B,))
    await a.route({forth.send.leg: AudioRoute(listens=PARTICIPANT), "mix:b": AudioRoute(group=SAME_LOCATION)})
    await ear_of_a.hears(B, C, never=(A,))


async def test_one_mix_for_many_and_none_for_silence(nodes: list[Node], ends: list[Far]) -> None:
    """Two nodes that are to hear the same share an encoder; what is silent is not sent, and comes back."""
    a, b, c = nodes
    streams = [await mix(a, b), await mix(a, c)]
    await a.route({one.send.leg: AudioRoute(speaks=False, listens=PARTICIPANT) for one in streams})
    for node in (b, c):
        await node.route({"mix:a": AudioRoute(group=SAME_LOCATION)})
    voices = await speaking(nodes, ends)
    await voices["b"].hears(A)
    await voices["c"].hears(A)
    assert [(one["codec"], one["users"]) for one in await a.encoders()] == [("OPUS", 2)]
    voices["a"].hush(silent=True)
    before = -1
    async with asyncio.timeout(10):
        while before != (before := await packets(b, streams[0])):
            await voices["b"].heard(0.5)
    voices["a"].hush(silent=False)
    await voices["b"].hears(A, never=(B,))
    assert await packets(b, streams[0]) > before
    assert not any(isinstance(event, m.LegFailed) for event in a.events + b.events)


async def test_streams_leave_nothing_behind(nodes: list[Node], ends: list[Far]) -> None:
    """Opened and closed over and over, at work each time."""
    a, b, _ = nodes
    await joined(ends, Screen(VP8, RED), a, "alice")
    await joined(ends, Voice(A), a, "on a")

    async def rounds(count: int) -> None:
        for _ in range(count):
            streams = [await video(a, b, "alice"), await video(a, b, "alice", THUMBNAIL), await mix(a, b)]
            await a.route({streams[2].send.leg: AudioRoute(listens=PARTICIPANT)})
            for stream in streams:
                await eventually(lambda stream=stream: received(b, stream, 10))
            for stream in streams:
                await stream.close()

    async def settled(node: Node) -> dict[str, int]:
        before = held(node.worker.process)
        async with asyncio.timeout(10):
            while True:
                await asyncio.sleep(0.3)  # threads end a little after their pipelines
                if (now := held(node.worker.process))["threads"] == before["threads"]:
                    return now
                before = now

    await rounds(4)
    before = [await settled(node) for node in (a, b)]
    await rounds(12)
    after = [await settled(node) for node in (a, b)]
    for then, now in zip(before, after, strict=True):
        assert now["threads"] <= then["threads"] + 2, (before, after)
        assert now["descriptors"] <= then["descriptors"] + 2, (before, after)
        assert now["megabytes"] <= then["megabytes"] + 40, (before, after)
    stage = (await b.worker.statistics()).debug["stage"]
    assert isinstance(stage, dict)
    assert {name: stage[name] for name in ("sources", "speakers", "publishers", "channels", "legs")} == {
        "sources": 0, "speakers": 0, "publishers": 0, "channels": 0, "legs": 0
    }  # fmt: skip
    assert await b.backplane() == {}
