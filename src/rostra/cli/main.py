"""The command `rostra`: each subcommand is a thin wrapper around the room that does the work."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

import rostra
from rostra import logs, tls
from rostra.environment import Environment, EnvironmentProblem

application = typer.Typer(
    help="Rostra, the open conferencing platform. Settings are environment variables; see docs/admin/environment.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@application.command()
def run(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the log of every process here too.")] = False,
) -> None:
    """Run everything on this machine: fabric, Management Node and one Conferencing Node."""
    from rostra.cli import supervisor

    environment = Environment.load()
    raise typer.Exit(asyncio.run(supervisor.run(environment, verbose=verbose)))


@application.command()
def management() -> None:
    """Run the Management Node: admin site and management API."""
    environment = Environment.load()
    logs.configure(environment, process="management")
    from rostra.management.server import serve

    identity = tls.prepare(environment.home)
    asyncio.run(serve(environment, identity.certificate, identity.key))


@application.command()
def node() -> None:
    """Run a Conferencing Node: signalling and media of calls."""
    environment = Environment.load()
    logs.configure(environment, process="node")
    from rostra.node.main import serve

    identity = tls.prepare(environment.home)
    asyncio.run(serve(environment, identity.certificate, identity.key))


@application.command()
def version() -> None:
    """Print the version."""
    typer.echo(rostra.__version__)


def main() -> None:
    """Entry point: a problem with the environment is one line and exit code 2, not a traceback."""
    try:
        application()
    except EnvironmentProblem as problem:
        typer.echo(f"rostra: {problem}", err=True)
        sys.exit(2)
