"""The rows of the table: what is wanted, and by which loads it is measured."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench import delay
from bench.capacity.figures import Figure, Run
from bench.capacity.node import GUEST_PIN, HOST_PIN, Measured
from bench.capacity.runs import run
from bench.load.meeting import LOAD_LATE, Group, Plan

_HD_SIZES = (2, 4, 8)
_LARGER_HD = (12, 16, 24)
"""Calls of one meeting that are tried as long as the machine carries them."""
_SHARED = "in a meeting of more than eight, all who are not seen share one picture, so each more is cheaper"
_AUDIO_SIZES = (20, 100)
_LARGER_AUDIO = (200, 300)
_GUESTS = (10, 30)
_MORE_GUESTS = (60, 80, 100)
_WARMING, _HEEDED = 3.0, 10.0
"""Seconds before it is measured; and until who is not seen large has been asked for less."""
_TURN = 3.0
"""Seconds that somebody speaks."""
_AMPLE = 2_500_000
"""bit/s that receivers take of video, where what senders send shall fit."""
_BOTH = ("OPUS", "PCMU")


class Bench:
    """What rows need: the node, somewhere to say what is found, and until when there is time for more."""

    def __init__(self, node: Measured, say: Callable[[str], None], until: float) -> None:
        self.node = node
        self.say = say
        self._until = until

    @property
    def time_left(self) -> bool:
        return time.monotonic() < self._until

    def plan(self, alias: str, *groups: Group, **more: Any) -> Plan:
        node = self.node
        return Plan(
            address=node.address, sip_port=node.sip_port, web=node.web, alias=alias, groups=groups, **more
        )  # fmt: skip

    def attempt(self, name: str, plan: Plan, **options: float) -> Run:
        """A run; what came of it is said. Where nothing is wrong but that the load was late, it is made once more."""
        made = run(self.node, name, plan, **options)
        if made.report["reasons"] and all(one.startswith(LOAD_LATE) for one in made.report["reasons"]):
            made = run(self.node, name, plan, **options)
        report = made.report
        likeness = f"SSIM {report['ssim']:.3f}, " if report["ssim"] else ""
        frames = f"{report['frames_per_second']:.1f} frames/s, " if report["frames_per_second"] else ""
        verdict = "valid" if made.valid else "does not count: " + "; ".join(report["reasons"])
        self.say(
            f"  {name}: {made.cores:.2f} cores, {1000 * made.per_call:.1f} mcores a call, {made.per_core:.1f} calls a "
            f"core, {frames}{likeness}gap {report['longest_gap_ms']:.0f} ms, load and others "
            f"{made.machine_cores - made.cores:.2f} cores: {verdict}"
        )
        return made

    def larger(self, runs: list[Run], sizes: Sequence[int], make: Callable[[int], Run]) -> str:
        """More and more calls, until a run does not count or time is up; says what the largest was."""
        for size in sizes:
            if not (runs[-1].valid and self.time_left):
                break
            runs.append(make(size))
        largest = max((one.calls for one in runs if one.valid), default=0)
        end = "" if not runs[-1].valid else ", and nothing larger was tried"
        return f"largest valid run: {largest} calls{end}"

    def floor(self, picture: str, sound: str, count: int = 4, seconds: float = 4.0) -> dict[str, Any]:
        """Cores of decoding and encoding one call's streams alone (`bench.capacity.floor`)."""
        command = [sys.executable, "-m", "bench.capacity.floor", picture or "-", sound, str(count), str(seconds)]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
        floor = json.loads(found.stdout.splitlines()[-1])
        like = f", SSIM of the codec alone {floor['ssim']:.3f}" if floor["ssim"] else ""
        self.say(
            f"  codec floor {picture} {sound}: {1000 * floor['decode']:.1f} + {1000 * floor['encode']:.1f} "
            f"mcores a call{like}"
        )
        return floor


def best(runs: Sequence[Run]) -> float | None:
    """Most calls a core of those that count."""
    return max((one.per_core for one in runs if one.valid), default=None)


