"""A running platform listens on what `rostra ports` says, and on nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rostra.ports import OPENINGS, Moment, Reach
from tests.e2e.platform import ROOT, Platform

pytestmark = pytest.mark.e2e

_LISTEN = "0A"
_LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def listening(processes: set[int]) -> Iterator[tuple[int, bool]]:
    """TCP ports these processes accept connections on, and whether others can reach them."""
    sockets = {
        str(link.readlink())
        for process in processes
        for link in Path(f"/proc/{process}/fd").iterdir()
        if link.is_symlink()
    }
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == _LISTEN and f"socket:[{fields[9]}]" in sockets:
                yield int(port, 16), address not in _LOOPBACK


def test_nothing_listens_that_is_not_in_the_list(platform: Platform) -> None:
    found = set(listening(set(platform.processes())))
    expected = {
        (opening.ports(platform.environment).low, opening.reach is not Reach.LOOPBACK)
        for opening in OPENINGS
        if opening.moment is Moment.ALWAYS and "TCP" in opening.transports
    }
    # The fabric listens on the machine's own address, which in tests is loopback.
    fabric = platform.environment.fabric_port
    assert {port for port, _ in found} == {port for port, _ in expected}
    assert {entry for entry in found if entry[0] != fabric} == {entry for entry in expected if entry[0] != fabric}


@pytest.mark.parametrize("part", ["node", "management"])
def test_the_containers_health_check_says_yes(platform: Platform, part: str) -> None:
    variables = {**os.environ, **platform.environment.variables()}
    check = [sys.executable, str(ROOT / "deploy" / "container" / "healthy.py"), part]
    ended = subprocess.run(check, env=variables, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
