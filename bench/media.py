"""CPU of the media engine: cores per 720p30 participant, next to decoding and encoding alone in the same run.

Participants are RTP far ends (`peers.py`) that send a recorded moving 720p30 picture of 1.5 Mbit/s and Opus, and
receive the conference as the layout draws it for each of them: everybody else, never itself, so every participant
has an encoder of its own. Counted is the processor time of the media worker alone, from /proc. The reference is
one process that decodes the same recording and encodes its picture with the same elements and settings, in real
time. Both are warm when measuring begins. Medians of rounds; the delivered frame rate says whether the machine
kept up. Run: `python -m bench.media [rounds] [seconds]`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from bench.peers import FRAME_RATE, KINDS, Peers, Track, describe, picture, record, voice
from rostra.domain import layouts
from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import Around, draw
from rostra.domain.layouts import DEFAULT, Layout
from rostra.domain.look import Style
from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import branches, stage
from rostra.media.engine.rungs import LADDER
from rostra.media.pool import WorkerPool


@dataclasses.dataclass(frozen=True, slots=True)
class Meeting:
    """Who meets, and how."""

    participants: int
    layout: Layout = DEFAULT
    agreeing: int = 0
    """How many take pictures as others send them; the others take packets of whole slices only."""


FULL = layouts.configured("one_main_zero_pips", lecture=False)
MEETINGS = (
    *(Meeting(2, FULL, agreeing) for agreeing in range(3)),
    *(Meeting(size, agreeing=size) for size in (2, 4, 8)),
)
WARMING = 3.0
"""Seconds between everybody's first picture and the measurement."""
_PLAY = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch(sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS)
"""
"""A process that plays a pipeline."""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """What one measurement gave."""

    cores: float
    """Of all participants together."""
    frame_rate: float
    """Delivered to a participant."""
    bitrate: float
    memory: float
    """Bytes (proportional set size) of the worker beyond those without a participant."""
    forwarded: int
    decoders: int
    encoders: int
    """Streams sent on as they came, decoders and encoders at work (sound as well)."""


def memory(process: int) -> float:
    """Proportional set size, bytes (proc(5))."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def processor_seconds(process: int) -> float:
    """User and system time of a process and its threads so far (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def worker_pool() -> AsyncGenerator[WorkerPool]:
    """Media workers on a fabric of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = dataclasses.replace(Environment(), home=Path(home), nats_port=port)
        nats = await server.start(environment)
        bus = await Bus.join(environment, name="bench")
        pool = WorkerPool(environment, bus, "bench")
        await pool.start()
        try:
            yield pool
        finally:
            await pool.close()
            await bus.close()
            nats.terminate()
            await nats.wait()


def everybody_else(legs: list[str], layout: Layout = DEFAULT) -> m.Compose:
    """Each leg sees the others as a layout draws them."""
    performers = [Performer(participant=leg, source=leg) for leg in legs]
    style = Style(layout=layout)
    views = {leg: draw(arrange(performers, leg, style), style, Around()) for leg in legs}
    return m.Compose(views=views, watching={leg: leg for leg in legs})


