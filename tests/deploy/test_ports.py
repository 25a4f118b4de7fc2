"""One list of ports: the settings, the page, the rules and the command all say the same."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rostra import ports
from rostra.cli.commands import application
from rostra.environment import Environment, PortRange
from rostra.ports import OPENINGS, Moment, Party

ROOT = Path(__file__).resolve().parents[2]
NODES = [ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00:1::/64")]
ADMINISTRATORS = [ipaddress.ip_network("192.0.2.0/28")]


def rules(listener: Party, environment: Environment | None = None) -> list[str]:
    text = ports.nftables(environment or Environment(), listener, NODES, ADMINISTRATORS)
    return [line.strip() for line in text.splitlines() if "dport" in line]


def test_every_setting_that_is_a_port_is_declared() -> None:
    settings = {
        field.name
        for field in dataclasses.fields(Environment)
        if field.name.endswith("_port") or isinstance(field.default, PortRange)
    }
    assert {opening.setting for opening in OPENINGS} == settings


def test_names_are_one_of_a_kind() -> None:
    assert len({opening.name for opening in OPENINGS}) == len(OPENINGS)


def test_the_page_shows_the_list() -> None:
    page = (ROOT / "docs" / "admin" / "network-ports.md").read_text()
    assert ports.markdown(Environment()) in page, "paste what `rostra ports --markdown` prints"


def test_settings_move_the_ports_everywhere() -> None:
    moved = dataclasses.replace(Environment(), sip_port=15060, media_ports=PortRange(50000, 50999))
    assert "| 15060 | UDP, TCP |" in ports.markdown(moved)
    found = {row["name"]: row for row in json.loads(ports.as_json(moved))}
    assert (found["sip"]["first_port"], found["sip"]["transports"]) == (15060, ["udp", "tcp"])
    assert (found["media"]["first_port"], found["media"]["last_port"]) == (50000, 50999)
    assert 'udp dport 50000-50999 accept comment "media"' in rules(Party.NODE, moved)


def test_each_machine_is_open_for_its_callers_only() -> None:
    node, management = rules(Party.NODE), rules(Party.MANAGEMENT)
    assert 'tcp dport 8443 accept comment "web"' in node
    assert 'ip saddr { 10.0.0.0/24 } tcp dport 6222 accept comment "fabric"' in node
    assert 'ip6 saddr { fd00:1::/64 } tcp dport 6222 accept comment "fabric"' in node
    assert not [rule for rule in node if "9443" in rule or "4222" in rule or "1720" in rule]
    assert 'ip saddr { 192.0.2.0/28 } tcp dport 9443 accept comment "admin"' in management
    assert 'ip saddr { 10.0.0.0/24 } tcp dport 9443 accept comment "enrolment"' in management
    assert not [rule for rule in management if "40000" in rule or "5060" in rule]
    for found in (node, management):
        drops = [rule for rule in found if rule.endswith("drop")]
        assert found[-len(drops) :] == drops, "refusing comes after permitting"
        assert {rule.removesuffix(" drop") for rule in drops} == {
            " ".join(rule.split(" accept")[0].split()[-3:]) for rule in found if " accept" in rule
        }


@pytest.mark.parametrize("role", ["node", "management"])
def test_the_rules_are_understood_by_nft(role: str, tmp_path: Path) -> None:
    nft = shutil.which("nft") or "/usr/sbin/nft"
    command = ["ports", "--nftables", role, "--nodes", "10.0.0.0/24", "--nodes", "fd00::/64", "--administrators"]
    said = CliRunner().invoke(application, [*command, "192.0.2.7/32"])
    assert said.exit_code == 0, said.output
    file = tmp_path / "rostra.nft"
    file.write_text(said.output)
    checked = subprocess.run([nft, "--check", "--file", file], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nftables", "proxy", "--nodes", "10.0.0.0/8", "--administrators", "10.0.0.0/8"],
        ["--nftables", "node"],
        ["--nftables", "node", "--nodes", "10.0.0.0/8"],
        ["--nftables", "node", "--nodes", "10.0.0.300", "--administrators", "10.0.0.0/8"],
        ["--nftables", "node", "--nodes", "10.0.0.1/8", "--administrators", "10.0.0.0/8"],
    ],
)
def test_rules_are_never_made_from_half_of_what_they_need(arguments: list[str]) -> None:
    said = CliRunner().invoke(application, ["ports", *arguments])
    assert said.exit_code == 2
    assert "dport" not in said.output


def test_the_command_shows_every_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = CliRunner().invoke(application, ["ports"])
    assert table.exit_code == 0
    for opening in OPENINGS:
        assert (
            str(opening.ports(Environment())) in table.output or str(opening.ports(Environment()).low) in table.output
        )
        assert f"ROSTRA_{opening.setting.upper()}" in table.output
    assert Moment.NOT_YET in table.output
    assert json.loads(CliRunner().invoke(application, ["ports", "--json"]).output)[0]["name"] == "web"
    assert CliRunner().invoke(application, ["ports", "--markdown"]).output == ports.markdown(Environment())
