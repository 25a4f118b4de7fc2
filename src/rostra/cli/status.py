"""`rostra status`: nodes, links and conferences of the whole platform in the terminal, as the fabric knows them.

Works on any machine of the platform by what its home directory holds, with or without the Management Node.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rostra.configuration.changes import Changes
from rostra.configuration.local import open_database
from rostra.domain.capacity import max_calls, processor_load
from rostra.environment import Environment
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.peers import INTERVAL, Peers
from rostra.fabric.replication import ANNOUNCE, CHANGES
from rostra.fabric.survey import Seen, Snapshot, look

_BAR = 8
"""Characters of a full load bar."""
_WIDE = 160
"""Columns when what we write to is no terminal."""
_NARROW = 105
_SKEWED = 2.0
"""Seconds a clock may be off before it is marked."""
_decode_changes = msgspec.json.Decoder(Changes).decode


class NothingRuns(Exception):
    """There is no fabric to ask on this machine; the text says so in one line."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What one node sends another, all conferences together."""

    sender: str
    receiver: str
    scope: str
    conferences: int
    streams: int
    bitrate: int
    """bit/s."""


class Conference(msgspec.Struct, frozen=True, kw_only=True):
    """A conference over all its nodes."""

    id: str
    name: str
    service_type: str
    start_time: float
    is_locked: bool
    participants: int
    nodes: tuple[str, ...]
    """Names of those that carry its media."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node that was heard of."""

    id: str
    name: str
    location: str
    address: str
    version: str
    alive: bool
    maintenance: bool
    media_load: int
    processor_load: int
    """Percent of what calls get of its processor that is in use, as measured."""
    max_hd_calls: int
    participants: int
    registrations: int
    legs: int
    position: int
    queued: int
    clock_offset: float
    """Seconds its clock is ahead of ours."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown; also what `--json` prints."""

    time: float
    management_position: int | None
    """Newest change of configuration; None: the Management Node is not heard."""
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    conferences: tuple[Conference, ...]


# ---- from what the fabric says to what is shown (pure)


def overview(snapshot: Snapshot, position: int | None, locations: dict[int, str]) -> Overview:
    """Sort and add up."""
    names = {key: one.report.name or key for key, one in snapshot.seen.items()}
    nodes = [_node(key, one, snapshot.time, locations) for key, one in snapshot.seen.items()]
    return Overview(
        time=snapshot.time,
        management_position=position,
        nodes=tuple(sorted(nodes, key=lambda node: (node.location, node.name))),
        links=_links(snapshot, names),
        conferences=_conferences(snapshot, names),
    )


def _node(key: str, one: Seen, now: float, locations: dict[int, str]) -> Node:
    report = one.report
    return Node(
        id=key,
        name=report.name or key,
        location=locations.get(report.location, str(report.location)),
        address=report.address,
        version=report.version,
        alive=one.alive,
        maintenance=report.maintenance,
        media_load=report.media_load,
        processor_load=processor_load(report.cores_used, report.cores),
        max_hd_calls=max_calls(report.capacity).hd,
        participants=report.participants,
        registrations=report.registrations,
        legs=report.legs,
        position=report.position,
        queued=report.queued,
        clock_offset=round(report.time - (now - one.ago), 1) if report.time else 0.0,
    )


def _links(snapshot: Snapshot, names: dict[str, str]) -> tuple[Link, ...]:
    found: dict[tuple[str, str], Link] = {}
    for node, status in snapshot.statuses.items():
        for conference in status.conferences:
            for backplane in conference.media.backplanes if conference.media else ():
                sent = [stream for stream in backplane.streams if stream.sending]
                ends = names.get(node, node), names.get(backplane.peer, backplane.peer)
                none = Link(sender=ends[0], receiver=ends[1], scope="", conferences=0, streams=0, bitrate=0)
                before = found.get(ends, none)
                found[ends] = msgspec.structs.replace(
                    before,
                    scope=backplane.scope,
                    conferences=before.conferences + 1,
                    streams=before.streams + len(sent),
                    bitrate=before.bitrate + sum(stream.bitrate for stream in sent),
                )
    return tuple(found[ends] for ends in sorted(found))


def _conferences(snapshot: Snapshot, names: dict[str, str]) -> tuple[Conference, ...]:
    found: dict[str, Conference] = {}
    for node, status in sorted(snapshot.statuses.items()):
        for part in status.conferences:
            before = found.get(part.id)
            start = min((time for time in (part.start_time, before.start_time if before else 0.0) if time), default=0.0)
            carried = (names.get(node, node),) if part.media else ()
            found[part.id] = Conference(
                id=part.id,
                name=part.name,
                service_type=part.service_type,
                start_time=start,
                is_locked=part.is_locked or bool(before and before.is_locked),
                participants=len(part.participants) + (before.participants if before else 0),
                nodes=(before.nodes if before else ()) + carried,
            )
    return tuple(sorted(found.values(), key=lambda one: one.name))


# ---- drawing


def draw(shown: Overview, width: int = _WIDE) -> RenderableType:
    """The three tables; with few columns of characters less is said of each node."""
    parts: list[RenderableType] = [_draw_nodes(shown, narrow=width < _NARROW)]
    if shown.management_position is None:
        parts.append(Text("The Management Node is not heard; calls do not need it.", style="yellow"))
    parts += [_draw_links(shown), _draw_conferences(shown)]
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.box, table.pad_edge, table.padding = box.SIMPLE_HEAD, False, (0, 1, 0, 0)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table


