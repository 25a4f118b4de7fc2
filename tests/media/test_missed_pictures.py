"""Systems whose key frame nobody saw: they were moved here in the middle of a call."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m

from .conftest import Driven
from .endpoints import H264, VP8, CodecParameters, Far, Screen, ends

__all__ = ["ends"]

RED = 0xC02020
SIZE = (320, 180)
SOME = 25


async def skipped(driven: Driven) -> int:
    """Pictures that were kept from the decoder."""
    graph: Any = (await driven.worker.statistics()).debug["graph"]
    return next((one["detail"]["skipped"] for one in graph["nodes"] if one["kind"] == "decoder"), 0)


async def moved(driven: Driven, ends: list[Far], codec: CodecParameters, profile: str) -> Screen:
    """It has long been sending when its packets begin to come here."""
    far = Screen(codec, RED, SIZE)
    ends.append(far)
    port = await far.reserve(driven.worker, "far")
    far.play(port)
    far.shut(True)
    await asyncio.wait_for(asyncio.to_thread(far.running.wait), 10)
    await far.connect(driven.worker, "far", port, profile)
    far.shut(False)
    return far


@pytest.mark.spec("REF-119")
@pytest.mark.parametrize("codec", [H264, VP8], ids=lambda codec: codec.name)
@pytest.mark.parametrize("profile", ["RTP/AVP", "RTP/AVPF"])
async def test_it_is_seen_at_once(driven: Driven, ends: list[Far], codec: CodecParameters, profile: str) -> None:
    far = await moved(driven, ends, codec, profile)
    began = time.monotonic()
    await driven.until(lambda: driven.told(m.FirstPicture(leg="far", width=320, height=180)), 4)
    waited = time.monotonic() - began
    print(f"{codec.name} by {profile}: seen after {waited:.2f} s")
    assert far.asked
    assert waited < 1.5


@pytest.mark.spec("REF-122")
async def test_who_takes_no_feedback_is_to_be_asked_by_signalling(driven: Driven, ends: list[Far]) -> None:
    await moved(driven, ends, msgspec.structs.replace(H264, feedback=()), "RTP/AVP")
    await driven.until(lambda: driven.told(m.PictureWanted(leg="far")), 3)
    assert len([event for event in driven.events if isinstance(event, m.PictureWanted)]) == 1, "not many times at once"
    await driven.until(lambda: driven.events.count(m.PictureWanted(leg="far")) == 2, 5)


@pytest.mark.spec("REF-122")
async def test_who_takes_no_feedback_is_asked_when_somebody_looks_again(driven: Driven, ends: list[Far]) -> None:
    """What nobody looks at is not decoded, so a new picture is needed, before the old one is too old."""
    far = Screen(msgspec.structs.replace(H264, feedback=()), RED, SIZE)
    ends.append(far)
    port = await far.reserve(driven.worker, "far")
    await far.connect(driven.worker, "far", port, "RTP/AVP")
    far.play(port)
    seen, wanted = m.FirstPicture(leg="far", width=320, height=180), m.PictureWanted(leg="far")
    await driven.until(lambda: driven.told(seen) or driven.told(wanted))
    if not driven.told(seen):
        far.renew()
    await driven.until(lambda: driven.told(seen))
    async with asyncio.timeout(5):
        while await skipped(driven) < SOME:
            pass
    driven.events.clear()
    scene = Scene(tiles=(Tile(source="far", x=0, y=0, width=1280, height=720),))
    await driven.worker.compose(m.Compose(views={"view": scene}, watching={"far": "view"}))
    await driven.until(lambda: driven.told(wanted))
    assert not driven.told(m.FirstPicture(leg="far", width=0, height=0)), "it is there all the time"


async def test_a_picture_is_as_wide_as_its_scene(driven: Driven, ends: list[Far]) -> None:
    far = Screen(H264, RED, SIZE)
    ends.append(far)
    await far.join(driven.worker, "far")
    for width, wanted in ((960, (960, 720)), (1280, (1280, 720))):
        scene = Scene(width=width, background=0x208040)
        await driven.worker.compose(m.Compose(views={"view": scene}, watching={"far": "view"}))
        async with asyncio.timeout(10):
            while await far.size() != wanted:
                far.forget()
