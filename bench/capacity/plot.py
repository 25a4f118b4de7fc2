"""A picture of the results: each row against what is wanted of it, and what a call costs by the size of the meeting."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cairo

from bench.capacity.figures import FOLDER, Figure, Results, Run, shown

PATH = Path(__file__).resolve().parents[2] / "docs" / "admin" / "images" / "capacity.svg"
_WIDTH, _ROW, _LEFT, _RIGHT = 960, 34, 380, 150
_TOP, _CHART = 84, 250
_INK, _GREY, _LINE = (0.13, 0.15, 0.2), (0.45, 0.48, 0.54), (0.86, 0.87, 0.9)
_GOOD, _FAIR, _BAD = (0.16, 0.55, 0.38), (0.88, 0.62, 0.16), (0.78, 0.27, 0.24)
_SERIES = ((0.15, 0.42, 0.75), (0.16, 0.55, 0.38), (0.62, 0.35, 0.68), (0.85, 0.5, 0.15))
_MOST = 4.0
"""Times what is wanted: longer bars are cut."""


def draw(results: Results) -> None:
    """Writes it for the page, and beside the results."""
    height = _height(results)
    for path in (PATH, FOLDER / f"{results.date}.svg"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with cairo.SVGSurface(str(path), _WIDTH, height) as surface:
            _paint(cairo.Context(surface), results, height)


def png(results: Results, path: Path) -> None:
    """The same in pixels."""
    height = _height(results)
    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, _WIDTH, int(height))
    _paint(cairo.Context(surface), results, height)
    surface.write_to_png(str(path))


def _height(results: Results) -> float:
    return _TOP + _ROW * len(results.figures) + 90 + _CHART + 60


def _paint(to: Any, results: Results, height: float) -> None:
    to.set_source_rgb(1, 1, 1)
    to.rectangle(0, 0, _WIDTH, height)
    to.fill()
    to.select_font_face("sans-serif", cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_NORMAL)
    _text(to, 24, 34, "Capacity of a Conferencing Node", size=20)
    _text(to, 24, 56, f"{results.date}, {results.machine.cores} cores, {results.machine.model}", colour=_GREY)
    for at, figure in enumerate(results.figures):
        _bar(to, _TOP + at * _ROW, figure)
    bottom = _TOP + _ROW * len(results.figures)
    scale = (_WIDTH - _LEFT - _RIGHT) / _MOST
    to.set_dash([4, 4])
    _stroke(to, [(_LEFT + scale, _TOP - 6), (_LEFT + scale, bottom)], _INK)
    to.set_dash([])
    _text(to, _LEFT + scale, bottom + 16, "wanted", colour=_GREY, centred=True)
    _text(to, _LEFT + 2 * scale, bottom + 16, "twice as good", colour=_GREY, centred=True)
    _text(to, _WIDTH - _RIGHT, bottom + 16, "marks: the stretch", colour=_GREY, right=True)
    costs = {one.key: one for one in results.figures}
    half = (_WIDTH - 72) / 2
    top = bottom + 64
    if "hd" in costs and costs["hd"].runs:
        _lines(
            to, (24, top, half), "One HD call, thousandths of a core, by calls in the meeting", _by_kind(costs["hd"])
        )
    if "audio" in costs and costs["audio"].runs:
        _lines(to, (48 + half, top, half), "One audio call, thousandths of a core, by calls", _by_kind(costs["audio"]))


def _bar(to: Any, y: float, figure: Figure) -> None:
    scale = (_WIDTH - _LEFT - _RIGHT) / _MOST
    _text(to, _LEFT - 12, y + 19, figure.title, right=True)
    ratio = figure.ratio
    if ratio is None:
        _text(to, _LEFT + 8, y + 19, "no valid run", colour=_BAD)
        return
    stretch = figure.least / figure.stretch if figure.lower else figure.stretch / figure.least
    to.set_source_rgb(*(_GOOD if ratio >= stretch else _FAIR if ratio >= 1 else _BAD))
    to.rectangle(_LEFT, y + 5, scale * min(ratio, _MOST), 20)
    to.fill()
    if stretch <= _MOST:
        _stroke(to, [(_LEFT + scale * stretch, y + 2), (_LEFT + scale * stretch, y + 28)], _INK)
    bound = "under " if figure.lower else ""
    _text(to, _WIDTH - _RIGHT + 16, y + 16, f"{shown(figure.value or 0)} {figure.unit}", size=13)
    _text(to, _WIDTH - _RIGHT + 16, y + 28, f"wanted {bound}{figure.least:g}", colour=_GREY, size=10)


def _by_kind(figure: Figure) -> dict[str, list[Run]]:
    """Runs by what is behind their number of calls."""
    found: dict[str, list[Run]] = {}
    for one in figure.runs:
        found.setdefault(one.name.partition(", ")[2], []).append(one)
    return {kind: sorted(runs, key=lambda run: run.calls) for kind, runs in found.items()}


def _lines(to: Any, place: tuple[float, float, float], title: str, series: dict[str, list[Run]]) -> None:
    x, y, width = place
    _text(to, x, y, title, size=13)
    left, top, right, bottom = x + 40, y + 16, x + width - 8, y + _CHART - 40
    runs = [run for one in series.values() for run in one]
    most = max(run.calls for run in runs)
    unit = _step(max(1000 * run.per_call for run in runs) * 1.1)
    highest = unit * math.ceil(max(1000 * run.per_call for run in runs) * 1.1 / unit)

    def at(run: Run) -> tuple[float, float]:
        return left + (right - left) * run.calls / most / 1.05, bottom - (bottom - top) * 1000 * run.per_call / highest

    for step in range(round(highest / unit) + 1):
        level = bottom - (bottom - top) * step * unit / highest
        _stroke(to, [(left, level), (right, level)], _LINE)
        _text(to, left - 6, level + 4, shown(step * unit), colour=_GREY, right=True, size=11)
    for calls in sorted({run.calls for run in runs}):
        _text(
            to,
            left + (right - left) * calls / most / 1.05,
            bottom + 16,
            str(calls),
            colour=_GREY,
            centred=True,
            size=11,
        )
    for number, (kind, found) in enumerate(series.items()):
        colour = _SERIES[number % len(_SERIES)]
        _stroke(to, [at(run) for run in found], colour, width=2)
        for run in found:
            to.new_path()
            to.arc(*at(run), 4, 0, 2 * math.pi)
            to.set_source_rgb(*colour)
            (to.fill if run.valid else to.stroke)()
        _text(to, x + 40 + number * 110, y + _CHART - 4, kind, colour=colour, size=12)
    _text(to, x + 40, y + _CHART + 14, "hollow: the run does not count", colour=_GREY, size=11)


def _step(highest: float) -> float:
    power = 10 ** math.floor(math.log10(highest / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if highest / (power * factor) <= 5)


def _stroke(to: Any, points: list[tuple[float, float]], colour: tuple[float, float, float], width: float = 1) -> None:
    to.new_path()
    to.set_source_rgb(*colour)
    to.set_line_width(width)
    move: Callable[..., None] = to.move_to
    for point in points:
        move(*point)
        move = to.line_to
    to.stroke()


def _text(
    to: Any, x: float, y: float, text: str, *, size: float = 12, colour: tuple[float, float, float] = _INK,
    right: bool = False, centred: bool = False,
) -> None:  # fmt: skip
    to.set_font_size(size)
    width = to.text_extents(text).x_advance
    to.set_source_rgb(*colour)
    to.move_to(x - (width if right else width / 2 if centred else 0), y)
    to.show_text(text)
