"""`rostra capacity`: measure what calls cost on this machine, and how many of each kind it can take."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from rostra import logs
from rostra.environment import Environment
from rostra.fabric import status
from rostra.fabric.bus import Bus, Unreachable
from rostra.media.selfcheck import TIMEOUT, measure, usable_cores
from rostra.node import identity, measuring

KINDS = {"full_hd": "Full HD (1080p)", "hd": "HD (720p)", "sd": "SD", "audio": "sound only"}


class NotMeasured(Exception):
    """The text says why."""


def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Have the node that runs here measure, and go by it from now on.")
    ] = False,
) -> None:
    """Measure what calls cost on this machine, and how many fit; takes some seconds of two cores."""
    environment = dataclasses.replace(Environment.load(), log_level="error")
    logs.configure(environment, process="capacity")
    try:
        found = asyncio.run(of_node(environment) if apply else of_machine())
    except NotMeasured as problem:
        typer.echo(f"rostra: {problem}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    console = Console()
    console.print(draw(found))
    if found.crowded:
        console.print("The machine had other work to do meanwhile: measure again when it is quiet.", style="yellow")
    if found.stated:
        console.print(
            f"The node goes by {found.stated} HD calls, as ROSTRA_CAPACITY states: unset it and restart the node to "
            "have it go by what it measures.",
            style="yellow",
        )


async def of_machine() -> status.Capacity:
    """What this machine can take. Raises NotMeasured."""
    found = await measure(usable_cores())
    if found.costs is None:
        raise NotMeasured("the media engine does not run here; the log level `warning` tells more")
    return measuring.reply(found)


async def of_node(environment: Environment) -> status.Capacity:
    """What the node that runs here finds, and goes by from now on. Raises NotMeasured."""
    node = identity.load(environment.home)
    if node is None:
        raise NotMeasured(f"there is no Conferencing Node in {environment.home}; is ROSTRA_HOME right?")
    try:
        bus = await Bus.join(environment, name="capacity", timeout=2.0)
    except Unreachable:
        raise NotMeasured(f"Rostra is not running in {environment.home}") from None
    try:
        asked = status.encode_command(status.CheckCapacity())
        answer = await bus.request(status.command_subject(node.id), asked, timeout=2 * TIMEOUT)
        found = status.decode_reply(answer)
    except Unreachable as problem:
        raise NotMeasured(f"the node does not answer: {problem}") from None
    finally:
        await bus.close()
    match found:
        case status.Capacity():
            return found
        case status.Refused(reason=reason):
            raise NotMeasured(f"the node does not measure now: {reason}")
        case _:
            raise NotMeasured(f"the node answers something else: {found}")


def draw(found: status.Capacity) -> Table:
    """The table."""
    table = Table(title=f"Capacity of {found.cores:g} cores", title_justify="left", title_style="bold")
    table.box, table.pad_edge = box.SIMPLE_HEAD, False
    table.add_column("Calls of this kind alone")
    for title in ("Cores a call", "Calls a core", "Calls"):
        table.add_column(title, justify="right")
    for kind, title in KINDS.items():
        cost, calls = found.costs.get(kind), int(getattr(found, kind))
        each = f"{cost:.3f}" if cost else "–"
        table.add_row(title, each, f"{calls / found.cores:.1f}" if found.cores else "–", str(calls))
    return table
