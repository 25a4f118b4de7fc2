"""Workers that hang or grow are replaced; the kernel is told whom to take first when memory runs out."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rostra.domain.media import MediaKind
from rostra.media import bounds
from rostra.media import pool as pools
from rostra.media.client import Worker, WorkerLost
from rostra.media.pool import WorkerPool

from .conftest import Driven

MEBI = 1 << 20


@pytest.mark.parametrize(
    ("legs", "machine", "mebibytes"),
    [
        (0, 64 << 30, 1024),
        (3, 64 << 30, 1024 + 3 * 160),
        (1000, 4 << 30, int(0.7 * 4096)),
        (0, 1 << 30, int(0.7 * 1024)),
    ],
)
def test_what_a_worker_may_take_grows_with_its_legs(legs: int, machine: int, mebibytes: int) -> None:
    assert bounds.most(legs, machine) // MEBI == mebibytes


def test_what_a_process_takes(tmp_path: Path) -> None:
    before = bounds.resident(os.getpid())
    taken = bytearray(os.urandom(1)) * (64 * MEBI)
    assert bounds.resident(os.getpid()) - before > 48 * MEBI
    assert bounds.allocated() > 64 * MEBI
    held = bounds.allocated()
    del taken
    assert held - bounds.allocated() > 48 * MEBI
    assert bounds.resident(2**22 + 1) == 0, "there is no such process"
    limit = tmp_path / "memory.max"
    assert bounds.usable(limit) > 256 * MEBI
    limit.write_text("max\n")
    assert bounds.usable(limit) == bounds.usable(tmp_path / "none")
    limit.write_text(f"{128 * MEBI}\n")
    assert bounds.usable(limit) == 128 * MEBI


@pytest.mark.parametrize(("ours", "its"), [(0, 500), (300, 800), (1000, 1000)])
def test_the_kernel_takes_a_worker_first(ours: int, its: int) -> None:
    code = (
        "import sys; from rostra.media import bounds; file = open('/proc/self/oom_score_adj', 'r+')\n"
        "file.write(sys.argv[1]); file.flush(); bounds.be_first(); file.seek(0); print(file.read())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ours)], check=True, capture_output=True, text=True)
    assert int(done.stdout) == its


async def test_workers_that_hang_or_grow_are_replaced(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "SILENT", 2.5)
    monkeypatch.setattr(bounds, "most", lambda legs, _: 0 if legs else 1 << 60)
    conferences = [Driven() for _ in range(2)]
    losses = [asyncio.Event(), asyncio.Event()]
    for one, gone in zip(conferences, losses, strict=True):

        def lose(worker: Worker, one: Driven = one, gone: asyncio.Event = gone) -> None:
            one.lost.append(worker)
            gone.set()

        one.worker = await pool.acquire("conference", "Test", one.hear, lose)
    hung, grown = conferences
    await grown.worker.reserve_rtp("leg", (MediaKind.AUDIO,))
    os.kill(hung.worker.process, signal.SIGSTOP)
    await asyncio.gather(*(asyncio.wait_for(gone.wait(), 10) for gone in losses))
    for one in (hung, grown):
        assert one.lost == [one.worker]
        with pytest.raises(WorkerLost):
            await one.worker.statistics()
    again = await pool.acquire("conference", "Test", hung.hear, hung.lost.append)
    assert (await again.statistics()).streams == ()
