"""WebRTC legs with real Chromium: who sees and hears whom, and what survives renegotiation and a worker's death."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
from playwright.async_api import Browser

from rostra.calls.switchboard import ServiceDescription, Session
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.engine.webrtc_answer import START_BITRATE
from rostra.media.pool import WorkerPool
from rostra.sdp.session import parse
from rostra.sip.bundled import BundledMedia
from tests.e2e.browser import Colour, Peer, chromium

from .conftest import Driven

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}
TONES = {"red": 600, "blue": 1400}
LEFT, RIGHT = (320, 360), (960, 360)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def near(seen: Colour, wanted: Colour) -> bool:
    return all(abs(a - b) < 60 for a, b in zip(seen, wanted, strict=True))


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 12) -> float:
    """Poll; returns the seconds it took."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def sees(peer: Peer, left: Colour) -> bool:
    seen = await peer.see(LEFT)
    return bool(seen) and near(seen[0], left)


async def connect(worker: Worker, leg: str, peer: Peer, *, restart: bool = False) -> None:
    await peer.answer(await worker.open_webrtc(leg, await peer.offer(restart=restart), start=True))


def compose() -> m.Compose:
    """Everybody sees the other one on the left half, and nothing of itself."""

    def other(source: str) -> Scene:
        return Scene(background=0x00FF00, tiles=(Tile(source=source, x=0, y=0, width=640, height=720),))

    views = {"of red": other("blue"), "of blue": other("red")}
    return m.Compose(views=views, watching={"red": "of red", "blue": "of blue"})


@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_each_sees_and_hears_the_other_and_never_itself(driven: Driven, browser: Browser, codec: str) -> None:
    await driven.worker.compose(compose())
    peers = {name: await Peer.open(browser, name, TONES[name], codec=codec) for name in COLOURS}
    for name, peer in peers.items():
        await connect(driven.worker, name, peer)
    for name, other in (("red", "blue"), ("blue", "red")):
        await until(lambda name=name, other=other: sees(peers[name], COLOURS[other]))
        assert near((await peers[name].see(RIGHT))[0], (0, 255, 0))

        async def hears(name: str = name, other: str = other) -> bool:
            there, own = await peers[name].hear(TONES[other], TONES[name])
            return there > -50 and own < there - 30

        await until(hears)
        assert await peers[name].codec() == codec


async def test_a_browser_is_told_that_it_may_send_more(driven: Driven, browser: Browser) -> None:
    """Chromium's estimate rises above what it began with only by the engine's transport-wide feedback."""
    alone = Scene(tiles=(Tile(source="red", x=0, y=0, width=1280, height=720),))
    await driven.worker.compose(m.Compose(views={"all": alone}, watching={"red": "all"}))
    peer = await Peer.open(browser, "red", 600)
    await connect(driven.worker, "red", peer)

    async def rises() -> bool:
        estimate = await peer.page.evaluate(
            """async () => [...(await pc.getStats()).values()]
              .find((one) => one.type === 'candidate-pair' && one.nominated)?.availableOutgoingBitrate ?? 0"""
        )
        return estimate > START_BITRATE

    await until(rises, 45)  # 3 s where the browser gets a processor
    asked_again = await peer.page.evaluate(
        """async () => [...(await pc.getStats()).values()]
          .filter((one) => one.type === 'outbound-rtp').reduce((sum, one) => sum + (one.nackCount ?? 0), 0)"""
    )
    assert asked_again == 0, "nothing is lost, but packets are asked for again"


async def test_a_browser_without_feedback_for_each_packet_says_how_much_it_takes(
    driven: Driven, browser: Browser
) -> None:
    """By REMB, which it sends of what it gets, where that is all that was agreed."""
    await driven.worker.compose(compose())
    for name in COLOURS:
        peer = await Peer.open(browser, name, 600)
        lines = (await peer.offer()).split("\r\n")
        offer = "\r\n".join(line for line in lines if "transport-cc" not in line and "transport-wide-cc" not in line)
        await peer.answer(await driven.worker.open_webrtc(name, offer, start=True))

    async def told() -> bool:
        rates: Any = (await driven.worker.statistics()).debug["rates"]
        return all(rates[name].get("bound") for name in COLOURS)

    await until(told)


async def test_media_under_another_certificate_than_was_named_ends_the_call(driven: Driven, browser: Browser) -> None:
    """Whoever sits between the media sees nothing (RFC 8827 6.5)."""
    peer = await Peer.open(browser, "red", 600)
    offer = await peer.offer()
    named = offer.partition("a=fingerprint:sha-256 ")[2].split()[0]
    strange = ":".join(reversed(named.split(":")))
    await peer.answer(await driven.worker.open_webrtc("red", offer.replace(named, strange), start=True))
    reason = "the far end's certificate is not the one it named"
    await driven.until(lambda: driven.told(m.LegFailed(leg="red", reason=reason)))
    assert not any(isinstance(event, m.FirstPicture) for event in driven.events)


