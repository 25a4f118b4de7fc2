"""Slides beside main video, with real Chromium: readable, in time, in whichever codec the receiver has."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from rostra.domain.media import StreamType
from rostra.domain.scene import Fit, Scene, Tile
from rostra.media import messages as m
from rostra.media.messages import Slides
from tests.e2e.browser import Peer, chromium

from .conftest import Driven
from .screens import Desk, ssim
from .test_webrtc_legs import until


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def negotiate(driven: Driven, leg: str, desk: Desk, **slides: bool) -> str:
    answer = await driven.worker.open_webrtc(leg, await desk.offer(), slides=Slides(**slides), start=True)
    await desk.peer.answer(answer)
    return answer


async def sharpness(presenter: Desk, viewer: Desk) -> float:
    source, received = await presenter.pixels("source"), await viewer.pixels("received")
    if source is None or received is None or source.shape != received.shape:
        return 0.0
    return ssim(source, received)


@pytest.mark.spec("API-092", "API-106", "API-107", "CONF-076", "API-110", "API-111", "PLAT-060", "DIAG-046")
async def test_a_shared_screen_is_readable_at_the_other_ends(
    driven: Driven, browser: Browser, record_property: pytest.RecordProperty
) -> None:
    inset = Scene(tiles=(Tile(source="ada:slides", x=0, y=0, width=1280, height=720, fit=Fit.CONTAIN),))
    wanted = m.Compose(views={"mix": inset}, watching={"bob": "mix"}, slides={"bob": "ada:slides", "eve": "ada:slides"})
    await driven.worker.compose(wanted)
    ada = await Desk.open(await Peer.open(browser, "red", 600, codec="video/VP8"))
    bob = await Desk.open(await Peer.open(browser, "blue", 900, codec="video/VP8"))
    for name, desk in (("ada", ada), ("bob", bob)):
        answer = await negotiate(driven, name, desk)
        assert answer.count("a=content:slides") == 1
        assert "a=inactive" in answer
    await ada.ask("slides.share(true)")
    assert "a=recvonly" in await negotiate(driven, "ada", ada, receives=True)
    began = time.monotonic()
    await bob.ask("slides.want(true)")
    assert "a=sendonly" in await negotiate(driven, "bob", bob)

    async def shown() -> bool:
        return await bob.ask("slides.size()[0]") == 1280

    await until(shown, 30)
    first = time.monotonic() - began
    delays = sorted([await bob.ask("slides.delay()") for _ in range(15)])
    await ada.ask("slides.freeze()")

    async def readable() -> bool:
        return await sharpness(ada, bob) > 0.97

    await until(readable, 40)
    figure = await sharpness(ada, bob)
    told = await driven.worker.statistics()
    assert not [one for one in told.debug["encoders"] if "slides" in one["view"]]  # type: ignore[attr-defined]
    streams = {(one.leg, one.sending): one for one in told.streams if one.kind is StreamType.PRESENTATION}
    for leg, sending in (("ada", False), ("bob", True)):
        assert (streams[leg, sending].width, streams[leg, sending].codec) == (1280, "VP8")
        assert streams[leg, sending].packets > 20
    assert ("bob", False) not in streams
    assert ("ada", True) not in streams
    still = await driven.worker.take_still("ada:slides", b"")
    assert still.large.startswith(b"\xff\xd8")
    assert len(still.small) < len(still.large)
    again = await driven.worker.take_still("ada:slides", still.mark)
    assert again.large == b""
    print(f"passed on: SSIM {figure:.4f}, first picture {first:.2f} s, delay {delays[7]} ms")
    record_property("ssim", figure)
    assert delays[7] < 1000

    eve = await Desk.open(await Peer.open(browser, "lime", 1200, codec="video/H264"))
    await eve.ask("""() => { const codecs = RTCRtpReceiver.getCapabilities('video').codecs;
        pc.getTransceivers()[2].setCodecPreferences(codecs.filter((c) => c.mimeType === 'video/H264')); }""")
    await eve.ask("slides.want(true)")
    await negotiate(driven, "eve", eve)

    async def other_codec() -> bool:
        return await sharpness(ada, eve) > 0.9

    await until(other_codec, 40)
    assert await eve.ask("slides.codec()") == "video/H264"
    debug = (await driven.worker.statistics()).debug
    assert len([one for one in debug["encoders"] if "slides" in one["view"]]) == 1  # type: ignore[index]
    print(f"other codec: SSIM {await sharpness(ada, eve):.4f}")
    await driven.worker.compose(m.Compose(views=wanted.views, watching=wanted.watching))

    async def ended() -> bool:
        debug = (await driven.worker.statistics()).debug
        return not [one for one in debug["encoders"] if "slides" in one["view"]]  # type: ignore[index]

    await until(ended)
