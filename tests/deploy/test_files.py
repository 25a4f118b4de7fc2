"""The files for deploying pass their linters, and agree with the program about ports, paths and commands.

No container engine, cluster or systemd runs here; what can be said without them is said.
"""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rostra.cli import supervisor
from rostra.environment import Environment
from rostra.ports import OPENINGS, Moment, Party, Reach

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = Path(sys.executable).parent
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, **more)


def passes(*command: str | Path) -> None:
    ended = run(*command)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def settings() -> set[str]:
    return {f"ROSTRA_{field.name.upper()}" for field in dataclasses.fields(Environment)}


# Containers


def test_the_container_file_passes_its_linter() -> None:
    passes(SCRIPTS / "hadolint", DEPLOY / "Containerfile")


def test_images_open_the_ports_of_their_role_and_run_without_privileges() -> None:
    stages = re.split(r"^FROM .* AS ", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    for role in Party.NODE, Party.MANAGEMENT:
        name = "node" if role is Party.NODE else "management"
        (stage,) = [text for text in stages if text.startswith(f"{name}\n")]
        exposed = set(re.findall(r"[\d-]+/\w+", re.findall(r"^EXPOSE (.*)$", stage, re.MULTILINE)[0]))
        expected = {
            f"{opening.ports(Environment())}/{transport.lower()}"
            for opening in OPENINGS
            if role in opening.listeners and opening.moment is Moment.ALWAYS and opening.reach is not Reach.LOOPBACK
            for transport in opening.transports
        }
        assert exposed == {re.sub(r"(\d+)-\1/", r"\1/", port) for port in expected}
        assert "USER 10001:10001" in stage
        assert "HEALTHCHECK" in stage


@pytest.mark.parametrize("part", ["node", "management"])
def test_the_health_check_says_no_where_nothing_runs(part: str, environment: Environment) -> None:
    environment.home.joinpath("tls").mkdir()
    from rostra import tls

    tls.prepare(environment.home)
    told = {**os.environ, **environment.variables()}
    ended = run(sys.executable, DEPLOY / "container" / "healthy.py", part, env=told)
    assert ended.returncode == 1
    assert "is not ready" in ended.stderr


def test_the_compose_file_is_valid() -> None:
    passes(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_the_compose_file_publishes_what_its_settings_say() -> None:
    services = load(DEPLOY / "compose.yaml")["services"]
    assert set(services) == {"management", "node1", "node2"}
    taken: list[str] = []
    for name, service in services.items():
        told = {variable: str(value) for variable, value in service["environment"].items() if "${" not in str(value)}
        environment = Environment.load(told)
        role = Party.MANAGEMENT if name == "management" else Party.NODE
        expected = {
            f"{ports.low}-{ports.high}/{transport.lower()}"
            for opening in OPENINGS
            if role in opening.listeners and opening.moment is Moment.ALWAYS and opening.reach is Reach.EVERYWHERE
            for transport in opening.transports
            for ports in [opening.ports(environment)]
        }
        published = [re.fullmatch(r"([\d-]+):\1/(\w+)", port) for port in service["ports"]]
        assert all(published), "media ports must be forwarded unchanged"
        found = {f"{m[1] if '-' in m[1] else f'{m[1]}-{m[1]}'}/{m[2]}" for m in published if m}
        assert found == expected, name
        taken += found
    assert len(taken) == len(set(taken)), "one host has each port once"


# systemd


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_understood_by_systemd(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/rostra/.venv/bin/rostra", str(SCRIPTS / "rostra")))
    for other in UNITS:
        if other != unit:
            (tmp_path / other.name).write_text(other.read_text().replace("/opt/rostra/.venv/bin", str(SCRIPTS)))
    ended = run("systemd-analyze", "verify", "--man=no", here)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_hardened(unit: Path) -> None:
    ended = run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert exposure, ended.stdout + ended.stderr
    assert float(exposure[1]) <= 2.0


def test_units_do_not_restart_what_is_not_to_be_started_again() -> None:
    for unit in UNITS:
        (codes,) = re.findall(r"^RestartPreventExitStatus=(.*)$", unit.read_text(), re.MULTILINE)
        assert {int(code) for code in codes.split()} == {2, supervisor.GONE}


def test_units_run_commands_that_exist() -> None:
    commands = {re.findall(r"^ExecStart=\S+/rostra (\w+)", unit.read_text(), re.MULTILINE)[0] for unit in UNITS}
    assert commands == {"run", "management", "node"}
    for command in commands:
        passes(SCRIPTS / "rostra", command, "--help")


# cloud-init

REPOSITORY = "https://git.example.com/rostra.git"


def rendered(tmp_path: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "node.xml"
    file.write_text("<rostra-node>\n  <secret>a&amp;b \\1 @VERSION@</secret>\n</rostra-node>\n")
    return run(DEPLOY / "cloud-init" / "render", file, REPOSITORY, "v1.2.3", *settings)


def test_user_data_brings_the_configuration_file_and_the_settings(tmp_path: Path) -> None:
    ended = rendered(tmp_path, "ROSTRA_NODE_HTTPS_PORT=443", "ROSTRA_MEDIA_ADDRESS=192.0.2.7")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("#cloud-config\n")
    assert "@" not in re.sub(r"#.*", "", ended.stdout)
    data = yaml.safe_load(ended.stdout)
    files = {Path(file["path"]).name: base64.b64decode(file["content"]).decode() for file in data["write_files"]}
    assert files["node.xml"] == (tmp_path / "node.xml").read_text()
    lines = files["environment"].splitlines()
    assert lines == [
        'NODE_ARGUMENTS="--config /etc/rostra/node.xml"',
        "ROSTRA_NODE_HTTPS_PORT=443",
        "ROSTRA_MEDIA_ADDRESS=192.0.2.7",
    ]
    assert {line.partition("=")[0] for line in lines[1:]} <= settings()
    assert ["git", "clone", "--quiet", "--depth=1", "--branch=v1.2.3", REPOSITORY, "/opt/rostra"] in data["runcmd"]
    assert all(file["permissions"] == "0600" for file in data["write_files"])
    schema = shutil.which("cloud-init")
    if schema:
        (tmp_path / "user-data").write_text(ended.stdout)
        passes(schema, "schema", "--config-file", tmp_path / "user-data")


def test_user_data_does_what_the_repository_has(tmp_path: Path) -> None:
    data = yaml.safe_load(rendered(tmp_path).stdout)
    (make,) = [command for command in data["runcmd"] if command[0] == "make"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(make[2:]) <= targets
    (installer,) = [command[0] for command in data["runcmd"] if command[0].startswith("/opt/rostra/")]
    assert os.access(ROOT / Path(installer).relative_to("/opt/rostra"), os.X_OK)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{file}"],
        ["/nowhere.xml", REPOSITORY, "v1"],
        ["{file}", "--upload-pack=touch /x", "v1"],
        ["{file}", REPOSITORY, '"\n- [reboot]'],
        ["{file}", REPOSITORY, "v1", "PATH=/tmp"],
        ["{file}", REPOSITORY, "v1", "ROSTRA_HOME=/x\nLD_PRELOAD=/y"],
    ],
)
def test_user_data_is_never_made_from_nonsense(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "node.xml"
    file.write_text("<rostra-node/>")
    ended = run(DEPLOY / "cloud-init" / "render", *(argument.replace("{file}", str(file)) for argument in arguments))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr


# Kubernetes


CHART = DEPLOY / "helm" / "rostra"


def test_chart_values_follow_their_schema(tmp_path: Path) -> None:
    values = {**load(CHART / "values.yaml"), **load(CHART / "ci" / "two-nodes-values.yaml")}
    values["management"] = {**load(CHART / "values.yaml")["management"], **values["management"]}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    passes(SCRIPTS / "check-jsonschema", "--schemafile", CHART / "values.schema.json", file)
    for broken in ({"management": {**values["management"], "address": "london"}}, {"nodes": [{"name": "x"}]}):
        file.write_text(yaml.safe_dump({**values, **broken}))
        assert run(SCRIPTS / "check-jsonschema", "--schemafile", CHART / "values.schema.json", file).returncode == 1


def test_the_chart_names_settings_that_exist() -> None:
    text = "".join(file.read_text() for file in CHART.rglob("*") if file.is_file())
    assert set(re.findall(r"ROSTRA_[A-Z0-9_]*[A-Z0-9]", text)) <= settings()


def test_the_chart_is_of_this_version() -> None:
    import rostra

    assert load(CHART / "Chart.yaml")["appVersion"] == rostra.__version__


def test_the_chart_renders() -> None:
    """With Helm itself, where it is installed; it is too large to be fetched for every run of the tests."""
    helm = shutil.which("helm")
    if not helm:
        pytest.skip("helm is not installed")
    values = CHART / "ci" / "two-nodes-values.yaml"
    passes(helm, "lint", "--strict", CHART, "--values", values)
    ended = run(helm, "template", "demo", CHART, "--values", values)
    assert ended.returncode == 0, ended.stderr
    kinds = [(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(ended.stdout) if one]
    assert ("StatefulSet", "demo-node-london") in kinds
    assert ("StatefulSet", "demo-management") in kinds


# All of them


def test_yaml_files_are_tidy() -> None:
    passes(SCRIPTS / "yamllint", "--strict", "deploy")


def test_no_secret_is_baked_in() -> None:
    """Passwords come from the environment or from secrets of the platform deployed on; nothing has a value here."""
    baked = re.compile(r"(?:PASSWORD|SECRET|password|token)\"?\s*[:=]\s*[\"']?(?!\$\{|\"\"|''|\s*$)(\w+)", re.MULTILINE)
    for file in DEPLOY.rglob("*"):
        if file.is_file() and file.suffix != ".json":
            found = [m[0] for m in baked.finditer(file.read_text()) if not m[1].startswith(("rostra-", "password"))]
            assert found == [], file
