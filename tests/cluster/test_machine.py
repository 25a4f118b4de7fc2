"""A machine of the platform is wrong rather than gone: its clock, its disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.callers import Caller, history, phone, sip, until_same
from tests.cluster.cluster import Cluster
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
WRONG = 30
DISK = "64m"


def wrong_clock(site: Path) -> dict[str, str]:
    """Settings of a machine whose clock is wrong for all but the media processes.

    Those live by the monotonic clock, and the library that bends time holds up their timed waits.
    """
    lift = "import os, sys\nif sys.orig_argv[-2:] == ['process', 'node']:\n    os.environ.pop('LD_PRELOAD', None)\n"
    (site / "sitecustomize.py").write_text(lift)
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": f"+{WRONG}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(site),
    }


@pytest.fixture(scope="module")
def site(platform: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Node one is well; two has a clock that is ahead, three a small disk of its own."""
    platform.location("A")
    platform.location("B")
    platform.location("C")
    platform.room("meet")
    files = {name: platform.add(name, where) for name, where in (("one", "A"), ("two", "B"), ("three", "C"))}
    small = platform.directory / "three"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(small)], check=True, timeout=10)
    try:
        platform.start("one", files["one"], wait=False)
        clock = wrong_clock(tmp_path_factory.mktemp("site"))
        platform.start("two", files["two"], wait=False, **(clock if FAKETIME else {}))
        platform.start("three", files["three"], wait=False)
        for name in files:
            platform.programs[name].wait_ready()
        yield platform
    finally:
        platform.stop()
        subprocess.run(["umount", "-l", str(small)], check=False, timeout=10)


@pytest.mark.skipif(FAKETIME is None, reason="a wrong clock needs the package faketime")
def test_a_clock_thirty_seconds_wrong(site: Cluster, tmp_path: Path) -> None:
    """Nobody is taken for dead, the last one to say something wins whatever its clock, order is kept."""
    wait_until(lambda: len(site.rows("status", "worker_vm")) == 3, 10)
    first = Caller(site, "one", "meet", "first")
    ahead = Caller(site, "two", "meet", "ahead")
    last = Caller(site, "one", "meet", "last")
    assert 20 < ahead.roster[ahead.uuid]["start_time"] - time.time() < 40, "the clock is not wrong"
    try:
        with phone(site, tmp_path, "near", 500) as near, phone(site, tmp_path, "far", 900) as far:
            near.call(sip(site, "one", "meet"))
            far.call(sip(site, "two", "meet"))
            wait_until(lambda: near.hear(900)[0] > -50 and far.hear(500)[0] > -50, 20)
            everybody = ["first", "ahead", "last", "near", "far"]
            until_same(first, ahead, last, names=everybody)
            mark = len(site.programs["one"].log("node"))
            for turn, who in enumerate((ahead, first, ahead, last)):
                who.post("unlock" if turn % 2 else "lock")
                wait_until(lambda t=turn: _locked(first, ahead, last) == {t % 2 == 0}, 5, "a lock is not taken")
            until_same(first, ahead, last, names=everybody)
            assert "Node is gone" not in site.programs["one"].log("node")[mark:]
            far.hang_up()
            near.hang_up()
            until_same(first, ahead, last, names=["first", "ahead", "last"])
        ends = {"near": 1, "far": 1}
        wait_until(lambda: _ended(site, *ends) == ends, 20, str(history(site, "meet")))
    finally:
        for caller in (first, ahead, last):
            caller.leave()


def _locked(*callers: Caller) -> set[bool]:
    return {bool(caller.flags.get("locked")) for caller in callers}


def _ended(site: Cluster, *names: str) -> dict[str, int]:
    rows = [row for row in history(site, "meet") if row["end_time"] and row["duration"] >= 0]
    return {name: sum(row["display_name"] == name for row in rows) for name in names}


def test_a_full_disk(site: Cluster, tmp_path: Path) -> None:
    """Calls go on and new ones come in; what could not be written is in history when there is room again."""
    home = site.programs["three"].home
    ballast = home / "ballast"
    with phone(site, tmp_path, "held", 500) as held, phone(site, tmp_path, "later", 900) as later:
        held.call(sip(site, "three", "meet"))
        witness = Caller(site, "one", "meet", "witness")
        until_same(witness, names=["held", "witness"])
        fill(ballast)
        assert shutil.disk_usage(home).free < 4096
        later.call(sip(site, "three", "meet"))
        until_same(witness, names=["held", "later", "witness"])
        wait_until(lambda: held.hear(900)[0] > -50 and later.hear(500)[0] > -50, 20)
        later.hang_up()
        until_same(witness, names=["held", "witness"])
        ballast.unlink()
        held.hang_up()
        until_same(witness, names=["witness"])
        witness.leave()
    ends = {"held": 1, "later": 1}
    wait_until(lambda: _ended(site, *ends) == ends, 30, f"history has {_ended(site, *ends)}")
    again = Caller(site, "three", "meet", "again")
    again.leave()


def fill(file: Path) -> None:
    """Write until there is no room."""
    with file.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    if ballast.write(os.urandom(size)) < size:
                        break
                except OSError:
                    break
