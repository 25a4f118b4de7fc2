"""RTCP feedback of and for far ends that are plain sockets, in the profile without feedback (RFC 4585, 5104)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest

from rostra.domain.media import CodecParameters
from rostra.media import messages as m
from rostra.media.engine import rate_requests as requests
from rostra.media.engine.rate_requests import Entry

from .conftest import Driven
from .wires import FEEDBACK, PICTURES, Socketed

ALL = ("nack pli", "ccm fir", "ccm tmmbr")


def vp8(*feedback: str) -> CodecParameters:
    return CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=feedback)


@pytest.fixture
async def far() -> AsyncIterator[list[Socketed]]:
    made: list[Socketed] = []
    yield made
    for one in made:
        one.close()


async def rates(driven: Driven) -> list[int]:
    """bit/s of the encoders at work."""
    state = (await driven.worker.statistics()).debug["encoders"]
    assert isinstance(state, list)
    return [one["rung"][3] for one in state if one["rung"]]


async def test_a_rate_that_the_far_end_asks_for_is_sent_and_confirmed(driven: Driven, far: list[Socketed]) -> None:
    one = Socketed(vp8(*ALL))
    far.append(one)
    await one.join(driven.worker, "one")
    source = struct.unpack("!I", (await one.media())[8:12])[0]
    assert await rates(driven) == [1_700_000]
    await one.control()  # its first report
    asked = Entry(source, 400_000, 40)
    one.tell(requests.packet(requests.TMMBR, one.source, "far", [asked]))
    said = await one.feedback(FEEDBACK, requests.TMMBN)
    assert requests.entries(said[8:]) == [Entry(one.source, 400_000, 40)]
    async with asyncio.timeout(5):
        while (now := await rates(driven)) == [1_700_000]:
            await one.media()
    assert now == [requests.obeyed(asked.media)]
    one.tell(requests.packet(requests.TMMBR, one.source, "far", [Entry(source, 0, 0)]))
    async with asyncio.timeout(5):
        while (now := await rates(driven)) != [requests.FLOOR]:
            await one.media()


async def test_a_far_end_whose_packets_get_lost_is_asked_for_less(driven: Driven, far: list[Socketed]) -> None:
    """And for key frames by FIR, as none of what it sends can be shown."""
    one = Socketed(vp8(*ALL))
    far.append(one)
    await one.join(driven.worker, "one")
    lossy = asyncio.create_task(losing(one))
    try:
        said = await one.feedback(FEEDBACK, requests.TMMBR)
        (entry,) = requests.entries(said[8:])
        assert entry.source == one.source
        assert requests.FLOOR <= entry.media <= 400_000
        await one.feedback(PICTURES, 4)
    finally:
        lossy.cancel()


async def losing(one: Socketed) -> None:
    """A packet every 10 ms, of which each fifth is lost: some 320 kbit/s."""
    number = 0
    while True:
        number += 1
        if number % 5:
            one.send(number, b"\x10" + bytes([1]) * 400, number * 900, marker=True)
        await asyncio.sleep(0.01)


@pytest.mark.spec("REF-119", "REF-122")
@pytest.mark.parametrize(("feedback", "form"), [(("nack pli",), 1), (("ccm fir",), 4), ((), 0)], ids=str)
async def test_key_frames_are_asked_for_as_was_agreed(
    driven: Driven, far: list[Socketed], feedback: tuple[str, ...], form: int
) -> None:
    """By PLI, by FIR, or by signalling where neither was agreed, whatever the profile says."""
    one = Socketed(vp8(*feedback))
    far.append(one)
    await one.join(driven.worker, "one", profile="RTP/AVP" if feedback else "RTP/AVPF")
    lossy = asyncio.create_task(losing(one))
    try:
        if form:
            await one.feedback(PICTURES, form)
        else:
            await driven.until(lambda: driven.told(m.PictureWanted(leg="one")))
    finally:
        lossy.cancel()


@pytest.mark.spec("REF-119")
@pytest.mark.parametrize("form", [1, 4], ids=["pli", "fir"])
async def test_key_frames_are_sent_as_they_are_asked_for(driven: Driven, far: list[Socketed], form: int) -> None:
    one = Socketed(vp8(*ALL))
    far.append(one)
    await one.join(driven.worker, "one")
    source = struct.unpack("!I", (await one.media())[8:12])[0]  # of the first key frame; the next by itself is far off
    information = struct.pack("!IBxxx", source, 1) if form == 4 else b""
    media = 0 if form == 4 else source
    words = 2 + len(information) // 4
    report = struct.pack("!BBHI", 0x80, 201, 1, one.source)
    one.tell(report + struct.pack("!BBHII", 0x80 | form, PICTURES, words, one.source, media) + information)
    await after_key_frame(one)


async def after_key_frame(one: Socketed) -> None:
    """Wait for the first packet of one: RFC 7741 4.2, 4.3."""
    async with asyncio.timeout(5):
        while True:
            payload = (await one.media())[12:]
            at = 1 + (3 if payload[0] & 0x80 else 0)
            if payload[0] & 0x1F == 0x10 and not payload[at] & 1:
                return
