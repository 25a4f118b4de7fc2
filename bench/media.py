"""CPU of the media engine: cores per 720p participant, next to decoding and encoding alone in the same run.

Participants are RTP legs in pairs, each the other's far end, on one picture of everybody; so each one costs a
720p decode, its share of composition and encoding, and the RTP of both ways. Run: `python bench/media.py`.

The ratio flatters: the conference's pictures hardly move (nobody has a camera here), the reference's does, and
the reference includes making it. Cameras as peers are needed before the figure says anything about real calls.
"""

from __future__ import annotations

import asyncio
import dataclasses
import resource
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.domain.scene import Scene, Tile
from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.pool import WorkerPool

SECONDS = 5.0
KINDS = (MediaKind.AUDIO, MediaKind.VIDEO)
OPUS = CodecParameters(name="OPUS", payload_type=111, clock_rate=48000, channels=2)
H264 = CodecParameters(
    name="H264",
    payload_type=97,
    clock_rate=90000,
    parameters={"profile-level-id": "42e01f", "packetization-mode": "1"},
    feedback=("nack pli",),
)
ALONE = (
    "videotestsrc pattern=ball num-buffers={frames} ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1 ! "
    "x264enc speed-preset=ultrafast tune=zerolatency threads=1 bitrate=1700 key-int-max=300 {rest} ! fakesink"
)


def side(ports: tuple[int, ...]) -> MediaDescription:
    streams = zip(KINDS, ports, ((OPUS,), (H264,)), strict=True)
    return MediaDescription(
        address="127.0.0.1",
        streams=tuple(
            MediaStream(kind=kind, port=port, address="127.0.0.1", codecs=codecs, profile="RTP/AVPF")
            for kind, port, codecs in streams
        ),
    )


async def cores(pool: WorkerPool, participants: int) -> float:
    """Cores a participant takes in a conference of this size, each watching a view of its own."""
    worker: Worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
    legs = [f"leg{number}" for number in range(participants)]
    descriptions = {leg: side((await worker.reserve_rtp(leg, KINDS))[1]) for leg in legs}
    views = {}
    for leg in legs:
        others = [other for other in legs if other != leg]
        tiles = [Tile(source=others[0], x=0, y=0, width=1280, height=720)]
        tiles += [Tile(source=o, x=180 * i, y=610, width=176, height=99) for i, o in enumerate(others[1:])]
        views[leg] = Scene(tiles=tuple(tiles))
    await worker.compose(m.Compose(views=views, watching={leg: leg for leg in legs}))
    for one, two in zip(legs[::2], legs[1::2], strict=True):
        for leg, other in ((one, two), (two, one)):
            await worker.connect_rtp(leg, descriptions[leg], descriptions[other])
            await worker.start(leg)
    await asyncio.sleep(2)
    before = (await worker.statistics()).processor_seconds
    await asyncio.sleep(SECONDS)
    used = (await worker.statistics()).processor_seconds - before
    await pool.release(worker)
    return used / SECONDS / participants


def alone() -> float:
    """Cores of one moving 720p30 test picture made, encoded and decoded."""

    def seconds(rest: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = ALONE.format(frames=300, rest=rest)
        subprocess.run(["gst-launch-1.0", "-q", *text.split()], check=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return seconds("! h264parse ! avdec_h264 max-threads=1") / 10


async def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = dataclasses.replace(Environment(), home=Path(home), nats_port=port)
        nats = await server.start(environment)
        bus = await Bus.connect(server.url(environment), name="bench")
        pool = WorkerPool(environment, bus, "bench")
        await pool.start()
        try:
            reference = alone()
            print(f"decode + encode of 720p30 alone: {reference:.3f} core")
            for participants in (2, 4, 8):
                each = await cores(pool, participants)
                print(f"{participants} participants: {each:.3f} core each, {each / reference:.2f} times alone")
        finally:
            await pool.close()
            await bus.close()
            nats.terminate()
            await nats.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(asyncio.wait_for(main(), 60)))
