"""Lines over time as drawings: from samples to coordinates (pure)."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from django.utils.translation import gettext

from rostra.management.loads import Sample

WIDTH, HEIGHT = 720, 160
"""Of the drawing; a page stretches it."""
_ROWS = 4

Point = tuple[float, float]
"""Unix seconds and a value."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line with its name and colour (`used` or `most`)."""

    name: str
    tone: str
    path: str
    """For the `d` of an SVG path; empty without samples."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plot:
    """A drawing."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    rows: tuple[tuple[float, str], ...]
    """Horizontal lines: where, and what value."""
    ticks: tuple[tuple[float, str], ...]
    """Moments: where, and which."""
    summary: str
    """For who does not see it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """From when to when, and how it is divided; Unix seconds."""

    since: float
    until: float
    step: float
    """Between samples; where none is for twice as long, the line has a gap."""
    tick: float
    form: str
    """How moments are written, as `strftime` has it."""


def path(points: Sequence[Point], span: Span, top: float) -> str:
    """Points as an SVG path, broken where there are none."""
    parts: list[str] = []
    before: float | None = None
    for time, value in points:
        x = WIDTH * (time - span.since) / (span.until - span.since)
        y = HEIGHT * (1 - min(value, top) / top)
        gap = before is None or time - before > 2 * span.step
        parts.append(f"M{x:.1f} {y:.1f}L{x:.1f} {y:.1f}" if gap else f"L{x:.1f} {y:.1f}")
        before = time
    return "".join(parts)


def percent(title: str, samples: Sequence[Sample], span: Span) -> Plot:
    """Media load in percent."""
    points = [(sample.time, sample.percent) for sample in samples if sample.time >= span.since]
    lines = (Line(gettext("Media load"), "used", path(points, span, 100.0)),)
    return Plot(title, "%", lines, _rows(100), _ticks(span), _told(points, " %"))


def connections(title: str, samples: Sequence[Sample], span: Span) -> Plot:
    """What is used of what would be possible, in audio-only connections (DIAG-090)."""
    inside = [sample for sample in samples if sample.time >= span.since]
    used = [(sample.time, sample.used) for sample in inside]
    most = [(sample.time, sample.capacity) for sample in inside]
    top = _round_up(max((value for _, value in most), default=0))
    lines = (
        Line(gettext("Maximum possible"), "most", path(most, span, top)),
        Line(gettext("In use"), "used", path(used, span, top)),
    )
    unit = gettext("audio connections")
    return Plot(title, unit, lines, _rows(top), _ticks(span), _told(used, f" {unit}"))


def _round_up(value: float) -> float:
    """A top that divides well."""
    unit = 10 ** max(0, len(str(int(value))) - 1)
    return max(4.0, -(-value // unit) * unit)


def _rows(top: float) -> tuple[tuple[float, str], ...]:
    return tuple((HEIGHT * (1 - row / _ROWS), f"{top * row / _ROWS:g}") for row in range(_ROWS + 1))


def _ticks(span: Span) -> tuple[tuple[float, str], ...]:
    found: list[tuple[float, str]] = []
    moment = -(-span.since // span.tick) * span.tick
    while moment <= span.until:
        text = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime(span.form)
        found.append((WIDTH * (moment - span.since) / (span.until - span.since), text))
        moment += span.tick
    return tuple(found)


def _told(points: Sequence[Point], unit: str) -> str:
    if not points:
        return gettext("Nothing was measured.")
    values = {"last": f"{points[-1][1]:.0f}{unit}", "highest": f"{max(value for _, value in points):.0f}{unit}"}
    return gettext("Last %(last)s, highest %(highest)s.") % values
