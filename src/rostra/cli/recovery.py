"""Ways back in for administrators, on the machine of the Management Node; it may run meanwhile."""

from __future__ import annotations

import enum
import sys
from typing import Annotated, Any

import typer

from rostra.environment import Environment, EnvironmentProblem


class Source(enum.StrEnum):
    """Where accounts are looked for."""

    LOCAL = "LOCAL"
    BOTH = "BOTH"


class Off(enum.StrEnum):
    """What certificates can be turned to."""

    OFF = "OFF"


authset = typer.Typer(help="Let administrators in again by other means.", no_args_is_help=True)


def _management() -> Any:
    """The Management Node's database, ready for use. Raises EnvironmentProblem where there is none."""
    environment = Environment.load()
    if not environment.management_home.is_dir():
        raise EnvironmentProblem(f"ROSTRA_HOME: {environment.home} holds no Management Node")
    from rostra.management import settings

    settings.configure(environment)
    from rostra.management.accounts import recovery

    return recovery


@authset.command("LDAP")
def ldap(source: Annotated[Source, typer.Argument(help="LOCAL: the local database only; BOTH: LDAP too.")]) -> None:
    """Say where accounts are looked for, whatever the state of the directory."""
    _management().set_source(source.value)
    typer.echo(f"Authentication source: {'local database' if source is Source.LOCAL else 'LDAP and local database'}.")


@authset.command("CBA")
def certificates(_off: Annotated[Off, typer.Argument(help="OFF: sign in by password again.")]) -> None:
    """Stop asking browsers for certificates."""
    _management().no_client_certificates()
    typer.echo("Client certificates are not required.")


def password(
    username: Annotated[str, typer.Argument(help="A local account; one that is missing is made.")] = "admin",
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the new password from standard input.")] = False,
) -> None:
    """Give a local account a new password. Its sessions end."""
    recovery = _management()
    from django.core.exceptions import ValidationError

    new = (
        sys.stdin.readline().rstrip("\r\n")
        if stdin
        else typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    )
    try:
        known = recovery.set_password(username, new)
    except ValidationError as problem:
        typer.echo(f"rostra: {' '.join(problem.messages)}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The password of {username} was changed." if known else f"The account {username} was made.")
