"""What media between nodes costs: delay and processor time of a hop, bandwidth of each kind of stream.

Delay: a camera and a clicker (bench/delay.py) on one worker, their viewer and listener on the same worker, on a second
one, and on a third that is reached by way of the second. The reference is the path over one worker alone: the same
jitter buffers of legs, decoders, composing and encoding; the rest is what hops add.
Processor time: a worker with participants of 720p30 sends their streams to a second, which passes them on to a third.
The reference is one participant's picture and voice, received and decoded on one worker, in the same run.
Run: `python -m bench.backplane [seconds]`.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import itertools
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.delay import Camera, Clicker, Delays, Screen, collect
from bench.delay import describe as describe_delay
from bench.media import processor_seconds, worker_pool
from bench.peers import KINDS, Peers, Track, describe, picture, record, voice
from rostra.domain.media import CryptoAttribute, MediaKind
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure, Worker
from rostra.media.engine import rtp_parts, stage
from rostra.media.messages import PARTICIPANT, SAME_LOCATION, AudioRoute, Quality
from rostra.media.pool import WorkerPool

PARTICIPANTS = 4
WARMING = 2.0
_numbers = itertools.count(1)


def key() -> CryptoAttribute:
    return CryptoAttribute(
        tag=1, suite="AES_CM_128_HMAC_SHA1_80", key_salt=base64.b64encode(secrets.token_bytes(30)).decode()
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Stream:
    """One stream from worker to worker."""

    sender: Worker
    receiver: Worker
    leg: str

    async def close(self) -> None:
        await self.sender.close_leg(self.leg)
        await self.receiver.close_leg(self.leg)


async def stream(sender: Worker, receiver: Worker, kind: MediaKind, source: str, quality: Quality) -> Stream:
    leg, forth, back = f"backplane {next(_numbers)}", key(), key()
    _, port = await receiver.receive_backplane(
        m.ReceiveBackplane(leg=leg, kind=kind, source=source, quality=quality, key_in=forth, key_out=back)
    )
    send = m.SendBackplane(
        leg=leg, kind=kind, source=source, quality=quality, address="127.0.0.1", port=port, key_out=forth, key_in=back
    )
    async with asyncio.timeout(5):
        while True:
            try:
                await sender.send_backplane(send)
                return Stream(sender, receiver, leg)
            except MediaFailure as problem:
                if problem.kind is not m.Failure.Kind.UNKNOWN_LEG:
                    raise
                await asyncio.sleep(0.1)


async def workers(pool: WorkerPool, count: int) -> list[Worker]:
    return [await pool.acquire("bench", "Bench", lambda _: None, lambda _: None) for _ in range(count)]


async def route(worker: Worker, arriving: Sequence[str], leaving: Sequence[Stream], *, speaking: bool = True) -> None:
    """Sound: mixes that arrive are heard and passed on; `speaking` of the participants here."""
    audio = {source: AudioRoute(group=SAME_LOCATION) for source in arriving}
    groups = PARTICIPANT | SAME_LOCATION
    audio |= {one.leg: AudioRoute(speaks=False, listens=groups) for one in leaving if one.sender is worker}
    audio |= {f"leg{number}": AudioRoute(speaks=speaking) for number in range(PARTICIPANTS)}
    tile = Tile(source="sender", x=0, y=0, width=1280, height=720)
    await worker.compose(m.Compose(views={"v": Scene(tiles=(tile,))}, watching={"viewer": "v"}, audio=audio))


async def delay(pool: WorkerPool, hops: int, seconds: float) -> Delays:
    """From a camera and a clicker on the first worker to a viewer so many hops away."""
    chain = await workers(pool, hops + 1)
    streams: list[Stream] = []
    for number, (one, two) in enumerate(itertools.pairwise(chain)):
        streams.append(await stream(one, two, MediaKind.AUDIO, f"mix{number}", Quality.FULL))
    screen, clicker = Screen(), Clicker(None)
    ends = {"sender": (chain[0], clicker.own, rtp_parts.DISCARD), "viewer": (chain[-1], clicker.port, screen.port)}
    ports: dict[str, tuple[int, ...]] = {}
    for leg, (worker, audio, video) in ends.items():
        _, ports[leg] = await worker.reserve_rtp(leg, KINDS)
        await worker.connect_rtp(leg, describe_delay(*ports[leg]), describe_delay(audio, video))
        await worker.start(leg)
    for number, worker in enumerate(chain):
        await route(worker, [f"mix{number - 1}"] if number else [], streams)
    for one, two in itertools.pairwise(chain):
        await stream(one, two, MediaKind.VIDEO, "sender", Quality.FULL)
    audio, video = ports["sender"]
    clicker.start(audio)
    found = await collect(Camera(video), screen, clicker, seconds)
    for worker in chain:
        await pool.release(worker)
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of stream, for each stream."""

    cores: tuple[float, ...]
    """Of the first, second and third worker, beyond what they take without these streams."""
    bitrate: float


async def used(chain: Sequence[Worker], seconds: float) -> list[float]:
    """Cores that workers take, measured over some seconds."""
    before, began = [processor_seconds(worker.process) for worker in chain], time.monotonic()
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    return [(processor_seconds(one.process) - then) / took for one, then in zip(chain, before, strict=True)]