def _draw_nodes(shown: Overview, *, narrow: bool) -> Table:
    more = () if narrow else (">Processor", "Location", ">Devices", ">HD", "Version")
    table = _table(
        *("Conferencing Nodes", "Node", "State", "Media load", ">Signals", ">Carries"),
        *("Config", ">Queued", ">Clock", *more),
    )
    for node in shown.nodes:
        table.add_row(
            node.name,
            _state(node),
            bar(node.media_load) if node.alive else Text("–", style="dim"),
            str(node.participants),
            str(node.legs),
            _position(node, shown.management_position),
            Text(str(node.queued), style="yellow" if node.queued else ""),
            Text(f"{node.clock_offset:+.1f} s", style="red" if abs(node.clock_offset) > _SKEWED else ""),
            *(() if narrow else _more(node)),
        )
    if not shown.nodes:
        table.add_row(Text("no node is heard", style="dim"))
    return table


def _more(node: Node) -> tuple[str, ...]:
    busy = f"{node.processor_load} %"
    return busy, node.location, str(node.registrations), str(node.max_hd_calls), node.version


def _state(node: Node) -> Text:
    if not node.alive:
        return Text("no contact", style="bold red")
    return Text("maintenance", style="yellow") if node.maintenance else Text("in service", style="green")


def bar(percent: int) -> Text:
    """A load bar."""
    full = max(0, min(_BAR, round(percent * _BAR / 100)))
    style = "red" if percent >= 90 else "yellow" if percent >= 70 else "green"
    return Text("█" * full, style=style) + Text("░" * (_BAR - full), style="dim") + Text(f" {percent:3} %", style="")


def _position(node: Node, newest: int | None) -> Text:
    if newest is None or node.position >= newest:
        return Text(str(node.position))
    return Text(f"{node.position} (-{newest - node.position})", style="yellow")


def _draw_links(shown: Overview) -> Table:
    table = _table("Links", "From", "To", "Kind", ">Conferences", ">Streams", ">Bit rate")
    for link in shown.links:
        rate = f"{link.bitrate / 1_000_000:.2f} Mbit/s"
        table.add_row(
            link.sender,
            link.receiver,
            "between locations" if link.scope == "geo" else "within a location",
            str(link.conferences),
            str(link.streams),
            rate,
        )
    if not shown.links:
        table.add_row(Text("none", style="dim"))
    return table


def _draw_conferences(shown: Overview) -> Table:
    table = _table("Conferences", "Name", "Kind", ">Participants", ">Since", "Locked", "Media on")
    for one in shown.conferences:
        minutes = int(max(0.0, shown.time - one.start_time)) // 60 if one.start_time else 0
        table.add_row(
            one.name,
            one.service_type,
            str(one.participants),
            f"{minutes // 60}:{minutes % 60:02} h",
            "yes" if one.is_locked else "",
            ", ".join(one.nodes),
        )
    if not shown.conferences:
        table.add_row(Text("none", style="dim"))
    return table


# ---- asking


@contextlib.asynccontextmanager
async def asking(environment: Environment) -> AsyncGenerator[Callable[[], Any]]:
    """Connect to the fabric of this machine; what the context yields gives an Overview. Raises NothingRuns."""
    if not (environment.home / "nats" / "token").exists():
        raise NothingRuns(f"nothing of Rostra has ever run in {environment.home}; is ROSTRA_HOME right?")
    try:
        bus = await Bus.join(environment, name="status", timeout=2.0)
    except Unreachable:
        raise NothingRuns(f"Rostra is not running in {environment.home}") from None
    heard: dict[str, tuple[float, int]] = {}

    async def newest(_subject: str, payload: bytes) -> None:
        with contextlib.suppress(msgspec.DecodeError):
            heard["position"] = time.monotonic(), _decode_changes(payload).last

    peers = Peers(bus)
    locations = await asyncio.to_thread(_locations, environment)

    async def ask() -> Overview:
        when, position = heard.get("position", (0.0, 0))
        fresh = time.monotonic() - when < 3 * ANNOUNCE
        return overview(await look(bus, peers), position if fresh else None, locations)

    try:
        await peers.start()
        await bus.subscribe(CHANGES, newest)
        await asyncio.sleep(max(2 * INTERVAL, ANNOUNCE) + 0.2)  # so long it takes until everybody has spoken
        yield ask
    finally:
        await peers.stop()
        await bus.close()


def _locations(environment: Environment) -> dict[int, str]:
    """Names of locations from the database of this machine, as far as there is one."""
    for file in (environment.node_home / "configuration.db", environment.management_home / "management.db"):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(open_database(file, read_only=True)) as database:
            return {row[0]: row[1] for row in database.execute("SELECT id, name FROM configuration_systemlocation")}
    return {}


async def show(environment: Environment, *, as_json: bool, watch: bool, console: Console | None = None) -> None:
    """Print the state of the platform once, or with `watch` until interrupted. Raises NothingRuns."""
    out = console or Console()
    if not out.is_terminal:
        out.width = _WIDE
    async with asking(environment) as ask:
        if as_json:
            while True:
                out.print(msgspec.json.encode(await ask()).decode(), soft_wrap=True, highlight=False, markup=False)
                if not watch:
                    return
                await asyncio.sleep(1.0)
        if not watch:
            out.print(draw(await ask(), out.width))
            return
        with Live(draw(await ask(), out.width), console=out, screen=out.is_terminal, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(1.0)
                live.update(draw(await ask(), out.width), refresh=True)
