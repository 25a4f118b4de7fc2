"""The Management Node's process: admin site and API over TLS, and the publisher of configuration."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from rostra import heads, tls
from rostra.environment import Environment, EnvironmentProblem, Secret
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.claims import judge
from rostra.fabric.replication import Publisher
from rostra.management import restart, settings, state

logger = structlog.get_logger("rostra.management")


async def serve(
    environment: Environment,
    certificate: Path,
    key: Path,
    *,
    on_password: Callable[[Secret], None] | None = None,
    host: str = "0.0.0.0",  # noqa: S104 - a server for others
    with_node: bool = True,
) -> int:
    """Run the Management Node until cancelled, until SIGTERM or SIGINT, or until it asks to be started again; returns
    the exit code of the process (see `restart`).

    `on_password` is told the administrator's password if the first start generated one. `with_node`: a Conferencing
    Node runs on this machine too. Raises OSError naming
    the variable when the port is taken, and EnvironmentProblem for a database that cannot be used.
    """
    application = await asyncio.to_thread(_prepare, environment, on_password, with_node)
    own = tls.context_of(certificate, key)
    live = tls.LiveContext(own)
    presenting = await _presenting(live, own, lambda: tls.context_of(certificate, key))
    fabric = asyncio.create_task(_fabric(environment), name="management fabric")
    upkeep = asyncio.create_task(_upkeep(), name="upkeep")
    backups = asyncio.create_task(_backups(), name="automatic backups")
    upgrades = asyncio.create_task(_upgrades(), name="upgrades")
    provisioning = asyncio.create_task(_provisioning(), name="provisioning")
    web = _Web(environment, application, live, host)
    try:
        await web.serve()
    finally:
        for task in (presenting, fabric, upkeep, backups, upgrades, provisioning):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    if not web.started:
        raise OSError(f"ROSTRA_MANAGEMENT_HTTPS_PORT: port {environment.management_https_port} cannot be used")
    return web.code


def _prepare(environment: Environment, on_password: Callable[[Secret], None] | None, with_node: bool) -> Any:
    settings.configure(environment)
    from django.db import OperationalError, connection

    from rostra.management.asgi import application
    from rostra.management.prepare import prepare

    try:
        password = prepare(environment, with_node=with_node)
    except OperationalError as problem:
        variable = "ROSTRA_DATABASE_URL" if environment.database_url else "ROSTRA_HOME"
        raise EnvironmentProblem(f"{variable}: the database cannot be used: {problem}") from None
    connection.close()
    if password is not None and on_password is not None:
        on_password(password)
    return application()


async def _presenting(
    live: tls.LiveContext, own: ssl.SSLContext, again: Callable[[], ssl.SSLContext]
) -> asyncio.Task[None]:
    """The task that keeps presenting what is configured; it has begun to."""
    from rostra.management.certificates.serving import ManagementCertificate  # models need Django to be set up

    certificate = ManagementCertificate(live, own, again)
    await certificate.look()
    return asyncio.create_task(certificate.keep(), name="management certificate")


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again when done, before we have closed the rest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _later(loop: asyncio.AbstractEventLoop, stop: Callable[[int], None], code: int) -> None:
    """From another thread."""
    loop.call_soon_threadsafe(stop, code)


class _Web:
    def __init__(self, environment: Environment, application: Any, context: ssl.SSLContext, host: str) -> None:
        self._server = _Server(
            uvicorn.Config(
                application,
                http=heads.Heads,
                host=host,
                port=environment.management_https_port,
                ssl_context_factory=lambda _config, _default: context,
                headers=[tls.STRICT_TRANSPORT],
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who a request is from decides who has to wait, and is noted
                timeout_graceful_shutdown=5,
            )
        )

        self.code = 0

    @property
    def started(self) -> bool:
        return self._server.started

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        restart.on_request(lambda code: _later(loop, self._stop, code))
        try:
            await self._server.serve()
        except SystemExit:  # uvicorn's way to say that the port is taken; our caller says it with its name
            logger.debug("The web server did not start")
        finally:
            restart.on_request(None)

    def _stop(self, code: int = 0) -> None:
        self.code = code
        self._server.should_exit = True


async def _backups() -> None:
    from rostra.management.backups import schedule

    await schedule.keep_making()


async def _upgrades() -> None:
    from rostra.management.upgrades import running

    await running.keep_running()


async def _provisioning() -> None:
    from rostra.management.provisioning import running

    await running.keep_running()


async def _upkeep() -> None:
    from rostra.management import upkeep

    await upkeep.run()


async def _fabric(environment: Environment) -> None:
    """Connect to the fabric, publish until cancelled; begins again when the fabric is not there yet."""
    from rostra.configuration import journal
    from rostra.management.alarms.fabric import refusals_noticed
    from rostra.management.gate import Gate
    from rostra.management.licences.desk import licensing_calls
    from rostra.management.status import observed

    while True:
        try:
            bus = await Bus.join(environment, name="management")
        except Unreachable:
            logger.warning("The fabric does not answer; trying again")
            await asyncio.sleep(1)
            continue
        publisher = Publisher(bus, journal)
        gate = Gate(environment)
        publisher.on_published(gate.changed)
        try:
            await publisher.start()
            gate.open()
            await judge(bus)
            state.connect(wake=publisher.wake, ready=lambda bus=bus: bus.connected)
            async with observed(bus) as observatory, licensing_calls(bus, observatory.peers), refusals_noticed(bus):
                await asyncio.get_running_loop().create_future()  # until cancelled
        finally:
            state.connect()
            await gate.close()
            await publisher.stop()
            await bus.close()
