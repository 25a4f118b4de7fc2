"""The table of capacity, its page and its picture, from results as they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.capacity import page, plot
from bench.capacity.figures import KEYS, Figure, Machine, Results, Run, newest, table


def run(name: str, calls: int, cores: float, *wrong: str) -> Run:
    report: dict[str, Any] = {"reasons": list(wrong), "frames_per_second": 30.0, "ssim": 0.95, "longest_gap_ms": 0.0}
    return Run(
        name=name, calls=calls, cores=cores, worker_cores=cores, machine_cores=cores, memory=200_000_000,
        memory_before=150_000_000, report=report,
    )  # fmt: skip


HD = Figure(
    key="hd", title="HD calls", unit="calls", least=5, stretch=8, value=10.0,
    runs=(run("2 calls, SIP", 2, 0.2), run("8 calls, SIP", 8, 0.8), run("8 calls, WebRTC", 8, 1.4, "too slow")),
)  # fmt: skip
COST = Figure(key="floor", title="Cost", unit="times", least=1.6, stretch=1.25, lower=True, value=2.0)
NONE = Figure(key="audio", title="Audio", unit="calls", least=150, stretch=400)
RESULTS = Results(date="2026-01-02", machine=Machine(cores=2, model="Some"), seconds=1, figures=(HD, COST, NONE))


@pytest.mark.parametrize(("figure", "ratio"), [(HD, 2.0), (COST, 0.8), (NONE, None)], ids=["more", "less", "none"])
def test_above_one_is_better_than_wanted(figure: Figure, ratio: float | None) -> None:
    assert figure.ratio == ratio


def test_the_table_says_what_was_wanted_and_found() -> None:
    lines = table(RESULTS.figures).splitlines()
    assert [line.split()[1:] for line in lines[1:3]] == [
        ["calls", "5", "8", "10", "calls", "2.00"],
        ["under", "1.6", "under", "1.25", "2", "times", "0.80"],
    ]
    assert "no valid run" in lines[3]


def test_the_page_has_every_run_and_why_it_does_not_count() -> None:
    text = page.text(RESULTS)
    assert "| 8 calls, WebRTC | 1.40 |" in text
    assert "no: too slow" in text
    assert "| 8 | 64 | not measured | not measured |" in text  # 10 calls a core, eight cores, four fifths


def test_results_are_drawn_with_or_without_what_could_not_be_measured(tmp_path: Path) -> None:
    plot.png(RESULTS, tmp_path / "all.png")
    plot.png(msgspec.structs.replace(RESULTS, figures=(NONE,)), tmp_path / "none.png")
    assert (tmp_path / "all.png").read_bytes() != (tmp_path / "none.png").read_bytes()


def test_the_page_is_what_the_newest_results_say() -> None:
    results = newest()
    if results is None:
        pytest.skip("nothing has been measured yet")
    assert page.PATH.read_text() == page.text(results), "write it: python -m bench.capacity --page"
    assert {figure.key for figure in results.figures} <= set(KEYS)
