"""Endpoints that know only an edge node's relay, and a real worker behind it: pictures and tones pass both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser

from rostra.domain.media import MediaKind
from rostra.domain.scene import Scene, Tile
from rostra.environment import Environment
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.pool import WorkerPool
from rostra.media.relay import Relays, Shape
from rostra.media.relay_sdp import Place, answer_through, for_worker, offer_through, transports
from tests.e2e.browser import Peer, chromium

from .conftest import Driven
from .endpoints import Far, Screen, Voice, describe, ends
from .test_relay import _library
from .test_webrtc_legs import LEFT, near, until

__all__ = ["_library", "ends"]

BLUE = 0x0000FF
HUM, WHISTLE = 600, 1400


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@pytest.fixture
def relays(fabric: Environment) -> Iterator[Relays]:
    with Relays(fabric) as made:
        yield made


async def join_by_webrtc(relays: Relays, worker: Worker, call: str, peer: Peer, *, restart: bool = False) -> None:
    """What an edge node does for a browser's offer."""
    offer = offer_through(await peer.offer(restart=restart))
    answer = await worker.open_webrtc("browser", offer, start=True)
    needed = transports(answer)
    outside = relays.open(call, [Shape.ICE] * len(needed))
    relays.aim(call, [transport.worker for transport in needed])
    await peer.answer(answer_through(answer, dict(zip(needed, outside, strict=True))))


async def join_by_rtp(relays: Relays, worker: Worker, leg: str, far: Far) -> None:
    """What an edge node does for an endpoint's offer; repeated, it moves the leg to another worker."""
    kind = MediaKind.VIDEO if isinstance(far, Screen) else MediaKind.AUDIO
    outside = relays.open(leg, (Shape.RTP,))
    address, ports = await worker.reserve_rtp(leg, (kind,))
    places = [Place(address, port) for port in ports]
    inside = relays.aim(leg, places)
    agreed = describe(far.codec, outside[0].port), describe(far.codec, far._port, far._control)
    sides = for_worker(*agreed, outside=outside, inside=inside, worker=places)
    relays.announce(leg, sides.announced)
    await worker.connect_rtp(leg, sides.local, sides.remote)
    await worker.start(leg)


def compose() -> m.Compose:
    """The browser and the screen see each other on the left."""

    def of(source: str) -> Scene:
        return Scene(background=0x00FF00, tiles=(Tile(source=source, x=0, y=0, width=1280, height=720),))

    views = {"browser": of("browser"), "screen": of("screen")}
    return m.Compose(views=views, watching={"browser": "screen", "screen": "browser"})


async def meets(peer: Peer, screen: Screen, voice: Voice) -> None:
    """Everybody sees and hears the other."""

    async def shows_red() -> bool:  # by its hue: a browser's YUV has another range than the stage's
        seen = await screen.middle()
        return seen is not None and seen[2] > 220 and seen[1] < 120

    await until(shows_red, 15)
    await voice.hears(HUM, never=(WHISTLE,), seconds=15)

    async def sees() -> bool:
        seen = await peer.see(LEFT)
        return bool(seen) and near(seen[0], (0, 0, 255))

    async def hears() -> bool:
        return (await peer.hear(WHISTLE))[0] > -50

    await until(sees)
    await until(hears)


@pytest.mark.spec("POL-130", "POL-139")
async def test_endpoints_meet_through_relays_alone_and_follow_to_another_worker(
    driven: Driven, pool: WorkerPool, relays: Relays, browser: Browser, ends: list[Far]
) -> None:
    peer = await Peer.open(browser, "red", HUM)
    screen, voice = Screen(colour=BLUE), Voice(WHISTLE)
    ends += [screen, voice]
    await driven.worker.compose(compose())
    await join_by_webrtc(relays, driven.worker, "browser 1", peer)
    for leg, far in (("screen", screen), ("voice", voice)):
        await join_by_rtp(relays, driven.worker, leg, far)
        far.play(relays.open(leg, (Shape.RTP,))[0].port)
    await meets(peer, screen, voice)

    async def carried() -> bool:
        states = [relays.statistics(call)[0] for call in relays.calls]
        assert not any(state.inward.strangers for state in states)
        return all(min(state.inward.packets, state.outward.packets) > 50 for state in states)

    await until(carried)
    second = await pool.acquire("conference", "Test", driven.hear, driven.lost.append)
    await second.compose(compose())
    for leg, far in (("screen", screen), ("voice", voice)):
        await join_by_rtp(relays, second, leg, far)  # the far ends are not told
    await join_by_webrtc(relays, second, "browser 2", peer, restart=True)
    for leg in ("browser", "screen", "voice"):
        await driven.worker.close_leg(leg)
    relays.close("browser 1")
    for far in (screen, voice):
        far.forget()
    await meets(peer, screen, voice)

    frames = await peer.frames()

    async def plays() -> bool:
        return await peer.frames() > frames + 20

    await until(plays)
    relays.close("browser 2")  # there is no other way

    async def stands() -> bool:
        before = await peer.frames()
        await peer.page.wait_for_timeout(500)
        return await peer.frames() == before

    await until(stands)
