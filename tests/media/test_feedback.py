"""RTCP feedback of and for far ends that are plain sockets, in the profile without feedback (RFC 4585, 5104)."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator

import pytest

from rostra.domain.camera import CLIENTS, CameraCommand, Movement, frame
from rostra.domain.media import CodecParameters, MediaKind
from rostra.media import messages as m
from rostra.media.engine import rate_requests as requests
from rostra.media.engine.rate_requests import Entry

from .conftest import Driven
from .wires import FEEDBACK, PICTURES, Socketed

ALL = ("nack pli", "ccm fir", "ccm tmmbr")
H224 = CodecParameters(name="H224", payload_type=100, clock_rate=4800)


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


@pytest.mark.spec("REF-098", "REF-119")
async def test_a_far_end_is_sent_what_it_asks_for(driven: Driven, far: list[Socketed]) -> None:
    """The rate it names, which is confirmed, and key frames by PLI and by FIR."""
    one = Socketed(vp8(*ALL))
    far.append(one)
    await one.join(driven.worker, "one")
    source = struct.unpack("!I", (await one.media())[8:12])[0]  # of the first key frame; the next by itself is far off
    report = struct.pack("!BBHI", 0x80, 201, 1, one.source)
    for form, information, media in ((1, b"", source), (4, struct.pack("!IBxxx", source, 1), 0)):
        words = 2 + len(information) // 4
        one.tell(report + struct.pack("!BBHII", 0x80 | form, PICTURES, words, one.source, media) + information)
        await after_key_frame(one)
    assert await rates(driven) == [1_700_000]
    first = await one.control()
    assert first[0][0] == 200  # a sender's report, with who that is (RFC 3550 6.1)
    assert first[0][2][:4] == struct.pack("!I", source)
    assert first[1][0] == 202
    numbers = [struct.unpack("!H", (await one.media())[2:4])[0] for _ in range(5)]
    assert [(after - before) % 65536 for before, after in itertools.pairwise(numbers)] == [1] * 4
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
    assert (await driven.worker.statistics()).debug["encoders_started"] == 3


async def after_key_frame(one: Socketed) -> None:
    """Wait for the first packet of one: RFC 7741 4.2, 4.3."""
    async with asyncio.timeout(5):
        while True:
            payload = (await one.media())[12:]
            at = 1 + (3 if payload[0] & 0x80 else 0)
            if payload[0] & 0x1F == 0x10 and not payload[at] & 1:
                return


@pytest.mark.spec("REF-119", "REF-122")
async def test_a_far_end_is_asked_for_what_is_missing(driven: Driven, far: list[Socketed]) -> None:
    """For key frames by PLI, by FIR, or by signalling where neither was agreed, whatever the profile says; and for
    less, as every fifth packet is lost."""
    ways = {"pli": ("nack pli",), "fir": ALL, "told": ()}
    legs = {leg: Socketed(vp8(*feedback)) for leg, feedback in ways.items()}
    far.extend(legs.values())
    for leg, one in legs.items():
        await one.join(driven.worker, leg, profile="RTP/AVPF" if leg == "told" else "RTP/AVP")
    lossy = [asyncio.create_task(losing(one)) for one in legs.values()]
    try:
        await legs["pli"].feedback(PICTURES, 1)
        await legs["fir"].feedback(PICTURES, 4)
        await driven.until(lambda: driven.told(m.PictureWanted(leg="told")))
        said = await legs["fir"].feedback(FEEDBACK, requests.TMMBR)
        (entry,) = requests.entries(said[8:])
        assert entry.source == legs["fir"].source
        assert requests.FLOOR <= entry.media <= 400_000
    finally:
        for one in lossy:
            one.cancel()


async def losing(one: Socketed) -> None:
    """A packet every 10 ms, of which each fifth is lost: some 320 kbit/s."""
    number = 0
    while True:
        number += 1
        if number % 5:
            one.send(number, b"\x10" + bytes([1]) * 400, number * 900, marker=True)
        await asyncio.sleep(0.01)


@pytest.mark.spec("API-120")
async def test_cameras_are_moved_both_ways(driven: Driven, far: list[Socketed]) -> None:
    """Beside a picture: a command of the far end is told, ours comes as a packet of its own."""
    picture, one = Socketed(vp8()), Socketed(H224)
    far += [picture, one]
    kinds = (MediaKind.VIDEO, MediaKind.APPLICATION)
    picture.port, one.port = (await driven.worker.reserve_rtp("one", kinds))[1]
    sides = [
        m.MediaDescription(
            address="127.0.0.1",
            streams=tuple(
                end.side(kind, "RTP/AVP", end.port if ours else 0).streams[0]
                for kind, end in zip(kinds, (picture, one), strict=True)
            ),
        )
        for ours in (True, False)
    ]
    await driven.worker.connect_rtp("one", *sides)
    await driven.worker.start("one")
    left = CameraCommand(action="start", movement=(Movement(axis="pan", direction="left"),), timeout=800.0)
    async with asyncio.timeout(10):
        number = 0
        while not driven.told(m.CameraAsked(leg="one", command=left)):
            one.send(number := number + 1, frame(left), number * 480)
            await asyncio.sleep(0.05)
    await driven.worker.move_camera("one", left)
    packet = await one.media()
    assert packet[1] & 0x7F == 100
    assert packet[12:] == frame(left)
    one.send(number + 1, bytes.fromhex("0071030000000000c001ff"), number * 480)
    assert (await one.media())[12:] == CLIENTS
    counted = (await driven.worker.statistics()).streams
    assert not [stream for stream in counted if stream.kind == "audio"]  # nor is it counted as sound
