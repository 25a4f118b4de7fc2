"""`rostra ports`: what a firewall must let through, as a table for people, for pages, for programs, for nft."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from rostra import ports
from rostra.environment import Environment
from rostra.ports import Networks, Party

Markdown = Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Nftables = Annotated[
    str, typer.Option("--nftables", metavar="ROLE", help="As packet filter rules of a machine: node or management.")
]
Nodes = Annotated[
    list[str] | None, typer.Option("--nodes", metavar="NETWORK", help="Of the platform's machines; repeat for more.")
]
Administrators = Annotated[
    list[str] | None, typer.Option("--administrators", metavar="NETWORK", help="Of administrators; repeat for more.")
]

_ROLES = {"node": Party.NODE, "management": Party.MANAGEMENT}


def show(
    markdown: Markdown = False,
    json: Json = False,
    nftables: Nftables = "",
    nodes: Nodes = None,
    administrators: Administrators = None,
) -> None:
    """Every port, who listens on it, and who comes to it, with the present settings."""
    environment = Environment.load()
    if nftables:
        typer.echo(_rules(environment, nftables, nodes or [], administrators or []), nl=False)
    elif json:
        typer.echo(ports.as_json(environment))
    elif markdown:
        typer.echo(ports.markdown(environment), nl=False)
    else:
        Console().print(_table(environment))


def _rules(environment: Environment, role: str, nodes: list[str], administrators: list[str]) -> str:
    if role not in _ROLES:
        raise typer.BadParameter(f"{role} is none of {', '.join(_ROLES)}", param_hint="--nftables")
    if not nodes or not administrators:
        raise typer.BadParameter("say which networks to permit with --nodes and --administrators")
    return ports.nftables(
        environment, _ROLES[role], _networks(nodes, "--nodes"), _networks(administrators, "--administrators")
    )


def _networks(texts: list[str], option: str) -> Networks:
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint=option) from None


def _table(environment: Environment) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ports.HEADINGS:
        table.add_column(heading, overflow="fold")
    for opening in ports.OPENINGS:
        table.add_row(*(cell.replace("`", "") for cell in ports.cells(opening, environment)))
    return table