def hd(bench: Bench) -> list[Figure]:
    alias = bench.node.room("hd")

    def met(size: int, name: str = "SIP", **more: Any) -> Run:
        return bench.attempt(f"{size} calls, {name}", bench.plan(alias, Group(calls=size, **more), turn=_TURN))

    runs = [met(size) for size in _HD_SIZES]
    eight = runs[-1]
    floor = bench.floor("H264", "OPUS")
    alone = floor["decode"] + floor["encode"]
    larger = [eight]
    note = bench.larger(larger, _LARGER_HD, lambda size: met(size, "one meeting"))
    others = larger[1:]
    others += [met(8, "SRTP", protocol="srtp")]
    others += [met(8, "WebRTC, H.264", protocol="webrtc")]
    others += [met(size, "WebRTC, VP8", protocol="webrtc", picture="VP8") for size in _HD_SIZES]
    other_floor = bench.floor("VP8", "OPUS")
    other_alone = other_floor["decode"] + other_floor["encode"]
    notes = (
        f"floor of H.264: {1000 * alone:.1f} mcores a call, SSIM {floor['ssim']:.3f}",
        f"floor of VP8: {1000 * other_alone:.1f} mcores a call, SSIM {other_floor['ssim']:.3f}",
    )
    return [
        Figure(
            key="hd", title="HD calls per vCPU, everybody individually composed", least=5, stretch=8, unit="calls",
            value=eight.per_core if eight.valid else None, runs=(*runs, *others), notes=(note, _SHARED),
        ),
        Figure(
            key="floor", title="Cost over the codec floor at 8 calls", least=1.6, stretch=1.25, unit="times",
            lower=True, value=eight.per_call / alone if eight.valid else None, notes=notes,
        ),
        memory(runs[0], eight, "hd"),
    ]  # fmt: skip


def memory(small: Run, large: Run, kind: str) -> Figure:
    """By how much the node grows with each call, between two sizes."""
    slope = (large.memory - small.memory) / (large.calls - small.calls) / 1e6
    least, stretch, title = (60, 30, "Memory per HD call") if kind == "hd" else (4, 1.5, "Memory per audio call")
    return Figure(
        key=f"memory-{kind}", title=title, least=least, stretch=stretch, unit="MB", lower=True, value=max(slope, 0.01)
    )


def hall(bench: Bench, alias: str, **settings: Any) -> str:
    """An auditorium."""
    return bench.node.room(
        alias, service_type="lecture", pin=HOST_PIN, allow_guests=True, guest_pin=GUEST_PIN, **settings
    )  # fmt: skip


def auditorium(bench: Bench) -> list[Figure]:
    """Twice: with guests who send HD whatever they are asked for, and with such who send what is asked (TMMBR)."""
    alias = hall(bench, "hall")

    def met(size: int, *, heeds: bool) -> Run:
        groups = (
            Group(calls=1, alias=f"{alias}**{HOST_PIN}", sees=min(7, size), recorded=0),
            Group(calls=size, alias=f"{alias}**{GUEST_PIN}", sees=1, layout="1:0", recorded=4, heeds=heeds),
        )
        name = f"{size} guests{', who heed' if heeds else ''}"
        return bench.attempt(
            name, bench.plan(alias, *groups, turn=0.0, talkers=1), warming=_HEEDED if heeds else _WARMING
        )

    return [
        _guests(
            bench, "auditorium", "HD auditorium guests per vCPU (one host), who all send HD", partial(met, heeds=False)
        ),
        _guests(bench, "auditorium-heeded", "The same, who send what they are asked for", partial(met, heeds=True)),
    ]


def _guests(bench: Bench, key: str, title: str, met: Callable[[int], Run]) -> Figure:
    runs = [met(size) for size in _GUESTS]
    note = bench.larger(runs, _MORE_GUESTS, met)
    guests = [(one.calls - 1) / one.cores for one in runs if one.valid]
    return Figure(
        key=key, title=title, least=60, stretch=150, unit="guests", value=max(guests, default=None), runs=tuple(runs),
        notes=(note,),
    )  # fmt: skip


def audio(bench: Bench) -> list[Figure]:
    alias = bench.node.room("audio")

    def met(size: int) -> Run:
        group = Group(calls=size, picture="", sound=_BOTH)
        return bench.attempt(f"{size} calls, 3 speaking", bench.plan(alias, group, together=3, turn=0.0))

    runs = [met(size) for size in _AUDIO_SIZES]
    note = bench.larger(runs, _LARGER_AUDIO, met)
    floors = [bench.floor("", codec, 20, 3.0) for codec in _BOTH]
    alone = statistics.mean(one["decode"] + one["encode"] for one in floors)
    return [
        Figure(
            key="audio", title="Audio-only calls per vCPU, Opus and G.711, 3 speaking", least=150, stretch=400,
            unit="calls", value=best(runs[1:]), runs=tuple(runs),
            notes=(note, f"codec floor: {1000 * alone:.2f} mcores a call"),
        ),
        memory(runs[0], runs[1], "audio"),
    ]  # fmt: skip


