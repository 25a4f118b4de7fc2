"""How what a call is sent follows its path: 2 Mbit/s, then 400 kbit/s, then 1.2 Mbit/s, then no limit, 20 ms away.

One far end shows a moving picture on the spot; the other, a browser or a SIP system, looks from behind a bottleneck
with a queue of 300 ms (`tests.media.impaired`). Each second is a line: what the engine estimates and obeys, the picture
that is sent, and what arrives. A second spectator, without a bottleneck, sees the same view: what is sent to it must
stay as it is. Writes a drawing to `bench/results`.
Run: `python -m bench.rates [browser|sip] [VP8|H264]`.

`python -m bench.rates asked` looks the other way: what a browser sends while it is shown large, small, and large again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from tests.e2e.browser import chromium
from tests.media.impaired import Impairment, Relay

from bench import lossy_browser
from bench.loss import VIDEO, Counted, Looked, join, with_feedback
from bench.lossy import Phone
from bench.media import worker_pool
from bench.peers import OPUS
from rostra.domain.media import CodecParameters
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage

PHASES = ((8, 2_000_000), (16, 400_000), (18, 1_200_000), (14, 0))
"""Seconds and bit/s; 0: no bottleneck."""
DELAY = 0.02
VP8 = with_feedback(CodecParameters(name="VP8", payload_type=98, clock_rate=90000), "nack", "nack pli", "ccm fir")
CODECS = {"H264": VIDEO, "VP8": VP8}
RESULTS = Path(__file__).parent / "results"


@dataclasses.dataclass(frozen=True, slots=True)
class Second:
    """What was, a second long."""

    at: float
    capacity: int
    estimate: float
    """bit/s; 0: not limited."""
    height: int
    rate: int
    """bit/s of the encoder."""
    frames: float
    frozen: float
    beside: int
    """Height of what the other spectator is sent."""


def composed() -> m.Compose:
    """Both spectators see the one who shows, in a picture that has to be composed."""
    corner = Tile(source="looks", x=1200, y=660, width=80, height=60)
    tiles = (Tile(source="shows", x=0, y=0, width=1280, height=720), corner)
    return m.Compose(views={"view": Scene(tiles=tiles)}, watching=dict.fromkeys(("looks", "beside"), "view"))


@contextlib.asynccontextmanager
async def call(worker: Worker, kind: str, codec: CodecParameters) -> AsyncGenerator[tuple[Relay, Looked]]:
    """A running call of three."""
    phones = {name: Phone(OPUS, codec, shows=name == "shows", tone=440) for name in ("shows", "beside", "looks")}
    with Relay() as relay:
        try:
            async with contextlib.AsyncExitStack() as stack:
                await worker.compose(composed())
                for name in ("shows", "beside"):
                    await join(worker, name, phones[name], None)
                if kind == "browser":
                    browser = await stack.enter_async_context(chromium())
                    page = await lossy_browser.join(worker, "looks", browser, relay, shows=False)
                    yield relay, Counted(page).looked
                else:
                    await join(worker, "looks", phones["looks"], relay)
                    yield relay, phones["looks"].looked
        finally:
            for phone in phones.values():
                phone.close()


async def watch(worker: Worker, relay: Relay, looked: Looked) -> list[Second]:
    """Line by line."""
    began, found = time.monotonic(), list[Second]()
    print("   at  capacity  estimate  sent            frames  frozen  queue  lost  beside")
    for seconds, capacity in PHASES:
        relay.impair(Impairment(delay=DELAY, rate=capacity), Impairment(delay=DELAY))
        for _ in range(seconds):
            since = time.monotonic()
            await looked(since, since)
            await asyncio.sleep(1)
            now = time.monotonic()
            got = await looked(since, now)
            reply = await worker.statistics()
            rates: dict[str, dict[str, float | None]] = reply.debug["rates"]  # pyright: ignore[reportAssignmentType]
            sent = {one.leg: one for one in reply.streams if one.sending and one.kind == "video"}
            mine, other = (sent.get(name) for name in ("looks", "beside"))
            path = rates.get("looks", {})
            one = Second(
                now - began, capacity, path.get("estimate") or 0, mine.height if mine else 0,
                int(mine.bitrate) if mine else 0, got.frames, got.frozen, other.height if other else 0,
            )  # fmt: skip
            found.append(one)
            queue, lost = 1000 * (path.get("queue") or 0), 100 * (path.get("lost") or 0)
            print(
                f"{one.at:5.1f}  {capacity / 1000:7.0f}k  {one.estimate / 1000:7.0f}k  {one.height:4}p "
                f"{one.rate / 1000:7.0f}k  {one.frames:6.1f}  {100 * one.frozen:5.1f}%  {queue:4.0f}ms  {lost:4.1f}%  "
                f"{one.beside}p",
                flush=True,
            )
    return found


def draw(found: Sequence[Second], title: str) -> str:
    """An SVG: capacity, estimate and what was sent over time; below, height of the picture and frames a second."""
    width, height, most = 760, 220, 2_400_000.0
    last = found[-1].at

    def path(values: Sequence[float], top: float, base: int) -> str:
        points = (
            f"{40 + (width - 50) * one.at / last:.0f},{base - (height - 20) * min(value, top) / top:.0f}"
            for one, value in zip(found, values, strict=True)
        )
        return " ".join(points)

    lines = (
        ("capacity of the path", "#999", path([one.capacity or most for one in found], most, height)),
        ("estimate", "#c50", path([one.estimate or most for one in found], most, height)),
        ("sent", "#06c", path([one.rate for one in found], most, height)),
        ("height of the picture (to 720)", "#080", path([one.height for one in found], 720, 2 * height + 30)),
        ("frames a second (to 30)", "#808", path([one.frames for one in found], 30, 2 * height + 30)),
    )
    drawn = [
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{60 + 330 * (index // 3)}" y="{2 * height + 50 + 16 * (index % 3)}" fill="{colour}">{name}</text>'
        for index, (name, colour, points) in enumerate(lines)
    ]
    marks = [
        f'<text x="2" y="{height - (height - 20) * value / most + 4:.0f}">{value / 1e6:g}M</text>'
        for value in (0.4e6, 1.2e6, 2e6)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {2 * height + 110}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="60" y="16">{title}</text>'
        f'{"".join(marks)}{"".join(drawn)}</svg>\n'
    )  # fmt: skip


def judge(found: Sequence[Second]) -> None:
    """What the run comes to."""
    ends, end = dict[int, float](), 0.0
    for seconds, capacity in PHASES:
        begin, end = end, end + seconds
        inside = [one for one in found if begin < one.at - 0.2 <= end + 0.5 and one.capacity == capacity]
        most = max((one.rate for one in inside[len(inside) // 2 :]), default=0)
        ends[capacity] = most
        frozen = sum(one.frozen for one in inside) / max(1, len(inside))
        print(f"{capacity / 1000:6.0f}k: sent at last {most / 1000:.0f}k, frozen {100 * frozen:.1f} % of the time")
    print(f"the other spectator was sent {sorted({one.beside for one in found})} lines all the time")


async def asked() -> None:
    """Line by line, what a browser sends by how it is shown."""
    print("   at  shown     asked for  sends   height")
    async with worker_pool() as pool, chromium() as browser:
        worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
        with Relay() as relay:
            page = await lossy_browser.join(worker, "looks", browser, relay, shows=True)
            began, before = time.monotonic(), 0.0
            for width, height, seconds in ((1280, 720, 8), (160, 90, 14), (1280, 720, 8)):
                tile = Tile(source="looks", x=0, y=0, width=width, height=height)
                await worker.compose(m.Compose(views={"view": Scene(tiles=(tile,))}, watching={"looks": "view"}))
                for _ in range(seconds):
                    await asyncio.sleep(1)
                    out = (await page.evaluate(lossy_browser.STATS)).get("out video", {})
                    rates: dict[str, dict[str, float | None]] = (await worker.statistics()).debug["rates"]
                    need, octets = rates["looks"]["need"], out.get("bytesSent", 0)
                    print(
                        f"{time.monotonic() - began:5.1f}  {width:4}x{height:<4} {(need or 0) / 1000:7.0f}k  "
                        f"{8 * (octets - before) / 1000:6.0f}k  {out.get('frameHeight', 0):4}",
                        flush=True,
                    )
                    before = octets
        await pool.release(worker)


async def main(kind: str, codec: str) -> None:
    stage.load()  # initialises GStreamer
    if kind == "asked":
        await asked()
        return
    async with worker_pool() as pool:
        worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
        async with call(worker, kind, CODECS[codec]) as (relay, looked):
            found = await watch(worker, relay, looked)
        await pool.release(worker)
    judge(found)
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"rates-{kind}.svg"
    place.write_text(draw(found, f"bench.rates {kind} {codec}"))
    print(f"drawn in {place.relative_to(Path.cwd())}")


if __name__ == "__main__":
    who, what = (*sys.argv[1:], *("browser", "H264")[len(sys.argv) - 1 :])
    asyncio.run(asyncio.wait_for(main(who, what), 120))