async def bitrate(streams: Sequence[Stream]) -> float:
    """Bit/s that leave on an average stream."""
    legs = {one.leg for one in streams}
    found = (await streams[0].sender.statistics()).streams
    return sum(one.bitrate for one in found if one.leg in legs and one.sending) / len(streams)


async def cost(
    chain: Sequence[Worker], kind: MediaKind, quality: Quality, idle: Sequence[float], seconds: float
) -> tuple[Cost, Cost | None]:
    """Of the streams of all participants (sound: as many mixes), from the first worker by the second to the third.

    Of sound also what it takes while nobody speaks.
    """
    first, second, third = chain
    forth: list[Stream] = []
    onward: list[Stream] = []
    for number in range(PARTICIPANTS):
        source = f"leg{number}" if kind is MediaKind.VIDEO else f"mix{number}"
        forth.append(await stream(first, second, kind, source, quality))
        onward.append(await stream(second, third, kind, source if kind is MediaKind.VIDEO else "mix", quality))
    mixes = [f"mix{number}" for number in range(PARTICIPANTS)]
    await route(first, [], forth)
    await route(second, mixes, onward)
    await asyncio.sleep(WARMING)
    taken = await used(chain, seconds)
    speaking = Cost(
        tuple((now - then) / PARTICIPANTS for now, then in zip(taken, idle, strict=True)), await bitrate(forth)
    )
    silent = None
    if kind is MediaKind.AUDIO:
        await route(first, [], forth, speaking=False)
        await asyncio.sleep(WARMING)
        before, began = await packets(forth), time.monotonic()
        taken = await used(chain, seconds)
        rate = (
            8 * 60 * (await packets(forth) - before) / (time.monotonic() - began)
        )  # Opus of silence: 60 bytes at most
        silent = Cost(tuple((now - then) / PARTICIPANTS for now, then in zip(taken, idle, strict=True)), rate)
    for one in forth + onward:
        await one.close()
    return speaking, silent


async def packets(streams: Sequence[Stream]) -> float:
    """Packets that have left on an average stream."""
    legs = {one.leg for one in streams}
    found = (await streams[0].sender.statistics()).streams
    return sum(one.packets for one in found if one.leg in legs and one.sending) / len(streams)


async def costs(pool: WorkerPool, tracks: list[Track], seconds: float) -> tuple[float, dict[str, Cost]]:
    """What a participant takes on one worker, and each kind of stream on a chain of three."""
    chain = await workers(pool, 3)
    empty = await used(chain, seconds / 2)
    found: dict[str, Cost] = {}
    with Peers(PARTICIPANTS, tracks) as peers:
        for number, peer in enumerate(peers.all):
            _, ports = await chain[0].reserve_rtp(f"leg{number}", KINDS)
            await chain[0].connect_rtp(f"leg{number}", describe(ports), describe(peer.ports))
            peer.send_to(ports)  # never started: what it is sent is no part of this
        await asyncio.sleep(WARMING)
        idle = await used(chain, seconds)
        found["FULL"], _ = await cost(chain, MediaKind.VIDEO, Quality.FULL, idle, seconds)
        found["THUMBNAIL"], _ = await cost(chain, MediaKind.VIDEO, Quality.THUMBNAIL, idle, seconds)
        speaking, silent = await cost(chain, MediaKind.AUDIO, Quality.FULL, idle, seconds)
        found["sound"] = speaking
        if silent:
            found["sound, silent"] = silent
    for worker in chain:
        await pool.release(worker)
    return (idle[0] - empty[0]) / PARTICIPANTS, found


def show_delay(what: str, delays: Sequence[Sequence[float]]) -> None:
    """Medians over one worker and over hops, and what each hop adds."""
    for hops, taken in enumerate(delays):
        if len(taken) < 20:
            raise SystemExit(f"{what} over {hops} hops: only {len(taken)} arrived")
    medians = [1000 * statistics.median(taken) for taken in delays]
    slowest = [1000 * sorted(taken)[int(0.95 * len(taken))] for taken in delays]
    print(f"{what:8} one worker: median {medians[0]:6.1f} ms  p95 {slowest[0]:6.1f} ms  of {len(delays[0])}")
    for hops in range(1, len(delays)):
        added, times = (medians[hops] - medians[0]) / hops, medians[hops] / medians[0]
        print(
            f"{what:8} {hops} more    : median {medians[hops]:6.1f} ms  p95 {slowest[hops]:6.1f} ms  "
            f"added by each {added:6.1f} ms, together {times:.2f} times one worker"
        )


async def main(seconds: float) -> None:
    stage.load()  # initialises GStreamer
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "picture.h264"
        record(recording)
        tracks = [voice(), picture(recording)]
        async with worker_pool() as pool:
            delays = [await delay(pool, hops, 2 * seconds) for hops in range(3)]
            reference, found = await costs(pool, tracks, seconds)
    show_delay("picture", [one[0] for one in delays])
    show_delay("sound", [one[1] for one in delays])
    print(f"a participant of 720p30 with voice on one worker, received and decoded: {reference:.4f} core")
    print("stream           kbit/s   cores: sender  (times)   passing on  (times)    receiver  (times)")
    for name, one in found.items():
        figures = "".join(f"  {max(0.0, taken):10.4f}  {max(0.0, taken) / reference:7.2f}" for taken in one.cores)
        print(f"{name:14}  {one.bitrate / 1000:7.1f} {figures}")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0), 120))
