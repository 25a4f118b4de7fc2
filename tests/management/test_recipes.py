"""The recipes, followed to the letter: their blocks are applied to a copy of the sources, then its tests run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.length import LONG

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^ *```(?P<language>\w+)(?P<where>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources this area needs, in a place where they may be changed."""
    ignore = shutil.ignore_patterns("__pycache__", "native", "*.so")
    shutil.copytree(ROOT / "src" / "rostra", tmp_path / "src" / "rostra", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "management", tmp_path / "tests" / "management", ignore=ignore)
    for file in (ROOT / "pyproject.toml", *(ROOT / "tests").glob("*.py")):
        shutil.copy(file, tmp_path / file.relative_to(ROOT))
    return tmp_path


def run(copy: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ROSTRA_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def follow(copy: Path, recipe: str) -> None:
    """Apply every block of a recipe."""
    page = (ROOT / "docs" / "recipes" / recipe).read_text()
    assert len(re.findall(r"^\d+\. ", page, re.MULTILINE)) <= 5, "a recipe has five steps at most"
    for block in _BLOCK.finditer(page):
        text = re.sub(r"^   ", "", block["text"], flags=re.MULTILINE)
        if block["language"] == "sh":
            program, *arguments = textwrap.dedent(text).split()
            assert program == "python"
            run(copy, *arguments)
            continue
        file = copy / re.findall(r"file=(\S+)", block["where"])[0]
        anchor = re.search(r'after="(.*)"$', block["where"].strip())
        if anchor:
            lines = file.read_text().splitlines(keepends=True)
            marker = anchor[1].replace('\\"', '"')
            place = next(number for number, line in enumerate(lines) if marker in line) + 1
            file.write_text("".join([*lines[:place], text, *lines[place:]]))
        elif block["where"].strip().endswith(" end"):
            file.write_text(f"{file.read_text()}\n\n{text}")
        else:
            assert not file.exists()
            file.write_text(text)


def passed(output: str) -> int:
    return int(re.findall(r"(\d+) passed", output)[0])


def test_add_a_resource(copy: Path) -> None:
    follow(copy, "add-a-resource.md")
    tests = "tests/management/test_resources.py"
    output = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-k", "RoomPhone or every_resource")
    assert passed(output) >= 12


@pytest.mark.skipif(not LONG, reason="a resource has fields")
def test_add_a_field(copy: Path) -> None:
    follow(copy, "add-a-field.md")
    # the example's `change` and `refused` stand before the real ones, which would replace them
    file = copy / "tests" / "management" / "test_resources.py"
    head, _, tail = file.read_text().partition('refused = [({"power_supply": "steam"}, "power_supply")]\n')
    file.write_text(head + 'refused = [({"power_supply": "steam"}, "power_supply")]\n' + _without_old(tail))
    tests = "tests/management/test_resources.py"
    output = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-k", "SystemLocation")
    assert passed(output) >= 11


def _without_old(tail: str) -> str:
    """The rest of the file without the first `change` and `refused` in it."""
    tail = re.sub(r"    change = .*\n", "", tail, count=1)
    return re.sub(r"    refused = \[\n(?:        .*\n)*    \]\n", "", tail, count=1)


def test_no_migration_is_missing(database: Path) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "configuration", check=True, dry_run=True, verbosity=0)
