"""A conference that people come to and leave for a long time: does anything grow?

One media worker carries a conference with churn: RTP far ends (`peers.py`) with small pictures come and go, some with
slides, and browsers' with ICE and DTLS-SRTP, some of which are closed before they are connected; the layout changes;
everybody is shown an encoder of their own or shares one. Another worker is killed now and then and its conference set
up again on the next. Every ten seconds memory, threads and descriptors of the first worker, and of this process, which
keeps the workers as a node does, are looked at, and how long sound takes from one far end to another; every half a
minute when all who come and go have gone. The verdict compares the two halves of the run without its first fifth
(`growth.py`).

Writes `bench/results/soak.json` and `soak.svg`. Run: `python -m bench.soak [minutes]`; takes about half a core.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.delay import PCMU, Clicker
from bench.growth import LIMITS, Sample, draw, growth, slopes, verdict
from bench.load import browsers, footage
from bench.load.lines import Bundle
from bench.load.sending import PictureSender, VoiceSender
from bench.load_truth import HERE
from bench.media import worker_pool
from bench.peers import H264, OPUS, Peers, Track, picture, record, voice
from rostra.domain import layouts
from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import Around
from rostra.domain.drawing import draw as drawn
from rostra.domain.look import Style
from rostra.domain.media import CodecParameters, Content, MediaDescription, MediaKind, MediaStream
from rostra.machine import primary_address
from rostra.media import messages as m
from rostra.media.client import Worker, WorkerLost
from rostra.media.engine import stage
from rostra.media.engine.rungs import LADDER
from rostra.media.pool import WorkerPool

RESULTS = Path(__file__).parent / "results"
OFFER = Path(__file__).parents[1] / "tests" / "media" / "offers" / "chromium-audio-video-inactive.sdp"
SMALL = LADDER[4]
LOOK, CHURN, KILL = 10.0, 1.5, 45.0
"""Seconds between two looks, two changes, two kills."""
REST = 3
"""Every so many looks nobody is there."""
MOST = 5
"""Far ends that churn at a time."""
LAYOUTS = ("1:0", "1:7", "2:21", "4:0")


def describe(ports: list[int] | tuple[int, ...], codecs: tuple[CodecParameters, ...]) -> MediaDescription:
    """Sound, picture, slides: as many as there are ports."""
    streams = tuple(
        MediaStream(
            kind=MediaKind.AUDIO if number == 0 else MediaKind.VIDEO, port=port, address=HERE, codecs=(codec,),
            profile="RTP/AVPF", content=Content.SLIDES if number == 2 else Content.MAIN,
            bandwidth=SMALL.bitrate if number else None,
        )
        for number, (port, codec) in enumerate(zip(ports, codecs, strict=True))
    )  # fmt: skip
    return MediaDescription(address=HERE, streams=streams)


async def connect(worker: Worker, leg: str, own: list[int], codecs: tuple[CodecParameters, ...]) -> tuple[int, ...]:
    """A leg for a far end with these ports; the leg's."""
    kinds = tuple(MediaKind.VIDEO if number else MediaKind.AUDIO for number in range(len(own)))
    _, ports = await worker.reserve_rtp(leg, kinds)
    await worker.connect_rtp(leg, describe(ports, codecs), describe(own, codecs))
    await worker.start(leg)
    return ports


