"""The capacity self-check: how many calls this node can take (PLAT-077, POL-121, POL-122).

A child process runs the media engine with a few far ends of its own for some seconds and says what a call costs in
processor time; a codec that crashes there hurts nobody. What the node's cores are worth follows, with headroom.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from rostra.domain.capacity import HEADROOM, Figures
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.media")

TIMEOUT = 20.0
"""Seconds the whole check may take."""
PER_CORE = Figures(hd=2, sd=4, audio=20, full_hd=1)
"""What a core is taken to carry when it cannot be measured (PLAT-088)."""
COMMAND = (sys.executable, "-m", "rostra.media.selfcheck")


CROWDED = 0.5
"""Share of its working time the check may wait for a processor before the machine counts as busy with other work."""


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Cores that one call of a kind takes."""

    hd: float
    sd: float
    audio: float
    full_hd: float
    waited: float = 0.0
    """Seconds spent waiting for a processor, for each second of processor time."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found."""

    cores: float
    """That may be used."""
    figures: Figures
    costs: Costs | None = None
    """None: they could not be measured, the figures are an estimate."""

    @property
    def crowded(self) -> bool:
        """Others used the processor meanwhile: calls may be cheaper than they seemed."""
        return self.costs is not None and self.costs.waited > CROWDED


class CheckFailed(Exception):
    """The child said nothing of use; the text says how."""


async def measure(cores: float, *, command: Sequence[str] = COMMAND, timeout: float = TIMEOUT) -> Checked:
    """Measure what `cores` can take; when that fails, a cautious estimate by their number, and a warning."""
    try:
        costs = await _ask(command, timeout)
    except (CheckFailed, OSError) as problem:
        found = estimate(cores)
        logger.warning("Capacity not measured: estimated by cores", problem=str(problem), cores=cores, hd=found.hd)
        return Checked(cores=cores, figures=found)
    found = figures(costs, cores)
    logger.info("Capacity measured", cores=cores, **msgspec.structs.asdict(costs), calls=msgspec.structs.asdict(found))
    return Checked(cores=cores, figures=found, costs=costs)


def figures(costs: Costs, cores: float) -> Figures:
    """How many calls of each kind fit into the cores; at least one of each but Full HD."""
    room = cores * (1 - HEADROOM)
    hd, sd, audio = (max(1, int(room / cost)) for cost in (costs.hd, costs.sd, costs.audio))
    return Figures(hd=hd, sd=sd, audio=audio, full_hd=int(room / costs.full_hd))


def estimate(cores: float) -> Figures:
    """The figures of cores that could not be measured."""
    each = msgspec.structs.asdict(PER_CORE)
    return Figures(**{kind: max(1, int(count * cores)) for kind, count in each.items()})


def usable_cores(limit: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """The processor's cores this process may use: those it may run on, within the limit of its container (cgroup 2)."""
    cores = float(len(os.sched_getaffinity(0)))
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # no such limit, or "max"
        quota, period = limit.read_text().split()
        cores = min(cores, int(quota) / int(period))
    return cores


async def _ask(command: Sequence[str], timeout: float) -> Costs:
    """Run the child. Raises CheckFailed, OSError."""
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, problem = await in_time(child.communicate(), timeout)
    except TimeoutError:
        raise CheckFailed(f"no result within {timeout:g} s") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        raise CheckFailed(f"ended with {child.returncode}: {problem.decode(errors='replace').strip()[-300:]}")
    try:
        costs = msgspec.json.decode(out, type=Costs)
    except msgspec.DecodeError as wrong:
        raise CheckFailed(f"result not understood: {wrong}") from wrong
    if min(costs.hd, costs.sd, costs.audio, costs.full_hd) <= 0:
        raise CheckFailed(f"impossible result: {costs}")
    return costs