def forwarded(bench: Bench) -> list[Figure]:
    """One source fills each picture; the legs agree on their codec or not."""
    full: dict[str, Any] = {"sees": 1, "layout": "1:0", "bandwidth": _AMPLE}
    theme = bench.node.plain_theme()
    alias = hall(bench, "plain", ivr_theme=theme)

    def met(name: str, *pictures: str) -> Run:
        host = Group(calls=1, alias=f"{alias}**{HOST_PIN}", recorded=0)
        guests = (Group(calls=2, alias=f"{alias}**{GUEST_PIN}", picture=one, **full) for one in pictures)
        return bench.attempt(name, bench.plan(alias, host, *guests, turn=0.0), seconds=8.0)

    def called(name: str, far: str, near: str) -> Run:
        groups = (
            Group(calls=1, protocol="called", picture=far, **full),
            Group(calls=1, picture=near, **full),
        )
        return bench.attempt(name, bench.plan(bench.node.gateway(), *groups, turn=_TURN), seconds=8.0)

    runs = [
        met("host and 4 guests, all of H.264", "H264", "H264"),
        met("host and 4 guests, two of them of VP8", "H264", "VP8"),
        met("host and 4 guests, all guests of VP8", "VP8", "VP8"),
    ]
    agreed = called("gateway call, both of H.264", "H264", "H264")
    mixed = called("gateway call, H.264 and VP8", "H264", "VP8")
    runs += [agreed, mixed]
    cheaper = mixed.cores / agreed.cores if agreed.valid else None
    return [
        Figure(
            key="forwarded", title="Gateway calls cheaper where both legs have one codec", least=1.5, stretch=4,
            unit="times", value=cheaper, runs=tuple(runs),
            notes=tuple(f"{one.name}: {1000 * one.per_call:.1f} mcores a call" for one in runs),
        )
    ]  # fmt: skip


def delays(bench: Bench) -> list[Figure]:
    """Through a worker, less the same peers without it; the way of sound is whole."""

    async def both() -> tuple[delay.Delays, delay.Delays]:
        return await delay.direct(5.0), await delay.engine(12.0)

    without, through = asyncio.run(asyncio.wait_for(both(), 60))
    pictures = [_centiles(one[0]) for one in (through, without)]
    sound = _centiles(through[1])
    middle, late = (pictures[0][at] - pictures[1][at] for at in range(2))
    bench.say(f"  pictures through the engine {pictures[0]} ms, directly {pictures[1]} ms; sound {sound} ms (p50, p95)")
    notes = (
        f"pictures, from drawn to decoded: p50 {pictures[0][0]} ms through the engine, {pictures[1][0]} ms without it",
        "sound, from the packet that is sent to the packet that comes: what endpoints add is left out",
    )
    return [
        Figure(
            key="lens-50", title="Added delay, lens to lens, p50", least=120, stretch=80, unit="ms", lower=True,
            value=middle,
        ),
        Figure(
            key="lens-95", title="Added delay, lens to lens, p95", least=180, stretch=120, unit="ms", lower=True,
            value=late, notes=notes,
        ),
        Figure(
            key="mouth", title="Mouth to ear through the engine, p50", least=80, stretch=50, unit="ms", lower=True,
            value=sound[0],
        ),
    ]  # fmt: skip


def _centiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p95, in milliseconds. Raises RuntimeError when too little has arrived."""
    if len(seconds) < 20:
        raise RuntimeError(f"only {len(seconds)} pictures or clicks have arrived")
    ordered = sorted(1000 * value for value in seconds)
    return round(statistics.median(ordered), 1), round(ordered[int(0.95 * len(ordered))], 1)


ROWS: dict[str, Callable[[Bench], list[Figure]]] = {
    "hd": hd,
    "auditorium": auditorium,
    "audio": audio,
    "forwarded": forwarded,
    "delay": delays,
}