class Browser:
    """A WebRTC far end with a camera and somebody who speaks."""

    def __init__(self) -> None:
        self.packets = 0
        """Of media, that have come and could be decrypted."""
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(16)
        self._address = primary_address()  # ICE does not use the loopback
        self._bundle = Bundle(self._address, self._ufrag, self._password)
        voice = VoiceSender(footage.voice(footage.OPUS, 0), secrets.randbits(32), lambda _: True, self._bundle.send)
        picture = PictureSender((footage.picture("VP8"),), secrets.randbits(32), 0, self._bundle.send)
        self._senders = [voice, picture]
        self._since = 0.0
        self._task: asyncio.Task[None] | None = None

    async def join(self, worker: Worker, leg: str) -> None:
        """Returns once media may flow; raises TimeoutError."""
        codecs = [footage.OPUS, footage.VP8]
        offer = browsers.offer(self._address, self._bundle.port, self._ufrag, self._password, codecs, SMALL.bitrate)
        self._bundle.connect(*browsers.answered(await worker.open_webrtc(leg, offer, start=True)))
        self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(10):
            while not self._bundle.ready.is_set():  # noqa: ASYNC110 - it is set by the task
                await asyncio.sleep(0.02)
        self._since = time.monotonic()

    @property
    def deaf(self) -> bool:
        """It has got nothing in three seconds or more."""
        return not self.packets and time.monotonic() - self._since > 3

    async def _run(self) -> None:
        last = 0.0
        while True:
            now = time.monotonic()
            ready = self._bundle.ready.is_set()
            if now - last > (4 if ready else 0.1):
                self._bundle.tick()
                last = now
            self.packets += sum(not control for _, _, control in self._bundle.received())
            for sender in self._senders if ready else ():
                if not sender.due:
                    sender.begin(now)
                if sender.due <= now:
                    sender.send(now)
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._bundle.close()


class Churn:
    """The conference that is looked at."""

    def __init__(self, worker: Worker, tracks: list[Track], chance: random.Random) -> None:
        self.worker = worker
        self._tracks = tracks
        self._chance = chance
        self._peers: dict[str, Peers | Browser] = {}
        self._slides = ""
        self._number = 0
        self.changes = self.browsers = 0
        self.deaf: list[str] = []

    async def change(self) -> None:
        """Something happens."""
        self.changes += 1
        what = self._chance.random()
        if what < 0.15:
            await self._look_in()
        elif self._peers and (len(self._peers) >= MOST or what < 0.5):
            await self._leave(self._chance.choice(list(self._peers)))
        elif what < 0.65:
            await self._join_browser()
        else:
            await self._join()
        await self._compose()

    async def _look_in(self) -> None:
        """A browser that changes its mind."""
        self._number += 1
        leg = f"web{self._number}"
        await self.worker.open_webrtc(leg, OFFER.read_text())
        await self.worker.close_leg(leg)

    async def _join_browser(self) -> None:
        self._number += 1
        self.browsers += 1
        leg = f"web{self._number}"
        browser = self._peers[leg] = Browser()
        await browser.join(self.worker, leg)

    async def _join(self) -> None:
        self._number += 1
        leg, presents = f"leg{self._number}", self._chance.random() < 0.3
        audio, video = self._tracks
        tracks = [audio, video, video] if presents else [audio, video]
        peers = Peers(1, tracks)
        peers.__enter__()
        self._peers[leg] = peers
        codecs = (OPUS, H264, H264) if presents else (OPUS, H264)
        peers.all[0].send_to(await connect(self.worker, leg, peers.all[0].ports, codecs))
        if presents:
            self._slides = leg

    async def _leave(self, leg: str) -> None:
        if self._slides == leg:
            self._slides = ""
        peer = self._peers.pop(leg)
        if isinstance(peer, Browser):
            await peer.close()
            if peer.deaf:
                self.deaf.append(leg)
        else:
            peer.__exit__()
        await self.worker.close_leg(leg)

    async def _compose(self) -> None:
        style = Style(layout=layouts.find(self._chance.choice(LAYOUTS)) or layouts.DEFAULT)
        legs, alike = list(self._peers), self._chance.random() < 0.3
        performers = [Performer(participant=leg, source=leg) for leg in legs]
        views = {leg: drawn(arrange(performers, "" if alike else leg, style), style, Around()) for leg in legs}
        watching = {leg: legs[0] if alike else leg for leg in legs}
        slides = {leg: self._slides for leg in legs if self._slides and leg != self._slides}
        await self.worker.compose(m.Compose(views=views, watching=watching, slides=slides))

    async def end(self) -> None:
        for leg in list(self._peers):
            await self._leave(leg)