async def conference(pool: WorkerPool, tracks: list[Track], meeting: Meeting, seconds: float) -> Figure:
    """A conference on a worker of its own."""
    participants = meeting.participants
    shown: set[str] = set()
    all_shown = asyncio.Event()
    legs = [f"leg{number}" for number in range(participants)]

    def hear(event: m.Event) -> None:
        if isinstance(event, m.FirstPicture):
            shown.add(event.leg)
            if len(shown) == participants:
                all_shown.set()

    worker: Worker = await pool.acquire("bench", "Bench", hear, lambda _: None)
    empty = memory(worker.process)
    with Peers(participants, tracks) as peers:
        await worker.compose(everybody_else(legs, meeting.layout))
        for number, (leg, peer) in enumerate(zip(legs, peers.all, strict=True)):
            _, ports = await worker.reserve_rtp(leg, KINDS)
            taken = describe(peer.ports, whole=number >= meeting.agreeing)
            await worker.connect_rtp(leg, describe(ports), taken)
            await worker.start(leg)
            peer.send_to(ports)
        await asyncio.wait_for(all_shown.wait(), 10)
        await asyncio.sleep(WARMING)
        began, used = time.monotonic(), processor_seconds(worker.process)
        counted = [peer.received for peer in peers.all]
        await asyncio.sleep(seconds)
        took, used = time.monotonic() - began, processor_seconds(worker.process) - used
        gained = [(now[0] - then[0], now[1] - then[1]) for now, then in zip(
            (peer.received for peer in peers.all), counted, strict=True)]  # fmt: skip
        counts: Any = (await worker.statistics()).debug["graph"]
        grown = memory(worker.process) - empty
    await pool.release(worker)
    frames = sum(one[0] for one in gained) / participants / took
    bits = sum(one[1] for one in gained) * 8 / participants / took
    running = [counts["counts"][kind] for kind in ("forwarded", "decoders", "encoders")]
    return Figure(used / took, frames, bits, grown, *running)


async def alone(recording: Path, seconds: float) -> float:
    """Cores of decoding the recording and encoding its picture, in real time, in a process of its own."""
    row, rung = codecs.BY_NAME["H264"], LADDER[0]
    encoder = row.encoder.format(bitrate=rung.bitrate, kilobits=rung.bitrate // 1000, mtu=branches.PAYLOAD)
    launch = (
        f"multifilesrc location={recording} loop=true ! {row.decoder} ! videoconvert ! video/x-raw,format=I420 ! "
        f"identity sync=true ! {encoder} ! {row.encoded} ! fakesink sync=false"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PLAY, launch, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.sleep(WARMING + 0.5)
        began, used = time.monotonic(), processor_seconds(process.pid)
        await asyncio.sleep(seconds)
        used, took = processor_seconds(process.pid) - used, time.monotonic() - began
        if process.returncode is not None:
            raise SystemExit("the reference ended early")
        return used / took
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def main(rounds: int, seconds: float) -> None:
    stage.load()  # initialises GStreamer
    references: list[float] = []
    figures: dict[Meeting, list[Figure]] = {meeting: [] for meeting in MEETINGS}
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "picture.h264"
        record(recording)
        tracks = [voice(), picture(recording)]
        async with worker_pool() as pool:
            for _ in range(rounds):
                references.append(await alone(recording, seconds))
                for meeting in MEETINGS:
                    figures[meeting].append(await conference(pool, tracks, meeting, seconds))
    reference = statistics.median(references)
    print(f"medians of {rounds} rounds of {seconds:g} s; the machine has {os.cpu_count()} cores")
    print(f"decode + encode of 720p{FRAME_RATE} alone: {reference:.3f} core")
    print(
        "participants  layout  agree  cores each  times alone  frames/s  Mbit/s  MB each  decoders  encoders  forwarded"
    )
    for meeting, found in figures.items():
        size, last = meeting.participants, found[-1]
        each = statistics.median(one.cores for one in found) / size
        frames = statistics.median(one.frame_rate for one in found)
        rate = statistics.median(one.bitrate for one in found) / 1e6
        grown = statistics.median(one.memory for one in found) / size / 1e6
        print(
            f"{size:12}  {meeting.layout.name:>6}  {meeting.agreeing:5}  {each:10.3f}  {each / reference:11.2f}  "
            f"{frames:8.1f}  {rate:6.2f}  {grown:7.1f}  {last.decoders:8}  {last.encoders:8}  {last.forwarded:9}"
        )


if __name__ == "__main__":
    arguments = [float(text) for text in sys.argv[1:]]
    count, length, *_ = [*arguments, *(3.0, 4.0)[len(arguments) :]]
    asyncio.run(asyncio.wait_for(main(int(count), length), 180))
