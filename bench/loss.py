"""What loss does to a call: pictures, freezes and gaps in speech at 0, 5 and 20 % random loss, 50 ms there and back.

One far end shows, another looks, in a conference of the two; one of them is behind a bad network (`tests.media
.impaired`), so either what the node receives or what it sends goes through it, and the feedback about it as well. After
20 % the loss ends, and the seconds until everything is as before are counted.

Effective frames are new ones; frozen is the share of the time in pauses as webrtc-stats counts them; broken the share
of the frames that look wrong; gaps the share of the time without the sender's steady sound.
Run: `python -m bench.loss [seconds] [what ...]`, of which `what` is among sip-in, sip-out, browser-in, browser-out;
SIP systems speak Opus, or what is named behind a colon: `sip-in:PCMA`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec
from playwright.async_api import Page
from tests.e2e.browser import chromium
from tests.media.impaired import Impairment, Relay

from bench import lossy_browser
from bench.lossy import RATE, Figures, Phone
from bench.lossy_browser import STATS
from bench.media import processor_seconds, worker_pool
from bench.peers import FRAME_RATE, H264, KINDS, OPUS
from rostra.domain.media import CodecParameters
from rostra.domain.scene import Scene, Tile
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage

LOSSES = (0.0, 0.05, 0.20)
ROUND_TRIP = 0.05
WARMING = 3.0
RECOVERY = 12
"""Seconds after the end of the loss that are watched."""


def with_feedback(codec: CodecParameters, *feedback: str) -> CodecParameters:
    """The codec, with this agreed of it."""
    return msgspec.structs.replace(codec, feedback=feedback)


def spoken(codec: str) -> CodecParameters:
    """A codec of sound by its name, with its static payload type (RFC 3551)."""
    row = codecs.BY_NAME[codec]
    return CodecParameters(name=codec, payload_type=row.payload_type, clock_rate=row.clock_rate)


Looked = Callable[[float, float], Awaitable[Figures]]
"""What came between two times."""
VIDEO = with_feedback(H264, "nack", "nack pli", "ccm fir")


def composed() -> m.Compose:
    """The one who looks sees the other in full, and itself in a corner: a picture that has to be composed."""
    tiles = (
        Tile(source="shows", x=0, y=0, width=1280, height=720),
        Tile(source="looks", x=1200, y=660, width=80, height=60),
    )
    return m.Compose(views={"view": Scene(tiles=tiles)}, watching={"looks": "view", "shows": "view"})


async def join(worker: Worker, leg: str, phone: Phone, relay: Relay | None) -> None:
    """Be the far end of a leg, behind a relay or on the spot."""
    _, bases = await worker.reserve_rtp(leg, KINDS)
    node = [[base, base + 1] for base in bases]
    near, far = [list(pair) for pair in node], [[phone.address(n, c)[1] for c in (0, 1)] for n in (0, 1)]
    if relay is not None:
        for stream in (0, 1):
            for component in (0, 1):
                pipe = relay.pipe(("127.0.0.1", node[stream][component]), phone.address(stream, component))
                near[stream][component], far[stream][component] = pipe.far_port, pipe.node_port
    await worker.connect_rtp(leg, phone.description(node), phone.description(far))
    await worker.start(leg)
    phone.play(near)


@contextlib.asynccontextmanager
async def call(worker: Worker, *, inwards: bool, sound: CodecParameters) -> AsyncGenerator[tuple[Relay, Looked]]:
    """The relay of a running call of two SIP systems, and the one that looks."""
    shows, looks = (Phone(sound, VIDEO, shows=first, tone=130 if first else 210) for first in (True, False))
    with Relay() as relay:
        try:
            await worker.compose(composed())
            await join(worker, "looks", looks, None if inwards else relay)
            await join(worker, "shows", shows, relay if inwards else None)
            yield relay, looks.looked
        finally:
            shows.close()
            looks.close()


def show(what: str, loss: float, figures: Figures, cores: float, encoders: str) -> None:
    print(
        f"{what:12} {100 * loss:4.0f} %  {figures.frames:6.1f}/s  {100 * figures.frozen:6.2f} %  "
        f"{100 * figures.broken:6.2f} %  {100 * figures.gaps:6.2f} %  {100 * figures.concealed:6.2f} %  {cores:6.2f}  "
        f"{encoders}",
        flush=True,
    )


async def rates(worker: Worker) -> str:
    """Of the encoders of pictures."""
    state = (await worker.statistics()).debug["encoders"]
    return " ".join(f"{one['rung'][1]}p {one['rung'][3] // 1000}k" for one in state if one["rung"]) if isinstance(
        state, list) else ""  # fmt: skip


@contextlib.asynccontextmanager
async def browsing(worker: Worker, *, inwards: bool, sound: CodecParameters) -> AsyncGenerator[tuple[Relay, Looked]]:
    """The same with a browser behind the relay, and a SIP system."""
    phone = Phone(sound, VIDEO, shows=not inwards, tone=210)
    with Relay() as relay:
        try:
            async with chromium() as browser:
                await worker.compose(composed())
                await join(worker, "looks" if inwards else "shows", phone, None)
                name = "shows" if inwards else "looks"
                page = await lossy_browser.join(worker, name, browser, relay, shows=inwards)
                counted = Counted(page)
                yield relay, phone.looked if inwards else counted.looked
                counted.tell()
        finally:
            phone.close()


class Counted:
    """What a page has counted, from one look to the next."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._last: dict[str, dict[str, float]] = {}

    async def looked(self, begin: float, end: float) -> Figures:
        """Since the last look, which was when `begin` was."""
        before, now = self._last, await self._page.evaluate(STATS)
        self._last = now

        def gain(kind: str, name: str) -> float:
            return now.get(kind, {}).get(name, 0) - before.get(kind, {}).get(name, 0)

        length = max(end - begin, 1e-6)
        return Figures(
            frames=gain("in video", "framesDecoded") / length,
            frozen=gain("in video", "totalFreezesDuration") / length,
            broken=0.0,
            gaps=gain("in audio", "silentConcealedSamples") / (RATE * length),
            concealed=gain("in audio", "concealedSamples") / max(1.0, gain("in audio", "totalSamplesReceived")),
        )

    def tell(self) -> None:
        """What it did against loss."""
        names = ("nackCount", "pliCount", "retransmittedPacketsReceived", "fecPacketsReceived", "packetsLost")
        for kind, counts in self._last.items():
            print(f"{kind}: " + ", ".join(f"{name} {counts[name]:g}" for name in names if name in counts), flush=True)


