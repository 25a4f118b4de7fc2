"""Answers become configuration; only what is answered changes. And the command that takes them."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model

from rostra.configuration.journal import Mark
from rostra.configuration.models import Conference, DnsServer, GlobalSettings, ManagementVM, NtpServer, SystemLocation
from rostra.management.seeding import seed_system
from rostra.management.setup import applying, identity
from rostra.management.setup.answers import Answers, Invalid
from tests.management.conftest import ENVIRONMENT, Api


@pytest.fixture
def system(database: Path) -> Iterator[None]:
    Mark.objects.filter(name=applying.DONE).delete()
    yield
    (ENVIRONMENT.management_home / "identity.json").unlink(missing_ok=True)
    (ENVIRONMENT.home / "address").unlink(missing_ok=True)


def apply(*, first: bool = False, **answers: Any) -> list[str]:
    return applying.apply(ENVIRONMENT, Answers(**answers), first=first)


@pytest.mark.spec("NODE-117", "NODE-119", "NODE-085", "SYS-091", "NODE-174", "NODE-177", "SYS-127")
def test_everything(system: None) -> None:
    changed = apply(
        first=True,
        address="127.0.0.1",
        netmask="255.255.254.0",
        gateway="127.0.0.9",
        hostname="mgr",
        domain="example.test",
        dns_servers=["192.0.2.53"],
        ntp_servers=["ntp1.example.test", "ntp2.example.test"],
        username="operator",
        password="correct horse",
        incident_reporting=True,
        usage_statistics=True,
    )
    assert len(changed) == 11
    manager = ManagementVM.objects.get(pk=1)
    assert (manager.hostname, manager.domain, manager.name) == ("mgr", "example.test", "mgr.example.test")
    assert ENVIRONMENT.own_address == "127.0.0.1"
    assert [row.address for row in DnsServer.objects.all()] == ["192.0.2.53"], "what was offered at first is gone"
    location = SystemLocation.objects.get(name="Default")
    assert {row.address for row in location.ntp_servers.all()} == {"ntp1.example.test", "ntp2.example.test"}
    assert authenticate(username="operator", password="correct horse") is not None
    settings = GlobalSettings.objects.get(pk=1)
    assert (settings.error_reporting_enabled, settings.enable_analytics) == (True, True)
    assert applying.is_finished()
    seed_system(ENVIRONMENT)  # as at the next start
    assert ManagementVM.objects.get(pk=1).gateway == "127.0.0.9"


@pytest.mark.spec("SYS-088", "NODE-090", "NODE-122")
def test_a_forgotten_password(system: None, api: Api) -> None:
    get_user_model().objects.filter(username="admin").update(is_active=False)
    before = applying.present(ENVIRONMENT)
    assert apply(password="a new secret") == ["password"]
    assert authenticate(username="admin", password="secret") is None
    assert authenticate(username="admin", password="a new secret") is not None
    assert applying.present(ENVIRONMENT) == before
    assert Conference.objects.filter(name="Demo").exists()
    assert identity.kept(ENVIRONMENT) == {}


def test_again_with_the_same_answers_changes_nothing(system: None) -> None:
    answers: dict[str, Any] = {"hostname": "mgr", "dns_servers": ["192.0.2.53"], "usage_statistics": True}
    assert apply(**answers) == ["hostname", "dns_servers", "usage_statistics"]
    assert apply(**answers) == []


def test_locations_with_servers_of_their_own_keep_them(system: None) -> None:
    own = DnsServer.objects.create(address="192.0.2.1")
    other = SystemLocation.objects.create(name="Other")
    other.dns_servers.set([own])
    apply(dns_servers=["192.0.2.53"])
    assert [row.address for row in other.dns_servers.all()] == ["192.0.2.1"]
    assert [row.address for row in SystemLocation.objects.get(name="Default").dns_servers.all()] == ["192.0.2.53"]
    assert DnsServer.objects.count() > 2, "only the first time unwanted ones go"


@pytest.mark.parametrize(
    ("answers", "question"),
    [
        ({"address": "192.0.2.77"}, "address"),
        ({"username": "somebody"}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "password"}, "password"),
    ],
)
def test_refused_and_nothing_done(system: None, answers: dict[str, Any], question: str) -> None:
    with pytest.raises(Invalid) as problem:
        apply(hostname="changed", ntp_servers=["x.test"], **answers)
    assert list(problem.value.problems) == [question]
    assert ManagementVM.objects.get(pk=1).hostname != "changed"
    assert not NtpServer.objects.filter(address="x.test").exists()


@pytest.mark.spec("NODE-115", "NODE-118")
def test_the_command(tmp_path: Path) -> None:
    """In a process of its own: the first time, with nothing but a file of answers."""
    home = tmp_path / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ROSTRA_", "SETUP_"))}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rostra.cli", "setup", *arguments],
            env={**clean, "ROSTRA_HOME": str(home), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    refused = run("--hostname", "mgr", SETUP_PASSWORD="short", SETUP_TYPO="x")
    assert refused.returncode == 1
    assert "SETUP_TYPO: There is no such question." in refused.stderr
    assert run("--hostname", "mgr", SETUP_PASSWORD="short").returncode == 1
    assert not (home / "management").exists(), "nothing is left of what did not begin"
    answers = tmp_path / "answers.yaml"
    answers.write_text("hostname: from-file\ndomain: example.test\npassword: correct horse\nincident_reporting: no\n")
    done = run("--answers", str(answers), "--hostname", "from-option")
    assert done.returncode == 0, done.stderr
    assert "Hostname: changed" in done.stdout
    assert "https://" in done.stdout
    assert "correct horse" not in done.stdout + done.stderr
    assert identity.kept(_environment(home)) == {"hostname": "from-option", "domain": "example.test"}


def _environment(home: Path) -> Any:
    return dataclasses.replace(ENVIRONMENT, home=home)
