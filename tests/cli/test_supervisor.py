"""`rostra run` from outside: what it prints, what it starts, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rostra.cli.roles import local_node
from rostra.cli.supervisor import AGAIN
from rostra.environment import Environment
from rostra.node import identity
from rostra.node.identity import NodeIdentity

_DRIVER = """
import asyncio, sys
from rostra.cli import supervisor
from rostra.environment import Environment
role = supervisor.Role(sys.argv.pop())
program = (sys.executable, *sys.argv[1:])
sys.exit(asyncio.run(supervisor.run(Environment.load(), role, program=program)))
"""
_STAND_IN = Path(__file__).with_name("stand_in.py")


class Run:
    """One `rostra run` with stand-ins for the nodes."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path) -> None:
        self.process = process
        self.home = home
        self.printed: list[str] = []

    async def until_line(self, text: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while line := (await self.process.stdout.readline()).decode():
                self.printed.append(line.rstrip("\n"))
                if line.rstrip("\n") == text:
                    return
        pytest.fail(f"no line {text!r} in: " + "\n".join(self.printed))

    async def finish(self, number: signal.Signals | None = None) -> int:
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(30):
            output, _ = await self.process.communicate()
        self.printed += output.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode

    def told(self, role: str) -> dict[str, Any]:
        return json.loads((self.home / f"told-{role}").read_text())

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@asynccontextmanager
async def running(environment: Environment, behaviour: str = "serve", role: str = "run") -> AsyncIterator[Run]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _DRIVER,
        str(_STAND_IN),
        behaviour,
        role,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**clean, **environment.variables()},
    )
    try:
        yield Run(process, environment.home)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 — other processes set no events of ours
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def test_says_everything_a_person_needs_and_stops_cleanly(environment: Environment) -> None:
    async with running(environment) as run:
        await run.until_line("ready")
        printed = "\n".join(run.printed)
        assert f"https://localhost:{environment.node_https_port}/" in printed
        assert f"https://localhost:{environment.management_https_port}/" in printed
        assert "sip:meet.demo@" in printed
        password = run.told("management")["password"]
        assert len(password) >= 12
        assert password in printed
        assert run.told("node")["password"] == ""
        children = run.pids()
        assert len(children) == 3
        assert await run.finish(signal.SIGINT) == 0
        assert not any(map(alive, children))
    log = (environment.home / "log" / "node.log").read_text()
    assert "node says goodbye" in log
    assert password not in log


async def test_the_second_start_keeps_password_and_certificate(environment: Environment) -> None:
    certificate = environment.home / "tls" / "certificate.pem"
    async with running(environment) as first:
        await first.until_line("ready")
        issued = certificate.read_bytes()
        assert await first.finish(signal.SIGTERM) == 0
    async with running(environment) as second:
        await second.until_line("ready")
        assert second.told("management")["password"] == ""
        assert "as set on the first start" in "\n".join(second.printed)
        assert certificate.read_bytes() == issued
        assert await second.finish(signal.SIGTERM) == 0


async def test_one_instance_per_home(environment: Environment) -> None:
    async with running(environment) as first:
        await first.until_line("ready")
        async with running(environment) as second:
            assert await second.finish() == 1
            assert f"is in use by a running Rostra (process {first.process.pid})" in second.printed[-1]
        assert await first.finish(signal.SIGTERM) == 0


async def test_a_child_that_fails_early_is_shown_with_its_last_words(environment: Environment) -> None:
    async with running(environment, "fail-node") as run:
        assert await run.finish() == 1
        assert "Conferencing Node ended with exit code 1 before it was ready" in "\n".join(run.printed)
        assert run.printed[-1] == "the node is out of order"
        assert "ready" not in run.printed


async def test_a_password_nobody_saw_is_shown_by_the_next_start(environment: Environment) -> None:
    async with running(environment, "fail-node") as failed:
        await failed.finish()
    environment.management_home.mkdir(exist_ok=True)  # the administrator exists by now
    given = failed.told("management")["password"]
    async with running(environment) as run:
        await run.until_line("ready")
        assert given in "\n".join(run.printed)
        assert await run.finish(signal.SIGTERM) == 0


