"""`rostra status`: the whole platform from what the fabric says."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time

import pytest
from rich.console import Console

from rostra.cli.status import Overview, bar, draw, overview, show
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.fabric.peers import NodeReport
from rostra.fabric.replication import CHANGES
from rostra.fabric.status import (
    BackplaneStatus,
    ConferenceStatus,
    MediaStatus,
    NodeStatus,
    ParticipantStatus,
    StreamStatus,
)
from rostra.fabric.survey import Seen, Snapshot
from tests.management.nodes import FakeNode


def part(node: str, peer: str, people: int, **more: object) -> ConferenceStatus:
    streams = (
        StreamStatus(bitrate=64_000, kind="audio"),
        StreamStatus(bitrate=1_500_000),
        StreamStatus(sending=False, bitrate=9),
    )
    return ConferenceStatus(
        id="c-1",
        name="Board",
        service_type="conference",
        start_time=1000.0,
        participants=tuple(ParticipantStatus(uuid=f"{node}-{n}") for n in range(people)),
        media=MediaStatus(backplanes=(BackplaneStatus(peer=peer, scope="geo", streams=streams),)),
        **more,  # type: ignore[arg-type]
    )


def seen(number: int, *, alive: bool = True, **report: object) -> Seen:
    values = {
        "name": f"node{number}",
        "location": number,
        "version": "0.1.0",
        "capacity": 240,
        "position": 5,
        "time": 4600.0,
    } | report
    return Seen(report=NodeReport(node=f"n{number}", boot="b", **values), alive=alive, ago=0.0)  # type: ignore[arg-type]


SNAPSHOT = Snapshot(
    time=4600.0,
    seen={
        "n1": seen(1, media_load=50, participants=2, legs=3),
        "n2": seen(2, media_load=95, queued=7, time=4630.0, position=3),
        "n3": seen(3, alive=False),
        "n4": seen(4, maintenance=True, media_load=100),
    },
    statuses={
        "n1": NodeStatus(node="n1", conferences=(part("n1", "n2", 2, is_locked=True),)),
        "n2": NodeStatus(node="n2", conferences=(part("n2", "n1", 1),)),
    },
)


def drawn(shown: Overview) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(draw(shown))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_links_and_conferences_are_added_up_over_nodes() -> None:
    found = overview(SNAPSHOT, 5, {1: "Oslo", 2: "New York"})
    (conference,) = found.conferences
    assert (conference.participants, conference.nodes, conference.is_locked) == (3, ("node1", "node2"), True)
    assert [(link.sender, link.receiver, link.streams, link.bitrate) for link in found.links] == [
        ("node1", "node2", 2, 1_564_000),
        ("node2", "node1", 2, 1_564_000),
    ]


def test_the_tables_show_what_needs_attention() -> None:
    text = drawn(overview(SNAPSHOT, 5, {1: "Oslo", 2: "New York"}))
    rows = {line.split()[0]: line for line in reversed(text.splitlines()) if line.strip()}
    assert "████░░░░  50 %" in rows["node1"]
    assert "3 (-2)" in rows["node2"]
    assert "+30.0 s" in rows["node2"]
    assert "no contact" in rows["node3"]
    assert "maintenance" in rows["node4"]
    assert "1:00 h" in rows["Board"]
    assert "not heard" not in text
    assert "The Management Node is not heard" in drawn(overview(SNAPSHOT, None, {}))
    narrow = Console(file=io.StringIO(), width=80)
    narrow.print(draw(overview(SNAPSHOT, 5, {}), 80))
    assert isinstance(narrow.file, io.StringIO)
    assert "████░░░░  50 %" in narrow.file.getvalue()
    assert "…" not in narrow.file.getvalue()
    assert "no node is heard" in drawn(overview(Snapshot(time=1.0), None, {}))


@pytest.mark.parametrize(("percent", "full"), [(0, 0), (50, 4), (100, 8), (140, 8), (-3, 0)])
def test_a_bar_stays_within_its_frame(percent: int, full: int) -> None:
    assert bar(percent).plain.count("█") == full


async def test_over_the_fabric_without_a_management_node(bus: Bus, fabric: Environment) -> None:
    nodes = [FakeNode(bus, number) for number in (1, 2)]
    nodes[0].status = NodeStatus(node="n1", conferences=(part("n1", "n2", 2),))
    nodes[1].status = b"garbage"
    for node in nodes:
        await node.start()
    try:
        console = Console(file=io.StringIO(), width=200)
        await show(fabric, as_json=True, watch=False, console=console)
        assert isinstance(console.file, io.StringIO)
        found = json.loads(console.file.getvalue())
    finally:
        for node in nodes:
            await node.stop()
    assert [node["name"] for node in found["nodes"]] == ["node1", "node2"]
    assert all(node["alive"] for node in found["nodes"])
    assert all(abs(node["clock_offset"]) < 5 for node in found["nodes"])
    assert found["management_position"] is None
    assert [one["name"] for one in found["conferences"]] == ["Board"]


async def test_the_management_nodes_position_is_heard(bus: Bus, fabric: Environment) -> None:
    from rostra.configuration.changes import Changes

    async def announce() -> None:
        import msgspec

        while True:
            await bus.publish(CHANGES, msgspec.json.encode(Changes("e", 42, [])))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(announce())
    try:
        console = Console(file=io.StringIO(), width=200)
        await show(fabric, as_json=True, watch=False, console=console)
    finally:
        task.cancel()
    assert isinstance(console.file, io.StringIO)
    assert json.loads(console.file.getvalue())["management_position"] == 42


async def run(environment: Environment, *arguments: str) -> tuple[int, str, str]:
    """The command as a person gives it."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rostra.cli", "status", *arguments),
        env=variables | environment.variables(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode(), errors.decode()


async def test_where_nothing_runs_it_is_one_line(environment: Environment) -> None:
    began = time.monotonic()
    code, out, errors = await run(environment)
    assert (code, out, errors.count("\n")) == (1, "", 1)
    assert "nothing of Rostra has ever run" in errors
    assert not (environment.home / "nats").exists()
    (environment.home / "nats").mkdir()
    (environment.home / "nats" / "token").write_text("x")
    code, out, errors = await run(environment)
    assert (code, out, errors.count("\n")) == (1, "", 1)
    assert "is not running" in errors
    assert time.monotonic() - began < 25


async def test_the_command_prints_tables(bus: Bus, fabric: Environment) -> None:
    node = FakeNode(bus, 1)
    await node.start()
    try:
        code, out, errors = await run(fabric)
    finally:
        await node.stop()
    assert (code, errors) == (0, "")
    assert "node1" in out
    assert "in service" in out
