"""Which software a machine starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rostra import release, software


def tree(home: Path, name: str) -> Path:
    """Software that says its own name."""
    found = software.directory(home) / name
    package = found / "src" / "rostra"
    (package / "cli").mkdir(parents=True)
    (package / "__init__.py").write_text(f"__version__ = {name.partition('-')[0]!r}\n")
    (package / "cli" / "__init__.py").touch()
    (package / "cli" / "__main__.py").write_text(f"import sys; print({name!r}, *sys.argv[1:])")
    return found


def test_order() -> None:
    names = [("0.9", "5"), ("1.0", "7"), ("1", "10"), ("1.2", "0"), ("1.10", "0"), ("2.0.1", "1")]
    shuffled = [names[at] for at in (3, 0, 5, 2, 4, 1)]
    assert sorted(shuffled, key=lambda pair: software.order(*pair)) == names


@pytest.mark.parametrize("name", ["", "..", "../x", "1.0", "1.0-", "1.0-../..", "1.0-5/6", "1-0\n"])
def test_names_are_no_paths(name: str, tmp_path: Path) -> None:
    software.directory(tmp_path).mkdir()
    (software.directory(tmp_path) / "current").write_text(name)
    assert software.current(tmp_path) is None
    with pytest.raises(ValueError, match=r"\.\.-x"):
        software.name("..", "x")


def test_only_newer_software_is_switched_to(tmp_path: Path) -> None:
    assert software.switched(tmp_path, {}) is None
    software.make_current(tmp_path, tree(tmp_path, f"{release.VERSION}-0"))
    assert software.switched(tmp_path, {}) is None, "what was installed is as new"
    software.make_current(tmp_path, newer := tree(tmp_path, "99.0-1"))
    assert software.switched(tmp_path, {"A": "b"}) == {"A": "b", "PYTHONPATH": software.search_path(newer)}
    (newer / "src" / "rostra" / "__init__.py").unlink()
    assert software.switched(tmp_path, {}) is None, "a damaged tree is not started"


def test_the_tree_before_stays(tmp_path: Path) -> None:
    for name in ("97.0-1", "98.0-1", "99.0-1"):
        software.make_current(tmp_path, tree(tmp_path, name))
    assert sorted(path.name for path in software.directory(tmp_path).iterdir()) == ["98.0-1", "99.0-1", "current"]


def test_the_command_becomes_the_current_software(tmp_path: Path) -> None:
    software.make_current(tmp_path, tree(tmp_path, "99.0-1"))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    command = [sys.executable, "-m", "rostra.cli", "management", "--verbose"]
    run = subprocess.run(
        command, env={**variables, "ROSTRA_HOME": str(tmp_path)}, capture_output=True, timeout=60, check=False
    )
    assert run.stdout.decode().split() == ["99.0-1", "management", "--verbose"], run.stderr
