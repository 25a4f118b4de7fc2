"""What of a process may grow, seen over time: samples, the lines through them, a plot."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

LIMITS = {
    "worker_allocated_megabytes": 3.0,
    "worker_megabytes": 60.0,
    "worker_proportional_megabytes": 60.0,
    "worker_threads": 4.0,
    "worker_descriptors": 6.0,
    "keeper_megabytes": 15.0,
    "keeper_threads": 3.0,
    "keeper_descriptors": 3.0,
    "delay_ms": 10.0,
}
"""By how much each may have grown from the first half of a run to the second. What a worker has allocated tells a leak;
what it takes is up to so much more at one time than at another, since the allocator keeps what was freed."""
_WIDTH, _HEIGHT, _LEFT = 900, 110, 250


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look."""

    seconds: float
    worker_allocated_megabytes: float
    worker_megabytes: float
    worker_proportional_megabytes: float
    worker_threads: int
    worker_descriptors: int
    keeper_megabytes: float
    keeper_threads: int
    keeper_descriptors: int
    delay_ms: float | None
    """Of sound; None: nothing was heard."""
    rest: bool = False
    """All who come and go had gone."""

    @classmethod
    def of(cls, seconds: float, worker: int, allocated: int, delay: float | None, *, rest: bool) -> Sample:
        """Of a worker's process, which has so many bytes allocated, and this one, which keeps it."""
        own = os.getpid()
        return cls(
            seconds=round(seconds, 1), worker_allocated_megabytes=round(allocated / 1e6, 2),
            worker_megabytes=memory(worker, "Rss"), worker_proportional_megabytes=memory(worker, "Pss"),
            worker_threads=entries(worker, "task"), worker_descriptors=entries(worker, "fd"),
            keeper_megabytes=memory(own, "Rss"), keeper_threads=entries(own, "task"),
            keeper_descriptors=entries(own, "fd"), delay_ms=delay, rest=rest,
        )  # fmt: skip

    @property
    def line(self) -> str:
        delay = "silent" if self.delay_ms is None else f"{self.delay_ms:.1f} ms"
        memory = f"{self.worker_megabytes:6.1f} MB ({self.worker_proportional_megabytes:.0f})"
        worker = f"{self.worker_allocated_megabytes:5.1f} of {memory} {self.worker_threads:3}"
        keeper = f"{self.keeper_megabytes:6.1f} MB {self.keeper_threads:3}"
        return (
            f"{self.seconds:7.0f} s  worker {worker} threads {self.worker_descriptors:3} files  "
            f"keeper {keeper} threads {self.keeper_descriptors:3} files  sound {delay}"
        )


def memory(process: int, what: str) -> float:
    """Megabytes: `Rss`, or `Pss`, where shared pages count in parts (proc(5))."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == what:
            return int(value.split()[0]) / 1024
    return 0.0


def entries(process: int, directory: str) -> int:
    return len(list(Path(f"/proc/{process}/{directory}").iterdir()))


def settled(seen: Sequence[Sample]) -> Sequence[Sample]:
    """Without the first fifth, in which pools and caches fill."""
    return seen[len(seen) // 5 :]


def slopes(seen: Sequence[Sample]) -> dict[str, float]:
    """By how much each grows in an hour."""
    found: dict[str, float] = {}
    for name in LIMITS:
        pairs = [(one.seconds, float(value)) for one in settled(seen) if (value := getattr(one, name)) is not None]
        if len(pairs) > 2:
            found[name] = round(3600 * statistics.linear_regression(*zip(*pairs, strict=True)).slope, 2)
    return found


def growth(seen: Sequence[Sample]) -> dict[str, float]:
    """How much more was the least there was, at rest if there were rests, in the second half than in the first.

    Of delay it is the median. A leak raises the least; what is busy at the moment does not.
    """
    rests = [one for one in settled(seen) if one.rest]
    found: dict[str, float] = {}
    for name in LIMITS:
        delay = name == "delay_ms"
        looks = settled(seen) if delay or len(rests) < 4 else rests
        values = [float(value) for one in looks if (value := getattr(one, name)) is not None]
        if len(values) > 3:
            halves = values[: len(values) // 2], values[len(values) // 2 :]
            before, after = (statistics.median(half) if delay else min(half) for half in halves)
            found[name] = round(after - before, 2)
    return found


def verdict(grown: Mapping[str, float], happened: Mapping[str, object]) -> list[str]:
    """What grows, or was left behind."""
    wrong: list[str] = []
    for name, most in LIMITS.items():
        if name not in grown:
            wrong.append(f"{name}: nothing was measured")
        elif grown[name] > most:
            wrong.append(f"{name} grew by {grown[name]:.1f}")
    if happened.get("deaf_browsers"):
        wrong.append(f"browsers that got nothing: {happened['deaf_browsers']}")
    if happened["left_encoders"]:
        wrong.append(f"encoders are left: {happened['left_encoders']}")
    if set(happened["left_legs"]) - {"ear", "mouth"}:  # type: ignore[call-overload]
        wrong.append(f"legs are left: {happened['left_legs']}")
    return wrong


def draw(seen: Sequence[Sample]) -> str:
    """All of it over time, as SVG."""
    rows = [_row(name, seen, number) for number, name in enumerate(LIMITS)]
    height = _HEIGHT * len(LIMITS) + 30
    axis = (
        f'<text x="{_LEFT}" y="{height - 8}">0</text>'
        f'<text x="{_WIDTH - 20}" y="{height - 8}" text-anchor="end">{seen[-1].seconds / 60:.1f} min</text>'
    )
    style = "font:13px sans-serif;background:#fff"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" style="{style}">'
        f"{''.join(rows)}{axis}</svg>\n"
    )


def _row(name: str, seen: Sequence[Sample], number: int) -> str:
    points = [(one.seconds, float(value)) for one in seen if (value := getattr(one, name)) is not None]
    if not points:
        return ""
    most, last = max(value for _, value in points), seen[-1].seconds
    top = number * _HEIGHT + 10

    def at(seconds: float, value: float) -> str:
        x = _LEFT + (_WIDTH - 20 - _LEFT) * seconds / last
        return f"{x:.1f},{top + (_HEIGHT - 20) * (1 - value / (most or 1)):.1f}"

    line = " ".join(at(*point) for point in points)
    label = name.replace("_", " ")
    return (
        f'<text x="8" y="{top + 20}">{label}</text>'
        f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{most:g}</text>'
        f'<path d="M{_LEFT},{top} V{top + _HEIGHT - 20} H{_WIDTH - 20}" fill="none" stroke="#999"/>'
        f'<polyline points="{line}" fill="none" stroke="#16609c" stroke-width="2"/>'
    )
