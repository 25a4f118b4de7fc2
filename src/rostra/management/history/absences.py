"""Which runs of nodes are gone for good, so that what they left open can be ended (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Run = tuple[str, str]
"""Fabric id of a node, and its boot id."""

PATIENCE = 60.0
"""Seconds for which a run must be missed without a break."""


class Absences:
    """Remembers since when each run is missed. Times are monotonic seconds."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._since: dict[Run, float] = {}

    def judge(self, runs: Iterable[Run], alive: Mapping[str, str], now: float) -> tuple[set[Run], set[Run]]:
        """Of `runs`: those lost, and those that are there. `alive`: the present run of every live node."""
        every = set(runs)
        there = {run for run in every if alive.get(run[0]) == run[1]}
        self._since = {run: self._since.get(run, now) for run in every - there}
        return {run for run, since in self._since.items() if now - since >= self._patience}, there

    def forget(self) -> None:
        """We have been cut off ourselves: nobody's silence counts."""
        self._since.clear()
