"""`rostra run`: the whole platform on one machine, from an empty home directory to calls being accepted."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from pathlib import Path

from rich.console import Console

from rostra import logs, machine, tls
from rostra.cli import ports
from rostra.cli.child import Child, EndedEarly, describe, rotate
from rostra.cli.health import healthy
from rostra.cli.home import FirstPassword, HomeInUse, held
from rostra.cli.summary import summary
from rostra.environment import Environment, Secret
from rostra.fabric import server

PROGRAM = (sys.executable, "-m", "rostra.cli")

START_LIMIT = 180.0
"""Seconds within which everything must be ready."""

_PATIENCE = {"node": 2.5, "management": 1.5, "nats": 1.0}
"""Seconds each child has to end by itself; together what Ctrl-C may take."""


class NotReady(Exception):
    """The platform did not get ready in time. The text says who is missing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A child and, when it serves HTTPS, the port where it says that it is ready."""

    child: Child
    health_port: int | None
    label: str


async def run(environment: Environment, *, verbose: bool = False, program: Sequence[str] = PROGRAM) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. Everything is said on standard output.

    `program` is the command that takes `management` or `node` and becomes that.
    """
    environment = dataclasses.replace(environment, home=environment.home.absolute())
    logs.configure(environment, process="supervisor")
    console = Console(highlight=False, soft_wrap=True)
    task = asyncio.ensure_future(_run(environment, console, program, verbose=verbose))
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        console.print("stopped")
    except (HomeInUse, ports.PortTaken, EndedEarly, NotReady) as problem:
        print(f"rostra: {problem}", file=sys.stderr, flush=True)
        return 1
    return 0


async def _run(environment: Environment, console: Console, program: Sequence[str], *, verbose: bool) -> None:
    with held(environment.home):
        ports.check(ports.needs(environment))
        identity = tls.prepare(environment.home)
        password = FirstPassword.choose(environment)
        parts = _parts(environment, password.value, program)
        async with _started(parts, console), _tended(parts, verbose=verbose) as tend:
            await _ready(parts, identity.certificate, console)
            console.print(summary(environment, password, machine.primary_address()))
            password.shown()
            print("ready", flush=True)
            await tend()


def _parts(environment: Environment, password: Secret, program: Sequence[str]) -> list[Part]:
    """What runs, in the order of starting."""
    log = environment.home / "log"
    # Only the Management Node, which makes the administrator, is told the password.
    variables = dataclasses.replace(environment, admin_password=Secret("")).variables()
    told = dataclasses.replace(environment, admin_password=password).variables()
    parts: list[Part] = []
    if not environment.nats_url:
        parts.append(Part(Child("nats", server.prepare(environment), {}, log / "nats.log"), None, "Fabric"))
    parts.append(
        Part(
            Child("management", [*program, "management"], told, log / "management.log"),
            environment.management_https_port,
            "Management Node",
        )
    )
    parts.append(
        Part(
            Child("node", [*program, "node"], variables, log / "node.log"),
            environment.node_https_port,
            "Conferencing Node",
        )
    )
    return parts


@contextlib.asynccontextmanager
async def _started(parts: list[Part], console: Console) -> AsyncGenerator[None]:
    """Start the parts in order; stop them in reverse order however the context ends."""
    try:
        for part in parts:
            await part.child.start()
        yield
    finally:
        console.print("stopping")
        for part in reversed(parts):
            await part.child.stop(_PATIENCE[part.child.name])


@contextlib.asynccontextmanager
async def _tended(parts: list[Part], *, verbose: bool) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Look after the log files. What the context yields, awaited, keeps the parts running for good."""
    async with contextlib.AsyncExitStack() as ending:

        def begin(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
            task = asyncio.create_task(work)
            ending.callback(task.cancel)
            return task

        tasks = [begin(_housekeeping(parts, verbose=verbose))]

        async def tend() -> None:
            tasks.extend(begin(part.child.keep_running()) for part in parts)
            await asyncio.gather(*tasks)

        yield tend


async def _ready(parts: list[Part], certificate: Path, console: Console) -> None:
    """Return when every part serves. Raises EndedEarly or NotReady."""
    started = time.monotonic()
    waiting = {part.label for part in parts if part.health_port}

    async def serving(part: Part, port: int) -> None:
        await healthy(port, certificate)
        waiting.discard(part.label)
        console.print(f"{part.label} is ready ({time.monotonic() - started:.1f} s)")

    async def all_serving() -> None:
        await asyncio.gather(*(serving(part, part.health_port) for part in parts if part.health_port))

    async def remind() -> None:
        while True:
            await asyncio.sleep(5)
            console.print(f"waiting for {' and '.join(sorted(waiting))}")

    console.print("Starting " + ", ".join(part.label for part in parts))
    tasks = [asyncio.create_task(work) for work in (all_serving(), remind(), *map(_early_end, parts))]
    try:
        done, _ = await asyncio.wait(tasks, timeout=START_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            missing = " and ".join(sorted(waiting))
            raise NotReady(
                f"{missing} not ready within {START_LIMIT:.0f} s; the logs are in {parts[0].child.log.parent}"
            )
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _early_end(part: Part) -> None:
    code = await part.child.ended()
    raise EndedEarly(
        f"{part.label} ended with {describe(code)} before it was ready. The end of {part.child.log}:\n"
        f"{part.child.last_lines()}"
    )


async def _housekeeping(parts: list[Part], *, verbose: bool) -> None:
    """Keep log files within their limit; with `verbose`, show what is added to them."""
    shown = {part.child.log: _size(part.child.log) for part in parts}
    while True:
        await asyncio.sleep(0.2 if verbose else 30.0)
        for log in shown:
            rotate(log)
            if verbose:
                shown[log] = _show(log, shown[log])


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _show(log: Path, position: int) -> int:
    size = _size(log)
    if size == 0:
        return 0
    with log.open("rb") as lines:
        lines.seek(position if position <= size else 0)
        for line in lines.read().splitlines():
            print(f"{log.stem}: {line.decode('utf-8', 'replace')}", flush=True)
        return lines.tell()