async def test_a_picture_within_a_second_of_joining(driven: Driven, browser: Browser) -> None:
    await driven.worker.compose(compose())
    first = await Peer.open(browser, "red", 600)
    await connect(driven.worker, "red", first)
    await until(lambda: sees(first, (14, 17, 22)))  # nobody else is there: the tile waits in its own colour
    second = await Peer.open(browser, "blue", 1400)
    offer = await second.offer()
    began = time.monotonic()
    await second.answer(await driven.worker.open_webrtc("blue", offer, start=True))
    await until(lambda: sees(second, COLOURS["red"]))
    assert time.monotonic() - began < 2  # a second, and slack for two browsers on two cores


async def test_directions_change_on_the_same_connection(driven: Driven, browser: Browser) -> None:
    await driven.worker.compose(compose())
    red = await Peer.open(browser, "red", 600, sendVideo=False)
    blue = await Peer.open(browser, "blue", 1400)
    await connect(driven.worker, "red", red)
    await connect(driven.worker, "blue", blue)
    await until(lambda: sees(red, COLOURS["blue"]))
    await red.direct("sendrecv", send=True)
    await connect(driven.worker, "red", red)
    await until(lambda: sees(blue, COLOURS["red"]))
    assert await sees(red, COLOURS["blue"])
    await red.direct("recvonly")
    driven.events.clear()
    await connect(driven.worker, "red", red)
    await driven.until(lambda: driven.told(m.FirstPicture(leg="red", width=0, height=0)))
    assert await sees(red, COLOURS["blue"])
    assert sum(isinstance(event, m.LegConnected) for event in driven.events) == 0


@pytest.mark.spec("API-074")
async def test_ice_restart_builds_anew_and_media_comes_back(driven: Driven, browser: Browser) -> None:
    await driven.worker.compose(compose())
    peers = {name: await Peer.open(browser, name, TONES[name]) for name in COLOURS}
    for name, peer in peers.items():
        await connect(driven.worker, name, peer)
    await until(lambda: sees(peers["red"], COLOURS["blue"]))
    frames = await peers["red"].frames()
    await connect(driven.worker, "red", peers["red"], restart=True)

    async def moves() -> bool:
        return await peers["red"].frames() > frames + 30

    await until(moves)
    await until(lambda: sees(peers["blue"], COLOURS["red"]))


@dataclasses.dataclass
class BundledCall:
    """Of a SIP system with the media of a browser, as far as its media asks."""

    worker: Worker
    service: ServiceDescription = ServiceDescription(id=1, name="Demo", service_type="conference")

    async def open_webrtc(
        self, call: str, offer: str, *, media_type: str = "video", present: str = "", answered: bool = False
    ) -> str:
        del present
        return await self.worker.open_webrtc(call, offer, media_type=media_type, start=True, answered=answered)


async def test_a_killed_worker_is_replaced_and_far_ends_come_back(
    driven: Driven, pool: WorkerPool, browser: Browser
) -> None:
    """A browser by its own offer, a SIP system by ours."""
    await driven.worker.compose(compose())
    peers = {name: await Peer.open(browser, name, TONES[name]) for name in COLOURS}
    call = BundledCall(driven.worker)
    media = BundledMedia(cast("Session", call), "blue")
    await connect(driven.worker, "red", peers["red"])
    await peers["blue"].answer(await media.answer(parse(await peers["blue"].offer())))
    await until(lambda: sees(peers["red"], COLOURS["blue"]))

    began = time.monotonic()
    os.kill(driven.worker.process, signal.SIGKILL)
    for _ in range(100):
        if driven.lost:
            break
        await asyncio.sleep(0.01)
    assert driven.lost
    assert time.monotonic() - began < 0.2
    with pytest.raises(WorkerLost):
        await driven.worker.statistics()

    frames = {name: await peer.frames() for name, peer in peers.items()}
    second = await pool.acquire("conference", "Test", driven.hear, driven.lost.append)
    await second.compose(compose())
    await connect(second, "red", peers["red"], restart=True)
    call.worker = second
    await media.answered(parse(await peers["blue"].accept(await media.offer(paused=False, anew=True))))
    for name, other in (("red", "blue"), ("blue", "red")):

        async def back(name: str = name, other: str = other) -> bool:
            return await peers[name].frames() > frames[name] + 10 and await sees(peers[name], COLOURS[other])

        await until(back)
    assert time.monotonic() - began < 5


async def test_nothing_is_sent_before_the_ack(driven: Driven, browser: Browser) -> None:
    peer = await Peer.open(browser, "red", 600)
    await peer.answer(await driven.worker.open_webrtc("red", await peer.offer()))
    await driven.until(lambda: driven.told(m.LegConnected(leg="red")))
    assert await peer.frames() == 0
    await driven.worker.start("red")

    async def plays() -> bool:
        return await peer.frames() > 5

    await until(plays)


async def test_bad_offers_are_refused(driven: Driven) -> None:
    for offer, kind in (
        ("", m.Failure.Kind.BAD_DESCRIPTION),
        ("v=0\r\nm=audio\r\n", m.Failure.Kind.BAD_DESCRIPTION),
        ("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 99\r\na=rtpmap:99 AV1/90000\r\n",
         m.Failure.Kind.NO_COMMON_CODEC),
    ):  # fmt: skip
        with pytest.raises(MediaFailure) as refused:
            await driven.worker.open_webrtc("leg", offer)
        assert refused.value.kind is kind
    assert (await driven.worker.statistics()).debug["legs"] == []
