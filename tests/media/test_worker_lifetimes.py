"""What a worker holds after many legs came and went, and how it ends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from rostra.domain.media import MediaKind
from rostra.media import messages as m

from .conftest import Driven
from .test_rtp_legs import PCMU, VP8, Pair

OFFER = (Path(__file__).parent / "offers" / "chromium-audio-video-inactive.sdp").read_text()


def held(process: int) -> dict[str, int]:
    directory = Path(f"/proc/{process}")
    pages = int((directory / "statm").read_text().split()[1])
    return {
        "threads": len(list((directory / "task").iterdir())),
        "descriptors": len(list((directory / "fd").iterdir())),
        "megabytes": pages * os.sysconf("SC_PAGE_SIZE") >> 20,
    }


async def test_a_hundred_legs_leave_nothing_behind(driven: Driven) -> None:
    worker = driven.worker

    async def round_of_legs(count: int) -> None:
        for number in range(count):
            await worker.open_webrtc(f"web {number}", OFFER)
            await worker.reserve_rtp(f"sip {number}", (MediaKind.AUDIO, MediaKind.VIDEO))
            await worker.close_leg(f"web {number}")
            await worker.close_leg(f"sip {number}")

    async def settled() -> dict[str, int]:
        """Threads end a little after their pipelines: wait until the count stands still."""
        before = held(worker.process)
        for _ in range(40):
            await asyncio.sleep(0.1)
            now = held(worker.process)
            if now["threads"] == before["threads"]:
                return now
            before = now
        return before

    await round_of_legs(30)
    before = await settled()
    await round_of_legs(100)
    after = await settled()
    assert after["threads"] <= before["threads"] + 8, (before, after)  # pools of threads that are kept for a while
    assert after["descriptors"] <= before["descriptors"] + 2, (before, after)
    # the allocator keeps up to one more plateau of picture buffers (40 MB); a leaked encoder would be 10 MB a leg
    assert after["megabytes"] <= before["megabytes"] + 60, (before, after)
    debug = (await worker.statistics()).debug
    assert debug["legs"] == []
    assert debug["encoders"] == []


async def test_statistics_tell_each_stream(driven: Driven) -> None:
    await Pair(driven).connect((PCMU,), (VP8,))
    for leg in ("one", "two"):
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, width=1280, height=720)))
    reply = await driven.worker.statistics()
    found = {(s.leg, s.kind, s.sending): s for s in reply.streams}
    assert len(found) == 8
    picture = found["one", MediaKind.VIDEO, False]
    assert (picture.codec, picture.width, picture.height) == ("VP8", 1280, 720)
    assert picture.packets > 0
    assert reply.processor_seconds > 0
