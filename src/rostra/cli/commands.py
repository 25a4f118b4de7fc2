"""The commands of `rostra`: each is a thin wrapper around the room that does the work."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

import rostra
from rostra import logs, software, tls
from rostra.cli import bundle, capacity, licence, port_table, recovery, setup
from rostra.environment import Environment, EnvironmentProblem

application = typer.Typer(
    help="Rostra, the open conferencing platform. Settings are environment variables; see docs/admin/environment.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
process = typer.Typer(help="Single processes, as the others start them.", no_args_is_help=True)
application.add_typer(process, name="process", hidden=True)
application.add_typer(licence.application, name="licence", hidden=True)

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the log of every process here too.")]
Configuration = Annotated[
    Path | None, typer.Option("--config", help="Configuration file of a new node; without it a page asks for one.")
]


@application.command()
def run(verbose: Verbose = False) -> None:
    """Run everything on this machine: fabric, Management Node and one Conferencing Node."""
    _supervise("run", verbose=verbose)


@application.command()
def management(verbose: Verbose = False) -> None:
    """Run a Management Node: admin site and management API, and its part of the fabric."""
    _supervise("management", verbose=verbose)


@application.command()
def node(config: Configuration = None, verbose: Verbose = False) -> None:
    """Run a Conferencing Node, and its part of the fabric; a new one is first given its configuration."""
    _supervise("node", configuration=config, verbose=verbose)


def _supervise(role: str, *, configuration: Path | None = None, verbose: bool) -> None:
    from rostra.cli import supervisor
    from rostra.cli.roles import Role

    environment = Environment.load()
    software.switch(environment.home, sys.argv[1:])
    code = asyncio.run(supervisor.run(environment, Role(role), configuration=configuration, verbose=verbose))
    if code == supervisor.AGAIN:
        software.start_again(environment.home, sys.argv[1:])
    raise typer.Exit(code)


@application.command()
def codecs() -> None:
    """Show which codecs calls of this machine's node may use."""
    from rostra.media.codecs import states

    for codec in states.all_codecs():
        typer.echo(f"{codec.switch or codec.name:<16}{codec.state}")


@process.command("management")
def management_process() -> None:
    """The Management Node alone."""
    from rostra.management.server import serve
    from rostra.node import identity

    environment = Environment.load()
    logs.configure(environment, process="management")
    own = tls.prepare(environment.home)
    local = identity.load(environment.home) is not None
    raise typer.Exit(asyncio.run(serve(environment, own.certificate, own.key, with_node=local)))


@process.command("rehearsal")
def rehearsal_process() -> None:
    """Bring the tables of a copied database up to date, and nothing else: see `upgrades.rehearsal`."""
    from rostra.management import settings

    environment = Environment.load()
    settings.configure(environment)
    from django.core.management import call_command

    from rostra.configuration import journal

    journal.remove_triggers()
    call_command("migrate", verbosity=0, interactive=False)


@process.command("node")
def node_process() -> None:
    """The Conferencing Node alone."""
    from rostra.cli.roles import END_CODES
    from rostra.node import belonging, identity
    from rostra.node.main import serve

    environment = Environment.load()
    logs.configure(environment, process="node")
    given = identity.load(environment.home)
    if given is None:
        raise EnvironmentProblem(f"ROSTRA_HOME: {environment.home} holds no identity of a node; use `rostra node`")
    own = tls.prepare(environment.home)
    why = asyncio.run(serve(environment, given, own.certificate, own.key))
    if why == belonging.DELETED:
        identity.retire(environment.home)
    raise typer.Exit(END_CODES.get(why, 0))


@application.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it anew each second until Ctrl-C.")] = False,
) -> None:
    """Show nodes, links and conferences of the whole platform; also while the Management Node is down."""
    from rostra.cli.status import NothingRuns, show

    environment = dataclasses.replace(Environment.load(), log_level="error")
    logs.configure(environment, process="status")
    try:
        asyncio.run(show(environment, as_json=as_json, watch=watch))
    except NothingRuns as reason:
        typer.echo(f"rostra: {reason}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


application.command("ports")(port_table.show)
application.command("capacity")(capacity.show)
application.command("password")(recovery.password)
application.add_typer(recovery.authset, name="authset")
application.command("setup")(setup.setup)
application.add_typer(bundle.application, name="bundle")


@application.command()
def version() -> None:
    """Print the version."""
    typer.echo(rostra.__version__)
