"""The ways back in, as an administrator types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rostra.cli.commands import application
from rostra.environment import EnvironmentProblem
from rostra.management.accounts import backend
from rostra.management.accounts.models import Account, AuthenticationSettings
from rostra.management.audit.models import AdministratorLog
from tests.management.conftest import ENVIRONMENT


def run(*arguments: str, text: str = "", home: Path = ENVIRONMENT.home) -> Result:
    return CliRunner().invoke(application, arguments, input=text, env={"ROSTRA_HOME": str(home)})


@pytest.fixture(autouse=True)
def locked_out(database: Any) -> None:
    ENVIRONMENT.management_home.mkdir(exist_ok=True)
    AuthenticationSettings.objects.update(source="LDAP", client_certificate="CN")


@pytest.mark.spec("SYS-085", "SYS-086", "SYS-087", "DIAG-217", "DIAG-218")
def test_back_in(database: Any) -> None:
    assert run("authset", "LDAP", "LOCAL").exit_code == 0
    row = AuthenticationSettings.objects.get()
    assert (row.source, row.client_certificate) == ("LOCAL", "CN")
    assert backend.verify("admin", "secret").account is not None
    assert run("authset", "LDAP", "BOTH").exit_code == 0
    assert run("authset", "CBA", "OFF").exit_code == 0
    row.refresh_from_db()
    assert (row.source, row.client_certificate) == ("LDAP+LOCAL", "NO")
    assert run("authset", "LDAP", "LDAP").exit_code == 2
    assert run("authset", "CBA", "ON").exit_code == 2


@pytest.mark.spec("SYS-088", "DIAG-219")
def test_a_forgotten_password(database: Any) -> None:
    Account.objects.update(is_active=False)
    short = run("password", "--stdin", text="short\n")
    assert (short.exit_code, "too short" in short.output) == (1, True)
    asked = run("password", text="long-enough-1\nlong-enough-1\n")
    assert asked.exit_code == 0, asked.output
    assert "long-enough" not in asked.output
    admin = Account.objects.get()
    assert admin.is_active
    assert admin.check_password("long-enough-1")
    assert AdministratorLog.objects.filter(message="Configuration changed", object_name="admin").exists()
    made = run("password", "second", "--stdin", text="long-enough-2\n")
    assert "was made" in made.output
    assert Account.objects.get(username="second").is_superuser


def test_only_where_a_management_node_is(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    result = run("authset", "LDAP", "LOCAL", home=home)
    assert isinstance(result.exception, EnvironmentProblem)
    assert "holds no Management Node" in str(result.exception)
    assert not home.exists()
