"""Is a node's media load true? What is booked for a conference, next to the processor time that it really takes.

The capacity check measures this machine as a node does at its start. Then conferences of one kind each, and one of all
kinds, are booked and run with RTP far ends (`peers.py`) that send a moving picture and sound and are sent everybody
else, each by an encoder of its own. `booked` is the `media_load` a node would report, `measured` the share of the
processor that calls get (`capacity.HEADROOM` is not theirs) which the media worker used, from /proc. The machine must
have little else to do: the delivered frame rate says whether it kept up.

Run: `python -m bench.load_truth [part] [seconds] [kind …]`; `part` of the calls that fit are made, 1: as many as the
check says. Kinds: hd sd full_hd audio mixed.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.media import processor_seconds, worker_pool
from bench.peers import H264, OPUS, Peer, Peers, Track, picture, record, voice
from rostra.domain.capacity import CallClass, Load, processor_load
from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import Around, draw
from rostra.domain.layouts import DEFAULT
from rostra.domain.ledger import Ledger
from rostra.domain.look import Style
from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage
from rostra.media.engine.rungs import FULL_HD, LADDER, Rung
from rostra.media.pool import WorkerPool
from rostra.media.selfcheck import Checked, measure, usable_cores

WITHIN = 15
"""Points that booked and measured load may differ."""
WARMING = 4.0
HERE = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call."""

    price: CallClass
    rung: Rung | None
    level: str = ""
    """Of H.264, where it is not that of 720p."""

    @property
    def kinds(self) -> tuple[MediaKind, ...]:
        return (MediaKind.AUDIO, MediaKind.VIDEO) if self.rung else (MediaKind.AUDIO,)


KINDS = {
    "hd": Kind(CallClass.HD, LADDER[0]),
    "sd": Kind(CallClass.SD, LADDER[1]),
    "full_hd": Kind(CallClass.FULL_HD, FULL_HD, "420028"),
    "audio": Kind(CallClass.AUDIO, None),
}
MIXED = {"hd": 1 / 3, "sd": 1 / 3, "audio": 1 / 3}
"""Share of the load that each kind has."""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """What one conference gave."""

    name: str
    calls: Mapping[str, int]
    booked: int
    measured: int
    cores: float
    frame_rate: float
    """The least that a far end got of its picture."""

    @property
    def true(self) -> bool:
        return abs(self.booked - self.measured) <= WITHIN


def describe(kind: Kind, ports: tuple[int, ...] | list[int]) -> MediaDescription:
    video = H264
    if kind.level:
        video = msgspec.structs.replace(H264, parameters={**H264.parameters, "profile-level-id": kind.level})
    codecs: dict[MediaKind, CodecParameters] = {MediaKind.AUDIO: OPUS, MediaKind.VIDEO: video}
    limit = kind.rung.bitrate if kind.price is CallClass.SD and kind.rung else None
    streams = tuple(
        MediaStream(
            kind=one, port=port, address=HERE, codecs=(codecs[one],), profile="RTP/AVPF",
            bandwidth=limit if one is MediaKind.VIDEO else None,
        )
        for one, port in zip(kind.kinds, ports, strict=True)
    )  # fmt: skip
    return MediaDescription(address=HERE, streams=streams)


async def connect(worker: Worker, leg: str, kind: Kind, peer: Peer) -> None:
    _, ports = await worker.reserve_rtp(leg, kind.kinds)
    await worker.connect_rtp(leg, describe(kind, ports), describe(kind, peer.ports))
    await worker.start(leg)
    peer.send_to(ports)


