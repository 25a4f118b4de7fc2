"""Ports that come and go with the settings, while calls go on (SYS-098, SYS-100, SYS-102)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import structlog

from rostra.sip.engine import Engine
from rostra.sip.errors import PortTaken
from rostra.sip.flow import Transport
from rostra.sip.settings import SipSettings
from rostra.sip.transport.driver import Driver, Listening
from rostra.tls import LiveContext

log = structlog.get_logger("rostra.sip")

AGAIN = 5.0
"""Seconds between two looks at whether a port still has a call, and at whether one that was taken is free."""


class Switching:
    """Keeps a driver as the settings want it.

    A port that is switched off takes no new call at once. Connections with a call stay, and so does the port for
    UDP, which all its calls share, until the last of them has ended; it is opened for calls of ours as well.
    """

    def __init__(self, engine: Engine, ports: Mapping[Transport, Listening], settings: SipSettings) -> None:
        self._engine = engine
        self._ports = ports
        self._lock = asyncio.Lock()
        self._look: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.settings = settings
        self.live = LiveContext(settings.server or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        """For the driver's TLS connections that come in."""
        self.driver: Driver | None = None

    async def start(self, driver: Driver) -> None:
        """Raises PortTaken."""
        self.driver = driver
        await self._settle(driver, strict=True)
        log.info("sip_listening", ports={t.value: self._ports[t].port for t in sorted(self.settings.incoming)})

    async def apply(self, settings: SipSettings) -> None:
        """From now on it is as `settings` say; a port that cannot be had is tried again and again."""
        if settings == self.settings:
            return
        before, self.settings = self.settings, settings
        if self.driver is None:
            return
        if settings.incoming != before.incoming:
            log.info("sip_switched", on=sorted(settings.incoming), before=sorted(before.incoming))
        await self._settle(self.driver, strict=False)

    async def use(self, transport: Transport) -> None:
        """A call of ours is about to go by this transport. Raises PortTaken."""
        if transport is Transport.UDP and self.driver is not None and not self.driver.listens(transport):
            async with self._lock:
                if not self.driver.listens(transport):
                    await self.driver.listen(self._ports[transport])
            self._later()

    def stop(self) -> None:
        self.driver = None
        if self._look is not None:
            self._look.cancel()
        for task in self._tasks:
            task.cancel()

    async def _settle(self, driver: Driver, *, strict: bool) -> None:
        settings = self.settings
        driver.tls_client, driver.by_name = settings.client, settings.verify
        driver.source_ports, driver.revocation = settings.source_ports, settings.revocation
        driver.mark(settings.dscp)
        if settings.server is not None:
            self.live.present(settings.server)
        self._engine.closed = frozenset(Transport) - settings.incoming
        pending = False
        async with self._lock:
            for transport in Transport:
                wanted, there = transport in settings.incoming, driver.listens(transport)
                if wanted and not there:
                    pending = not await self._open(driver, transport, strict=strict) or pending
                elif there and not wanted and transport is Transport.UDP and self._engine.uses(transport):
                    pending = True
                elif there and not wanted:
                    driver.stop_listening(transport)
        if pending:
            self._later()

    async def _open(self, driver: Driver, transport: Transport, *, strict: bool) -> bool:
        try:
            await driver.listen(self._ports[transport])
        except PortTaken as problem:
            if strict:
                raise
            log.error("sip_port_taken", problem=str(problem))
            return False
        return True

    def _later(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(AGAIN, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        if self.driver is not None:
            task = asyncio.get_running_loop().create_task(self._settle(self.driver, strict=False))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