async def measure(what: str, seconds: float) -> None:
    (kind, _, way), codec = what.partition(":")[0].partition("-"), what.partition(":")[2]
    sound = spoken(codec) if codec else OPUS
    begin_call = browsing if kind == "browser" else call
    async with worker_pool() as pool:
        worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
        async with begin_call(worker, inwards=way == "in", sound=sound) as (relay, looked):
            for loss in LOSSES:
                relay.impair(Impairment(loss=loss, delay=ROUND_TRIP / 2))
                await asyncio.sleep(WARMING)
                began, used = time.monotonic(), processor_seconds(worker.process)
                await looked(began, began)
                await asyncio.sleep(seconds)
                took, used = time.monotonic() - began, processor_seconds(worker.process) - used
                show(what, loss, await looked(began, began + took), used / took, await rates(worker))
            relay.impair(Impairment(delay=ROUND_TRIP / 2))
            frames: list[float] = []
            for _ in range(RECOVERY):
                began = time.monotonic()
                await looked(began, began)
                await asyncio.sleep(1)
                frames.append(round((await looked(began, time.monotonic())).frames))
            short = [n for n, count in enumerate(frames) if count < FRAME_RATE - 3]
            print(f"{what:12} back after {short[-1] + 1 if short else 0} s, then {await rates(worker)}: {frames}")
        await pool.release(worker)


async def main(seconds: float, wanted: list[str]) -> None:
    stage.load()  # initialises GStreamer
    print("way          loss    frames    frozen     broken      gaps  concealed  cores  encoders")
    for what in wanted:
        await measure(what, seconds)


if __name__ == "__main__":
    length, *chosen = [*sys.argv[1:], "10"][: max(1, len(sys.argv) - 1)]
    asyncio.run(asyncio.wait_for(main(float(length), chosen or ["sip-in", "sip-out"]), 170))
