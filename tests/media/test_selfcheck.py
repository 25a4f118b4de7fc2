from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from rostra.domain.capacity import Figures
from rostra.environment import Environment, EnvironmentProblem
from rostra.media.selfcheck import CROWDED, Costs, estimate, figures, measure, usable_cores
from rostra.media.selfcheck.crowding import waited


@pytest.mark.spec("PLAT-077", "POL-121", "POL-122")
async def test_a_node_measures_what_it_can_take() -> None:
    with capture_logs() as logged:
        found = await measure(2.0)
    (entry,) = logged
    assert entry["event"] == "Capacity measured", entry
    assert found.costs is not None
    assert 0 < found.costs.audio < found.costs.sd < found.costs.hd < found.costs.full_hd
    assert 0.005 < found.costs.hd < 2, "cores of an HD call: neither nothing nor a whole machine"
    assert found.figures == figures(found.costs, 2.0)


def test_calls_that_fit_into_the_cores() -> None:
    costs = Costs(hd=0.13, sd=0.08, audio=0.02, full_hd=0.3)
    assert figures(costs, 2) == Figures(hd=12, sd=20, audio=80, full_hd=5)
    assert figures(costs, 16).hd == 98
    assert figures(costs, 0.1) == Figures(hd=1, sd=1, audio=4, full_hd=0)


@pytest.mark.parametrize(("waiting", "crowded"), [(0.1, False), (CROWDED + 0.1, True)])
async def test_a_machine_that_is_busy_otherwise_is_noticed(waiting: float, crowded: bool) -> None:
    told = f'{{"hd": 0.13, "sd": 0.08, "audio": 0.02, "full_hd": 0.3, "waited": {waiting}}}'
    found = await measure(2.0, command=python(f"print('{told}')"))
    assert found.crowded is crowded
    assert found.figures.hd == 12


def test_the_kernel_counts_how_long_we_wait(tmp_path: Path) -> None:
    assert waited() >= 0
    for number, text in enumerate(("100 2000000000 7", "5 500000000 1", "not counted")):
        thread = tmp_path / str(number)
        thread.mkdir()
        (thread / "schedstat").write_text(text)
    (tmp_path / "gone").mkdir()
    assert waited(tmp_path) == 2.5


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


@pytest.mark.spec("POL-121")
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (python("import os; os.abort()"), "ended with -6"),
        (python("raise SystemExit('no such codec')"), "no such codec"),
        (python("print('about forty')"), "result not understood"),
        (python('print(\'{"hd": 0.0, "sd": 0.1, "audio": 0.1, "full_hd": 1}\')'), "impossible result"),
        (("/nowhere/selfcheck",), "No such file"),
    ],
)
async def test_a_check_that_fails_harms_nobody(command: tuple[str, ...], reason: str) -> None:
    with capture_logs() as logged:
        found = await measure(10.0, command=command)
    assert found.figures == Figures(hd=20, sd=40, audio=200, full_hd=10)
    assert not found.crowded
    (entry,) = logged
    assert entry["log_level"] == "warning"
    assert reason in entry["problem"]


async def test_a_check_that_hangs_is_ended(tmp_path: Path) -> None:
    noted = tmp_path / "process"
    with capture_logs() as logged:
        found = await measure(1.0, command=("sh", "-c", f"echo $$ > {noted}; exec sleep 60"), timeout=2.0)
    assert found.figures == estimate(1.0)
    assert "no result within 2 s" in logged[0]["problem"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


async def test_a_check_no_longer_waited_for_is_ended(tmp_path: Path) -> None:
    noted = tmp_path / "process"
    command = ("sh", "-c", f"echo $$ > {noted}.new; mv {noted}.new {noted}; exec sleep 60")
    measuring = asyncio.create_task(measure(1.0, command=command))
    async with asyncio.timeout(10):
        while not noted.exists():  # noqa: ASYNC110  (a file tells nobody)
            await asyncio.sleep(0.01)
    measuring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await measuring
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


@pytest.mark.parametrize("text", ["-1", "1.5", "many"])
def test_a_capacity_that_is_none(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match="ROSTRA_CAPACITY"):
        Environment.load({"ROSTRA_CAPACITY": text})


def test_the_cores_of_a_container(tmp_path: Path) -> None:
    limit, all_cores = tmp_path / "cpu.max", float(len(os.sched_getaffinity(0)))
    assert usable_cores(limit) == all_cores
    for text, expected in (("max 100000\n", all_cores), ("50000 100000\n", 0.5), ("99900000 100000\n", all_cores)):
        limit.write_text(text)
        assert usable_cores(limit) == expected


async def test_asking_for_the_check_loads_no_media_into_the_node() -> None:
    child = await asyncio.create_subprocess_exec(
        *python("import sys, rostra.media.selfcheck; sys.exit('gi' in sys.modules)")
    )
    assert await asyncio.wait_for(child.wait(), 30) == 0
