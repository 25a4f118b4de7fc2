from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from rostra.cli import capacity
from rostra.cli.capacity import NotMeasured, draw, of_node
from rostra.environment import Environment
from rostra.fabric import status
from rostra.media.selfcheck import Checked, estimate


@pytest.mark.spec("PLAT-077", "PLAT-088")
def test_the_table_says_what_a_core_takes() -> None:
    costs = {"hd": 0.1, "sd": 0.05, "audio": 0.01, "full_hd": 0.25}
    found = status.Capacity(cores=4.0, hd=32, sd=64, audio=320, full_hd=12, costs=costs)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(draw(found))
    lines = [line.split() for line in console.export_text().splitlines()]
    assert ["HD", "(720p)", "0.100", "8.0", "32"] in lines
    assert ["sound", "only", "0.010", "80.0", "320"] in lines


async def test_where_no_node_runs_none_is_asked(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="no Conferencing Node"):
        await of_node(dataclasses.replace(environment, home=tmp_path))


async def test_an_engine_that_does_not_run_is_no_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    async def estimated(cores: float) -> Checked:
        return Checked(cores=cores, figures=estimate(cores))

    monkeypatch.setattr(capacity, "measure", estimated)
    with pytest.raises(NotMeasured, match="does not run here"):
        await capacity.of_machine()
