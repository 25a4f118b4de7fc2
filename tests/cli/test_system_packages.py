"""scripts/system-packages with a dpkg-query, apt-get and id of our own in PATH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = (ROOT / "deploy" / "debian-packages.txt").read_text()


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory that comes first in PATH; apt-get there only notes how it was called."""
    write(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/apt-get.calls')
    return tmp_path


def write(directory: Path, name: str, body: str) -> None:
    file = directory / name
    file.write_text(f"#!/bin/bash\n{body}\n")
    file.chmod(0o755)


def missing(programs: Path, *names: str) -> None:
    """Make dpkg-query say that everything but `names` is installed; like the real one it then exits with 1."""
    pattern = "|".join(names) or "nothing"
    write(
        programs,
        "dpkg-query",
        f'for name in "$@"; do case $name in -*) ;; {pattern}) failed=1 ;; *) echo "$name installed" ;; esac; done\n'
        "exit ${failed:-0}",
    )


def run(programs: Path, *sections: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "system-packages", *sections],
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(programs: Path) -> list[str]:
    file = programs / "apt-get.calls"
    return file.read_text().splitlines() if file.exists() else []


def test_nothing_happens_when_all_is_there(programs: Path) -> None:
    missing(programs)
    ended = run(programs, "run", "build", "test")
    assert (ended.returncode, ended.stdout, ended.stderr, calls(programs)) == (0, "", "", [])


def test_without_root_it_names_exactly_what_is_missing(programs: Path) -> None:
    missing(programs, "gcc", "gstreamer1.0-nice", "chromium")
    write(programs, "id", "echo 1000")
    ended = run(programs, "run", "build")
    assert ended.returncode == 1
    assert "missing: gcc gstreamer1.0-nice\n" in ended.stderr
    assert "apt-get install --no-install-recommends gcc gstreamer1.0-nice\n" in ended.stderr
    assert calls(programs) == []


def test_root_installs_only_what_is_missing(programs: Path) -> None:
    missing(programs, "chromium")
    write(programs, "id", "echo 0")
    ended = run(programs, "test")
    assert ended.returncode == 0
    assert calls(programs) == ["update", "install --yes --no-install-recommends chromium"]
    assert ended.stdout == "Installing 1 Debian packages: chromium\n"


def test_a_failed_installation_shows_the_installers_words(programs: Path) -> None:
    missing(programs, "chromium")
    write(programs, "id", "echo 0")
    write(programs, "apt-get", "echo 'E: no space left'; exit 100")
    ended = run(programs, "test")
    assert ended.returncode == 1
    assert "E: no space left" in ended.stderr


def test_sections_are_sorted_and_name_a_package_once() -> None:
    blocks = [block.split("\n")[1:] for block in LISTED.split("[")[1:]]
    names = [[line for line in block if line.strip()] for block in blocks]
    assert all(block == sorted(block) for block in names)
    flat = [name for block in names for name in block]
    assert len(flat) == len(set(flat))
