"""What the bench finds: rows with targets, runs behind them, and the file they are kept in."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).resolve().parents[1] / "results"
KEYS = (
    "hd", "floor", "auditorium", "auditorium-heeded", "audio", "memory-hd", "memory-audio", "lens-50", "lens-95",
    "mouth", "forwarded",
)  # fmt: skip
"""Of all rows, in their order."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One load and what it cost."""

    name: str
    calls: int
    cores: float
    """Of the node and its media workers together,"""
    worker_cores: float
    """and of the workers alone."""
    machine_cores: float
    """Of all processes of the machine: of the load, and of what else there was."""
    memory: int
    """Bytes of the node, while everybody was there,"""
    memory_before: int
    """and before."""
    report: dict[str, Any]
    """What the load says (`bench.load.meeting.Meeting.judged`)."""

    @property
    def valid(self) -> bool:
        return not self.report["reasons"]

    @property
    def per_call(self) -> float:
        """Cores."""
        return self.cores / self.calls

    @property
    def per_core(self) -> float:
        """Calls."""
        return self.calls / self.cores


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    key: str
    title: str
    unit: str
    least: float
    """What is wanted at least, or at most,"""
    stretch: float
    """and what would be better than that."""
    lower: bool = False
    """Lower is better."""
    value: float | None = None
    """None: no run was valid."""
    runs: tuple[Run, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Times what is wanted; above 1 is better."""
        if not self.value:
            return None
        return self.least / self.value if self.lower else self.value / self.least


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    cores: int
    model: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Of one day."""

    date: str
    machine: Machine
    seconds: float
    """That the bench took."""
    figures: tuple[Figure, ...]

    def figure(self, key: str) -> Figure | None:
        return next((one for one in self.figures if one.key == key), None)

    def save(self) -> Path:
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{self.date}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        return path


def newest() -> Results | None:
    """Of the latest day there are any of."""
    files = sorted(FOLDER.glob("[0-9]*.json"))
    return msgspec.json.decode(files[-1].read_bytes(), type=Results) if files else None


def machine() -> Machine:
    """This one."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(cores=os.cpu_count() or 1, model=models[0] if models else "unknown")


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def shown(value: float) -> str:
    """A figure, in three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


_HEADS = ("", "at least", "stretch", "this run", "ratio")


def cells(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The table, its heads first."""
    rows: list[tuple[str, ...]] = [_HEADS]
    for one in figures:
        bound = "under " if one.lower else ""
        value = "no valid run" if one.value is None else f"{shown(one.value)} {one.unit}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        rows.append((one.title, f"{bound}{one.least:g}", f"{bound}{one.stretch:g}", value, ratio))
    return rows


def table(figures: Sequence[Figure]) -> str:
    """As text."""
    rows = cells(figures)
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)
