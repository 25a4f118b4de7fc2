"""`rostra run`, `rostra management` and `rostra node`: from an empty home directory to calls being accepted."""

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

from rostra import logs, tls
from rostra.cli import joining, ports
from rostra.cli.child import EndedEarly, EndedForGood, describe, rotate
from rostra.cli.health import healthy
from rostra.cli.home import FirstPassword, HomeInUse, held
from rostra.cli.parts import RESTARTS, Part, parts
from rostra.cli.roles import FINAL, Role, local_node
from rostra.cli.summary import management_summary, node_summary, summary
from rostra.environment import Environment, Secret
from rostra.fabric import authority
from rostra.node.bootstrap import BootstrapRefused
from rostra.tls import Identity

PROGRAM = (sys.executable, "-m", "rostra.cli", "process")

START_LIMIT = 180.0
"""Seconds within which everything must be ready."""

GONE = 3
"""Exit code when this machine's node was deleted, or runs elsewhere."""
AGAIN = 6
"""Returned when everything on this machine is to start again, by the software that is the current one now."""


class NotReady(Exception):
    """The platform did not get ready in time. The text says who is missing."""


async def run(
    environment: Environment,
    role: Role = Role.EVERYTHING,
    *,
    configuration: Path | None = None,
    verbose: bool = False,
    program: Sequence[str] = PROGRAM,
) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. Everything is said on standard output.

    `configuration`: the file a new node enrols with. `program` is the command that takes `management` or `node` and
    becomes that.
    """
    environment = dataclasses.replace(environment, home=environment.home.absolute())
    logs.configure(environment, process="supervisor")
    console = Console(highlight=False, soft_wrap=True)
    machine = _Machine(environment, role, configuration, console, program, verbose=verbose)
    task = asyncio.ensure_future(machine.run())
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
    except (HomeInUse, ports.PortTaken, EndedEarly, NotReady, BootstrapRefused) as problem:
        print(f"rostra: {problem}", file=sys.stderr, flush=True)
        return 1
    except EndedForGood as end:
        if end.code in RESTARTS:
            console.print("starting again")
            return AGAIN
        print(f"rostra: {FINAL[end.code]}.", file=sys.stderr, flush=True)
        return GONE
    return 0


class _Machine:
    """One start of one role."""

    def __init__(
        self,
        environment: Environment,
        role: Role,
        configuration: Path | None,
        console: Console,
        program: Sequence[str],
        *,
        verbose: bool,
    ) -> None:
        self._environment = environment
        self._role = role
        self._configuration = configuration
        self._console = console
        self._program = program
        self._verbose = verbose

    async def run(self) -> None:
        with held(self._environment.home):
            identity = tls.prepare(self._environment.home)
            if self._role is Role.NODE:
                await self._node(identity)
            else:
                await self._management()

    async def _management(self) -> None:
        environment = self._environment
        node = local_node(environment) if self._role is Role.EVERYTHING else None
        with_node = node is not None
        ports.check(ports.needs(environment, node=with_node, fabric=environment.own_address))
        password = FirstPassword.choose(environment)  # looks whether the Management Node has been here
        authority.found(environment)
        said = summary if with_node else management_summary
        await self._keep(password.value, said(environment, password), password.shown, with_node=with_node)

    async def _node(self, identity: Identity) -> None:
        environment = self._environment
        ports.check(ports.needs(environment, management=False))
        node = await joining.node(environment, self._configuration, identity, self._console)
        ports.check(ports.needs(environment, management=False, fabric=node.address))
        await self._keep(Secret(""), node_summary(environment, node), lambda: None, with_node=True)

    async def _keep(self, password: Secret, said: object, shown: Callable[[], None], *, with_node: bool) -> None:
        found = parts(self._environment, self._role, password, self._program, with_node=with_node)
        console = self._console
        async with _started(found, console), _tended(found, console, verbose=self._verbose) as tend:
            await _ready(found, console)
            console.print(said)
            shown()
            print("ready", flush=True)
            await tend()


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
            await part.child.stop(part.patience)


@contextlib.asynccontextmanager
async def _tended(
    parts: list[Part], console: Console, *, verbose: bool
) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Look after the log files. What the context yields, awaited, keeps the parts running for good."""
    async with contextlib.AsyncExitStack() as ending:

        def begin(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
            task = asyncio.create_task(work)
            ending.callback(task.cancel)
            return task

        tasks = [begin(_housekeeping(parts, verbose=verbose))]

        async def tend() -> None:
            tasks.extend(begin(_keep_running(part, console)) for part in parts)
            await asyncio.gather(*tasks)

        yield tend


async def _keep_running(part: Part, console: Console) -> None:
    try:
        await part.child.keep_running()
    except EndedForGood as end:
        if part.vital or end.code in RESTARTS:
            raise
        console.print(f"{part.label}: {FINAL[end.code]}; the others go on without it")


async def _ready(parts: list[Part], console: Console) -> None:
    """Return when every part serves. Raises EndedEarly or NotReady."""
    started = time.monotonic()
    waiting = {part.label for part in parts if part.health_port}

    async def serving(part: Part, port: int) -> None:
        await healthy(port)
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
    if code in RESTARTS or (code in FINAL and part.vital):
        raise EndedForGood(part.child, code)
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
