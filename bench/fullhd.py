"""1080p30 as the main picture: what a far end gets that takes it, and what it costs next to 720p.

A conference of senders, each of one tint, whose recorded moving picture and size are known, and of a viewer that
GStreamer decodes: once at 720p, once at 1080p where Full HD is enabled. Of the viewer is told: size, pictures a second,
and that every tile of the layout has its sender's tint, else the bench fails. Counted is the processor time of the
media worker alone. With one sender its picture fills the viewer's, and is forwarded if it may be; with three each of
the four has a composed picture of its own. Run: `python -m bench.fullhd [seconds]`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.media import everybody_else, processor_seconds, worker_pool
from bench.peers import H264, KINDS, OPUS, SECONDS, Peers, Track, picture, voice
from bench.viewer import Viewer
from rostra.domain.media import CodecParameters, MediaDescription, MediaStream
from rostra.domain.scene import Scene
from rostra.media.engine import stage
from rostra.media.pool import WorkerPool

TINTS = ((90, 240), (54, 34), (240, 110))
"""U and V of red, green and blue."""
NEAR = 24
ENOUGH = 29.0
"""Pictures a second."""
SENDERS = (1, 3)
WARMING = 4.0


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """A quality of a service."""

    quality: str
    width: int
    height: int
    bitrate: int
    level: str

    @property
    def codec(self) -> CodecParameters:
        parameters = {"profile-level-id": f"42e0{self.level}", "packetization-mode": "1"}
        return msgspec.structs.replace(H264, parameters=parameters)


FORMS = (Form("hd", 1280, 720, 1_500_000, "1f"), Form("fullhd", 1920, 1080, 3_000_000, "28"))


def record(path: Path, form: Form, tint: tuple[int, int]) -> None:
    """A moving picture of one tint, a key frame every two seconds."""
    source = f"testsrc2=s={form.width}x{form.height}:r=30,noise=alls=6:allf=t,trim=duration={SECONDS},format=yuv420p"
    rate = str(form.bitrate)
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"{source},lutyuv=u={tint[0]}:v={tint[1]}"),
            *("-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency"),
            *("-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", "60", "-f", "h264", str(path)),
        ],
        check=True,
        timeout=90,
    )


def describe(form: Form, audio: int, video: int) -> MediaDescription:
    """A side of a call."""
    streams = zip(KINDS, (audio, video), (OPUS, form.codec), strict=True)
    return MediaDescription(
        address="127.0.0.1",
        streams=tuple(
            MediaStream(kind=kind, port=port, address="127.0.0.1", codecs=(codec,), profile="RTP/AVPF")
            for kind, port, codec in streams
        ),
    )


def faults(viewer: Viewer, scene: Scene, tints: dict[str, tuple[int, int]]) -> list[str]:
    """Tiles that do not show whom they should."""
    found: list[str] = []
    for tile in scene.tiles:
        if tile.source in tints:
            seen = viewer.tint((tile.x + tile.width / 2) / scene.width, (tile.y + tile.height / 2) / scene.height)
            if max(abs(one - other) for one, other in zip(seen, tints[tile.source], strict=True)) > NEAR:
                found.append(f"{tile.source} is {seen}, not {tints[tile.source]}")
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """What one measurement gave."""

    cores: float
    frame_rate: float
    size: tuple[int, int]
    faults: tuple[str, ...]
    forwarded: int


async def measure(pool: WorkerPool, form: Form, tracks: list[Track], senders: int, seconds: float) -> Figure:
    """A conference of this many senders and the viewer."""
    worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None, (), form.quality)
    _, ports = await worker.reserve_rtp("viewer", KINDS)
    viewer = Viewer(form.codec, ports[1] + 1)
    legs = [f"sender{number}" for number in range(senders)]
    composed = everybody_else([*legs, "viewer"])
    silent = [voice() for _ in legs]
    peers = [Peers(1, [sound, track]) for sound, track in zip(silent, tracks, strict=False)]
    try:
        await worker.compose(composed)
        for leg, served in zip(legs, peers, strict=True):
            served.__enter__()
            _, own = await worker.reserve_rtp(leg, KINDS)
            await worker.connect_rtp(leg, describe(form, *own), describe(form, *served.all[0].ports))
            await worker.start(leg)
            served.all[0].send_to(own)
        await worker.connect_rtp("viewer", describe(form, *ports), describe(form, 9, viewer.port))
        await worker.start("viewer")
        await asyncio.sleep(WARMING)
        began, used, counted = time.monotonic(), processor_seconds(worker.process), viewer.pictures
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        cores = (processor_seconds(worker.process) - used) / took
        wrong = faults(viewer, composed.views["viewer"], dict(zip(legs, TINTS, strict=False)))
        told: Any = (await worker.statistics()).debug.get("graph") or {"counts": {}}
        forwarded = told["counts"].get("forwarded", 0)
        return Figure(cores, (viewer.pictures - counted) / took, viewer.size, tuple(wrong), forwarded)
    finally:
        for served in peers[: len(legs)]:
            served.__exit__()
        viewer.close()
        await pool.release(worker)


async def main(seconds: float) -> list[str]:
    """What was not as it should be."""
    stage.load()  # initialises GStreamer
    failed: list[str] = []
    reference: dict[int, float] = {}
    print("quality  senders  picture    pictures/s  forwarded  worker's cores  times 720p")
    with tempfile.TemporaryDirectory() as directory:
        for form in FORMS:
            paths = [Path(directory) / f"{form.quality}{number}.h264" for number in range(max(SENDERS))]
            for path, tint in zip(paths, TINTS, strict=True):
                await asyncio.to_thread(record, path, form, tint)
            tracks = [picture(path) for path in paths]
            async with worker_pool() as pool:
                for senders in SENDERS:
                    found = await measure(pool, form, tracks, senders, seconds)
                    reference.setdefault(senders, found.cores)
                    size, times = f"{found.size[0]}x{found.size[1]}", found.cores / reference[senders]
                    print(
                        f"{form.quality:7}  {senders:7}  {size:9}  {found.frame_rate:10.1f}  {found.forwarded:9}  "
                        f"{found.cores:14.2f}  {times:10.2f}", flush=True,
                    )  # fmt: skip
                    failed += found.faults
                    if found.size != (form.width, form.height) or found.frame_rate < ENOUGH:
                        failed.append(f"{form.quality}, {senders}: {size} at {found.frame_rate:.1f}/s")
    return failed


if __name__ == "__main__":
    wrong = asyncio.run(asyncio.wait_for(main(float(sys.argv[1]) if len(sys.argv) > 1 else 6.0), 240))
    if wrong:
        raise SystemExit("; ".join(wrong))