async def conference(
    pool: WorkerPool, tracks: Mapping[str, list[Track]], checked: Checked, name: str, calls: Mapping[str, int],
    seconds: float,
) -> Figure:  # fmt: skip
    """A conference with so many calls of each kind, booked and run."""
    ledger = Ledger(checked.figures.tokens)
    ledger.measured(checked.figures)
    worker = await pool.acquire(
        "bench", "Bench", lambda _: None, lambda _: None, quality="fullhd" if "full_hd" in calls else "hd"
    )
    legs = {f"{kind}{number}": kind for kind, count in calls.items() for number in range(count)}
    seen = [leg for leg, kind in legs.items() if KINDS[kind].rung]
    style = Style(layout=DEFAULT)
    performers = [Performer(participant=leg, source=leg) for leg in seen]
    views = {leg: draw(arrange(performers, leg, style), style, Around()) for leg in seen}
    await worker.compose(m.Compose(views=views, watching={leg: leg for leg in seen}))
    with contextlib.ExitStack() as stack:
        groups = {kind: stack.enter_context(Peers(count, tracks[kind])) for kind, count in calls.items()}
        peers = [peer for group in groups.values() for peer in group.all]
        for (leg, kind), peer in zip(legs.items(), peers, strict=True):
            if not ledger.book("bench", leg, KINDS[kind].price, 0):
                raise SystemExit(f"{name}: {leg} does not fit: {ledger.used} of {ledger.capacity}")
            await connect(worker, leg, KINDS[kind], peer)
        await asyncio.sleep(WARMING)
        shown = [peer.outlets[1] for peer in peers if len(peer.outlets) > 1]
        began, used, before = time.monotonic(), processor_seconds(worker.process), [one.frames for one in shown]
        await asyncio.sleep(seconds)
        took, used = time.monotonic() - began, processor_seconds(worker.process) - used
        frames = [(one.frames - then) / took for one, then in zip(shown, before, strict=True)]
    await pool.release(worker)
    return Figure(
        name, calls, Load(capacity=ledger.capacity, used=ledger.used).percent,
        processor_load(used / took, checked.cores), used / took, min(frames, default=0.0),
    )  # fmt: skip


def wanted(checked: Checked, name: str, part: float) -> dict[str, int]:
    """How many calls of each kind."""
    most = msgspec.structs.asdict(checked.figures)
    shares = MIXED if name == "mixed" else {name: 1.0}
    return {kind: max(1, int(most[kind] * share * part + 1e-6)) for kind, share in shares.items()}


async def main(part: float, seconds: float, names: list[str]) -> bool:
    stage.load()  # initialises GStreamer
    checked = await measure(usable_cores())
    if checked.costs is None:
        raise SystemExit("the capacity check does not work here")
    print(f"{os.cpu_count()} cores; the check says {checked.figures}; it waited {checked.costs.waited:.1f}", flush=True)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as directory:
        tracks: dict[str, list[Track]] = {"audio": [voice()]}
        for name in {kind for one in names for kind in wanted(checked, one, part)}:
            if rung := KINDS[name].rung:
                record(Path(directory) / name, rung.bitrate, f"{rung.width}x{rung.height}")
                tracks[name] = [tracks["audio"][0], picture(Path(directory) / name)]
        async with worker_pool() as pool:
            print("conference  booked  measured  cores  frames/s at least  calls")
            for name in names:
                one = await conference(pool, tracks, checked, name, wanted(checked, name, part), seconds)
                found.append(one)
                calls = " ".join(f"{count} {kind}" for kind, count in one.calls.items())
                print(
                    f"{one.name:10}  {one.booked:4} %  {one.measured:6} %  {one.cores:5.2f}  {one.frame_rate:17.1f}  "
                    f"{calls}{'' if one.true else '   NOT TRUE'}", flush=True,
                )  # fmt: skip
    return all(one.true for one in found)


if __name__ == "__main__":
    share, length, *chosen = [*sys.argv[1:], *("0.5", "5")[len(sys.argv) - 1 :]]
    every = chosen or ["hd", "sd", "full_hd", "audio", "mixed"]
    sys.exit(not asyncio.run(asyncio.wait_for(main(float(share), float(length), every), 175)))