class Killed:
    """The conference whose worker dies now and then."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._worker: Worker | None = None
        self.lost = asyncio.Event()
        self.kills = 0
        self.slowest = 0.0
        """Seconds until it was there again, at most."""

    async def begin(self) -> None:
        self.lost.clear()
        self._worker = await self._pool.acquire("killed", "Killed", lambda _: None, lambda _: self.lost.set())
        for leg in ("one", "two"):
            await self._worker.reserve_rtp(leg, (MediaKind.AUDIO, MediaKind.VIDEO))

    async def kill(self) -> None:
        if self._worker is None:
            raise RuntimeError("there is no worker to kill")
        began = time.monotonic()
        os.kill(self._worker.process, random.choice([signal.SIGKILL, signal.SIGSTOP]))
        await asyncio.wait_for(self.lost.wait(), 20)
        with contextlib.suppress(WorkerLost):
            await self._worker.statistics()
        await self.begin()
        self.kills += 1
        self.slowest = max(self.slowest, time.monotonic() - began)


async def clicks(worker: Worker) -> Clicker:
    """Sound from one leg to another, for as long as it lasts."""
    clicker = Clicker(None)
    ear = await connect(worker, "ear", [clicker.port], (PCMU,))
    mouth = await connect(worker, "mouth", [clicker.own], (PCMU,))
    clicker.answers = ear[0]
    clicker.start(mouth[0])
    return clicker


async def soak(pool: WorkerPool, tracks: list[Track], minutes: float) -> tuple[list[Sample], dict[str, object]]:
    """What was seen, and what happened."""
    worker = await pool.acquire("churn", "Churn", lambda _: None, lambda _: None)
    churn, killed = Churn(worker, tracks, random.Random(1)), Killed(pool)
    await killed.begin()
    clicker = await clicks(worker)
    seen: list[Sample] = []
    began = time.monotonic()
    look, change, kill = began + LOOK, began, began + KILL
    while (now := time.monotonic()) < began + 60 * minutes:
        if now >= change:
            await churn.change()
            change += CHURN
        if now >= kill:
            await killed.kill()
            kill += KILL
        if now >= look:
            rest = len(seen) % REST == REST - 1
            if rest:
                await churn.end()
                await asyncio.sleep(0.5)
            took = [1000 * one for when, one in clicker.travelled if when > now - LOOK]
            clicker.travelled.clear()
            allocated = (await worker.statistics()).debug["allocated_bytes"]
            seen.append(
                Sample.of(now - began, worker.process, allocated, statistics.median(took) if took else None, rest=rest)
            )
            look += LOOK
            print(seen[-1].line, flush=True)
        await asyncio.sleep(max(0.0, min(look, change, kill) - time.monotonic()))
    clicker.close()
    await churn.end()
    await asyncio.sleep(1.0)
    state = (await worker.statistics()).debug
    happened: dict[str, object] = {
        "changes": churn.changes, "browsers": churn.browsers, "deaf_browsers": churn.deaf,
        "kills": killed.kills, "slowest_recovery_s": round(killed.slowest, 2),
        "left_legs": state["legs"], "left_encoders": state["encoders"],
    }  # fmt: skip
    await pool.release(worker)
    return seen, happened


async def main(minutes: float) -> bool:
    stage.load()  # initialises GStreamer
    for made in (lambda: footage.picture("VP8"), lambda: footage.voice(footage.OPUS, 0)):
        made()  # when they are not there yet
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "picture"
        record(recording, SMALL.bitrate, f"{SMALL.width}x{SMALL.height}")
        async with worker_pool() as pool:
            seen, happened = await soak(pool, [voice(), picture(recording)], minutes)
    grown = growth(seen)
    wrong = verdict(grown, happened)
    RESULTS.mkdir(exist_ok=True)
    result = {
        "minutes": minutes,
        **happened,
        "slopes_per_hour": slopes(seen),
        "growth": grown,
        "growth_allowed": LIMITS,
        "wrong": wrong,
    }
    (RESULTS / "soak.json").write_text(
        json.dumps({**result, "samples": [msgspec.structs.asdict(one) for one in seen]}, indent=1)
    )
    (RESULTS / "soak.svg").write_text(draw(seen))
    print(json.dumps(result, indent=1))
    print("nothing grows" if not wrong else f"NOT GOOD: {'; '.join(wrong)}")
    return not wrong


if __name__ == "__main__":
    wanted = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    sys.exit(not asyncio.run(asyncio.wait_for(main(wanted), 60 * wanted + 120)))