async def test_a_child_that_dies_is_started_again_and_the_others_stay(environment: Environment) -> None:
    async with running(environment) as run:
        await run.until_line("ready")
        management, node = run.told("management")["pid"], run.told("node")["pid"]
        os.kill(management, signal.SIGKILL)
        await eventually(lambda: run.told("management")["pid"] != management)
        assert alive(node)
        assert run.told("node")["pid"] == node
        assert await run.finish(signal.SIGTERM) == 0
        assert "SIGKILL" in "\n".join(run.printed)


async def test_nothing_survives_a_killed_supervisor(environment: Environment) -> None:
    async with running(environment) as run:
        await run.until_line("ready")
        children = run.pids()
        assert len(children) == 3
        await run.finish(signal.SIGKILL)
        await eventually(lambda: not any(map(alive, children)))


async def test_a_deleted_node_is_not_started_again_and_the_others_go_on(environment: Environment) -> None:
    async with running(environment, "deleted") as run:
        await run.until_line("ready")
        management, node = run.told("management")["pid"], run.told("node")["pid"]
        os.kill(node, signal.SIGUSR1)
        await run.until_line(
            "Conferencing Node: This Conferencing Node was deleted from the platform; the others go on without it"
        )
        assert alive(management)
        assert len(run.pids()) == 2
        assert await run.finish(signal.SIGTERM) == 0


async def test_everything_starts_again_when_the_management_node_asks_for_it(environment: Environment) -> None:
    async with running(environment, "again") as run:
        await run.until_line("ready")
        children = run.pids()
        os.kill(run.told("management")["pid"], signal.SIGUSR1)
        assert await run.finish() == AGAIN
        assert not any(map(alive, children))
        assert "starting again" in run.printed


async def test_a_machine_that_is_only_a_node_ends_when_it_is_deleted(environment: Environment) -> None:
    async with running(environment) as first:  # makes this home a node's
        await first.until_line("ready")
        assert await first.finish(signal.SIGTERM) == 0
    async with running(environment, "deleted", "node") as run:
        await run.until_line("ready")
        assert len(run.pids()) == 2
        os.kill(run.told("node")["pid"], signal.SIGUSR1)
        assert await run.finish() == 3
        assert run.printed[-1] == "rostra: This Conferencing Node was deleted from the platform."


async def test_a_management_node_alone_has_no_conferencing_node(environment: Environment) -> None:
    async with running(environment, role="management") as run:
        await run.until_line("ready")
        assert len(run.pids()) == 2
        assert run.told("management")["password"] in "\n".join(run.printed)
        assert not (environment.home / "node").exists()
        assert await run.finish(signal.SIGTERM) == 0


async def test_a_killed_fabric_is_back_at_once(environment: Environment) -> None:
    async with running(environment) as run:
        await run.until_line("ready")
        file = environment.home / "nats" / "pid"
        before = int(file.read_text())
        began = time.monotonic()
        os.kill(before, signal.SIGKILL)
        await eventually(lambda: file.read_text().strip() not in ("", str(before)))
        took = time.monotonic() - began
        assert took < 0.6, f"{took:.2f} s"
        assert await run.finish(signal.SIGTERM) == 0


async def test_a_home_of_another_platform_is_not_taken_over(environment: Environment) -> None:
    foreign = NodeIdentity(key=5, name="paris", address="127.0.0.1", management=("https://192.0.2.1:9443",))
    identity.store(environment.home, foreign)
    async with running(environment) as run:
        assert await run.finish() != 0
        assert "belongs to the node paris" in "\n".join(run.printed)
    assert identity.load(environment.home) == foreign


def test_the_node_beside_the_management_node_follows_the_machine_and_stays_deleted(environment: Environment) -> None:
    first = local_node(environment)
    assert first == NodeIdentity(key=1, name="node1", address="127.0.0.1")
    identity.store(environment.home, NodeIdentity(key=1, name="node1", address="192.0.2.77"))
    assert local_node(environment) == first
    identity.retire(environment.home)
    assert local_node(environment) is None
    identity.retire(environment.home)
    assert local_node(environment) is None
