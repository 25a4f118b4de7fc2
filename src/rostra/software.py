"""Which software this machine runs: what was installed, or a newer one that an upgrade brought.

An upgrade puts a whole tree, laid out like a checkout, into `<home>/software/<version>-<build>`, and its name into
`<home>/software/current`. Processes start from there as long as it is newer than what was installed: installing
something newer by other means wins again.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import rostra
from rostra import release
from rostra.tls import write_file

_NAME = re.compile(r"(?P<version>[0-9]+(\.[0-9]+)*[A-Za-z0-9.+]*)-(?P<build>[A-Za-z0-9.]+)", re.ASCII)
_KEPT = 2
"""Trees that stay: the current one and the one before."""


def order(version: str, build: str) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Sorts software by its age: by the numbers in its version, then in its build."""

    def numbers(text: str) -> tuple[int, ...]:
        found = [int(part) for part in re.findall(r"\d+", text)]
        while found and found[-1] == 0:
            found.pop()  # 1.0 is 1
        return tuple(found)

    return numbers(version), numbers(build), build


def directory(home: Path) -> Path:
    """Where trees are."""
    return home / "software"


def name(version: str, build: str) -> str:
    """The name of a tree. ValueError for what could not be one."""
    found = f"{version}-{build}"
    if _NAME.fullmatch(found) is None:
        raise ValueError(found)
    return found


def current(home: Path) -> Path | None:
    """The tree an upgrade made the current one; None: there is none, or it is not usable."""
    try:
        said = (directory(home) / "current").read_text().strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    tree = directory(home) / said
    if _NAME.fullmatch(said) is None or not (tree / "src" / "rostra" / "__init__.py").is_file():
        return None
    return tree


def make_current(home: Path, tree: Path) -> None:
    """Have everything start from `tree` from now on; trees before the last one go."""
    before = current(home)
    write_file(directory(home) / "current", f"{tree.name}\n".encode())
    kept = {tree.name, *([before.name] if before is not None else [])}
    for other in directory(home).iterdir():
        if other.is_dir() and other.name not in kept:
            shutil.rmtree(other, ignore_errors=True)


def search_path(tree: Path) -> str:
    """Where Python looks first to run the software in `tree`."""
    return os.pathsep.join(str(tree.resolve() / part) for part in ("src", "vendor"))


def switched(home: Path, variables: Mapping[str, str]) -> dict[str, str] | None:
    """The environment variables with which to start again by the current software; None: this is it already."""
    tree = current(home)
    if tree is None or Path(rostra.__file__).resolve().is_relative_to(tree.resolve()):
        return None
    found = _NAME.fullmatch(tree.name)
    if found is None or order(found["version"], found["build"]) <= order(release.VERSION, release.build()):
        return None
    return {**variables, "PYTHONPATH": search_path(tree)}


def start_again(home: Path, arguments: Sequence[str]) -> None:
    """Become the current software, run with `arguments`; does not return."""
    variables = dict(os.environ)
    os.execve(  # noqa: S606 - ourselves
        sys.executable, [sys.executable, "-m", "rostra.cli", *arguments], switched(home, variables) or variables
    )


def switch(home: Path, arguments: Sequence[str]) -> None:
    """Go on as the current software if that is another one than this."""
    if switched(home, os.environ) is not None:
        start_again(home, arguments)
