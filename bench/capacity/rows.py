"""The rows of the table: what is measured, what is wanted of it, and by which loads."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from bench.capacity.node import GUEST_PIN, HOST_PIN, Measured
from bench.capacity.runs import Run, run
from bench.load.meeting import Group, Plan


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A run and what it is called."""

    name: str
    run: Run


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    key: str
    title: str
    least: float
    stretch: float
    unit: str
    lower: bool = False
    """Lower is better."""
    value: float | None = None
    """None: no run was valid."""
    runs: tuple[Loaded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Times the least that is wanted; above 1 is better."""
        if not self.value:
            return None
        return self.least / self.value if self.lower else self.value / self.least


def plan(node: Measured, alias: str, *groups: Group, **more: Any) -> Plan:
    return Plan(
        address=node.address, sip_port=node.sip_port, web=node.web, alias=alias, groups=groups, **more
    )  # fmt: skip


def floor(picture: str, sound: str, count: int = 4, seconds: float = 4.0, others: int = 7) -> dict[str, Any]:
    """Cores of decoding and encoding one call's streams alone (`bench.capacity.floor`)."""
    command = [
        sys.executable,
        "-m",
        "bench.capacity.floor",
        picture or "-",
        sound,
        str(count),
        str(seconds),
        str(others),
    ]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(found.stdout.splitlines()[-1])


Say = Callable[[str], None]


def attempt(node: Measured, name: str, what: Plan, say: Say, **options: float) -> Loaded:
    """A run; what came of it is said."""
    made = Loaded(name=name, run=run(node, what, **options))
    one, report = made.run, made.run.report
    likeness = f"SSIM {report['ssim']:.3f}, " if report["ssim"] else ""
    frames = f"{report['frames_per_second']:.1f} frames/s, " if report["frames_per_second"] else ""
    elsewhere = one.machine_cores - one.cores
    verdict = "valid" if one.valid else "does not count: " + "; ".join(report["reasons"])
    say(
        f"  {name}: {one.cores:.2f} cores, {1000 * one.per_call:.1f} mcores a call, {one.per_core:.1f} calls a core, "
        f"{frames}{likeness}gap {report['longest_gap_ms']:.0f} ms, load and others {elsewhere:.2f} cores: {verdict}"
    )
    return made


def best(runs: list[Loaded]) -> float | None:
    """Most calls a core of those that count."""
    return max((one.run.per_core for one in runs if one.run.valid), default=None)


def hd(node: Measured, say: Say) -> list[Figure]:
    alias = node.room("hd")
    runs = [
        attempt(node, f"{size} calls, SIP", plan(node, alias, Group(calls=size), turn=3.0), say) for size in (2, 4, 8)
    ]
    mixed = (
        ("8 calls, SRTP", Group(calls=8, protocol="srtp")),
        ("2 calls, WebRTC", Group(calls=2, protocol="webrtc", picture="VP8")),
        ("4 calls, WebRTC", Group(calls=4, protocol="webrtc", picture="VP8")),
        ("8 calls, WebRTC", Group(calls=8, protocol="webrtc", picture="VP8")),
    )
    runs += [attempt(node, name, plan(node, alias, group, turn=3.0), say) for name, group in mixed]
    floors = {codec: floor(codec, "OPUS") for codec in ("H264", "VP8")}
    for codec, found in floors.items():
        say(
            f"  codec floor, {codec}: {1000 * found['decode']:.1f} + {1000 * found['encode']:.1f} mcores a call, "
            f"SSIM {found['ssim']:.3f}"
        )
    eight = next(one.run for one in runs if one.name == "8 calls, SIP")
    alone = floors["H264"]["decode"] + floors["H264"]["encode"]
    over = eight.per_call / alone
    larger = [one for one in runs if one.run.calls == 8]
    largest = max((one.run.calls for one in runs if one.run.valid), default=0)
    return [
        Figure(
            key="hd", title="HD calls per vCPU, everybody individually composed", least=5, stretch=8, unit="calls",
            value=best(larger), runs=tuple(runs), notes=(f"largest valid run: {largest} calls",),
        ),
        Figure(
            key="floor", title="Cost over the codec floor at 8 calls", least=1.6, stretch=1.25, unit="times",
            lower=True, value=over if eight.valid else None,
            notes=(f"floor {1000 * alone:.1f} mcores a call, SSIM of the codec alone {floors['H264']['ssim']:.3f}",),
        ),
        memory(next(one.run for one in runs if one.name == "2 calls, SIP"), eight, "hd"),
    ]  # fmt: skip


def memory(small: Run, large: Run, kind: str) -> Figure:
    """By how much the node grows with each call, between two sizes."""
    slope = (large.memory - small.memory) / (large.calls - small.calls) / 1e6
    least, stretch, title = (60, 30, "Memory per HD call") if kind == "hd" else (4, 1.5, "Memory per audio call")
    return Figure(
        key=f"memory-{kind}", title=title, least=least, stretch=stretch, unit="MB", lower=True, value=max(slope, 0.01)
    )


def audio(node: Measured, say: Say) -> list[Figure]:
    alias = node.room("audio")
    runs = [
        attempt(
            node, f"{size} calls, 3 speaking",
            plan(node, alias, Group(calls=size, picture="", sound=("OPUS", "PCMU")), together=3, turn=0.0), say,
        )
        for size in (20, 100)
    ]  # fmt: skip
    both = [floor("", codec, 20, 3.0) for codec in ("OPUS", "PCMU")]
    alone = statistics.mean(one["decode"] + one["encode"] for one in both)
    say(f"  codec floor: {1000 * alone:.2f} mcores a call")
    return [
        Figure(
            key="audio", title="Audio-only calls per vCPU, Opus and G.711, 3 speaking", least=150, stretch=400,
            unit="calls", value=best(runs[1:]), runs=tuple(runs),
            notes=(f"codec floor {1000 * alone:.2f} mcores a call",),
        ),
        memory(runs[0].run, runs[1].run, "audio"),
    ]  # fmt: skip


def auditorium(node: Measured, say: Say) -> list[Figure]:
    alias = node.room("hall", service_type="lecture", pin=HOST_PIN, allow_guests=True, guest_pin=GUEST_PIN)
    runs = []
    for size in (10, 30):
        groups = (
            Group(calls=1, alias=f"{alias}**{HOST_PIN}", sees=size, recorded=0),
            Group(calls=size, alias=f"{alias}**{GUEST_PIN}", sees=1, layout="1:0"),
        )
        runs.append(attempt(node, f"{size} guests", plan(node, alias, *groups, turn=0.0, talkers=1), say))
    guests = [one.run.per_core * (one.run.calls - 1) / one.run.calls for one in runs if one.run.valid]
    return [
        Figure(
            key="auditorium", title="HD auditorium guests per vCPU (one host)", least=60, stretch=150, unit="guests",
            value=max(guests, default=None), runs=tuple(runs),
        )
    ]  # fmt: skip


ROWS: dict[str, Callable[[Measured, Say], list[Figure]]] = {"hd": hd, "auditorium": auditorium, "audio": audio}
