"""The repository keeps its own promises."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rostra.environment import Environment, variable_name
from rostra.media.codecs import ROWS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rostra"
FILE_LIMIT = 400
FUNCTION_LIMIT = 50

# What does not keep a rule yet or cannot, with the reason. These lists only shrink: an entry without need fails too.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS = {
    "src/rostra/management/settings.py:_settings": "one flat dictionary of settings, no logic",
}
NAMING_CODECS = {
    "src/rostra/configuration/vocabulary.py": "the names administrators choose from, fixed by the management API",
    "src/rostra/configuration/models/settings.py": "defaults of that choice",
    "src/rostra/media/engine/sections.py": "the three codecs that a WebRTC offer may leave without an rtpmap",
    "src/rostra/sdp/reading.py": "RFC 3551's static payload types need no rtpmap",
    "src/rostra/sdp/writing.py": "names that peers expect in lower case",
}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(file for name in listed.split("\0") if name and (file := ROOT / name).is_file())


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Name and text of each tracked file that is text and ends in one of `suffixes` (none given: any)."""
    for file in tracked():
        if suffixes and file.suffix not in suffixes:
            continue
        try:
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def ours() -> Iterator[tuple[str, str]]:
    """Python sources, without generated migrations."""
    return ((name, text) for name, text in texts(".py") if name.startswith("src/") and "/migrations/" not in name)


def test_rooms_import_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_files_stay_readable() -> None:
    long = {name for name, text in ours() if text.count("\n") > FILE_LIMIT}
    assert long == set(LONG_FILES)


def test_functions_stay_readable() -> None:
    long = set[str]()
    for name, text in ours():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > FUNCTION_LIMIT:
                    long.add(f"{name}:{node.name}")
    assert long == set(LONG_FUNCTIONS)


def test_no_path_or_package_source_of_one_machine() -> None:
    # In pieces, so that this file passes its own test.
    elsewhere = re.compile(
        "|".join(["/" + "work/", "/" + "root/", "/home/" + "[a-z]", "py" + r"pi\.org", "npm" + r"js\.(org|com)"])
        + "|pythonhosted"
        + r"\.org|deb\."
        + "debian"
    )
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if elsewhere.search(line)
    ]
    assert found == []


def test_links_between_pages_lead_somewhere() -> None:
    broken: list[str] = []
    for name, text in texts(".md"):
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            path = target.partition("#")[0]
            if path and "://" not in path and not (ROOT / name).parent.joinpath(path).exists():
                broken.append(f"{name}: {target}")
    assert broken == []


def test_every_page_is_reachable_from_the_first() -> None:
    pages = {name: text for name, text in texts(".md") if name.startswith("docs/") or "/" not in name}
    reached, waiting = set[str](), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)", pages.get(page, "")):
            path = (ROOT / page).parent.joinpath(target).resolve()
            if "://" not in target and path.suffix == ".md" and path.is_relative_to(ROOT):
                waiting.append(path.relative_to(ROOT).as_posix())
    assert set(pages) - reached == set()


def test_the_page_of_settings_is_the_settings() -> None:
    page = (ROOT / "docs" / "admin" / "environment.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    expected: list[str] = []
    for field in dataclasses.fields(Environment):
        default = f"`{field.default}`" if str(field.default) else ""
        expected.append(f"| `{variable_name(field.name)}` | {default} | {field.metadata['meaning']} |")
    assert rows == expected


def test_only_the_environment_module_reads_settings() -> None:
    reading = re.compile(r"environ\[|environ\.get|getenv")
    assert [name for name, text in ours() if reading.search(text) and name != "src/rostra/environment.py"] == []


def test_a_codec_is_named_in_its_row_only() -> None:
    """A codec is one module and one row: code elsewhere asks the row (comments and docstrings may explain)."""
    codecs = re.compile(rf"(?<![a-z0-9])({'|'.join(re.escape(row.name) for row in ROWS)})(?![a-z0-9])", re.IGNORECASE)
    naming = set[str]()
    for name, text in ours():
        tree = ast.parse(text)
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
            if literal and codecs.search(node.value) and not name.startswith("src/rostra/media/codecs/"):
                naming.add(name)
    assert naming == set(NAMING_CODECS)


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_the_locks_name_what_the_project_asks_for(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(name for extra in extras for name in project["optional-dependencies"][extra])]
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    names = {re.split(r"[<>=\[ ;]", requirement)[0].lower() for requirement in wanted}
    assert names - locked == set()
