"""One stream connection, and which of our addresses a peer sees."""

from __future__ import annotations

import asyncio
import functools
import socket
import time
from typing import Protocol

import structlog

from rostra.sip.flow import Flow, Transport
from rostra.sip.limits import IDLE_CONNECTION, MAX_CONNECTION_BACKLOG, UNUSED_CONNECTION
from rostra.sip.revocation import Revocation
from rostra.sip.trust import identities

log = structlog.get_logger("rostra.sip")

ADDRESS_KEPT = 5.0
"""Seconds for which it is remembered which of our addresses a peer sees."""


class Owner(Protocol):
    """What a connection needs of the driver."""

    def number(self) -> int: ...

    def opened(self, connection: Connection) -> bool: ...

    def lost(self, connection: Connection) -> None: ...

    def received(self, data: bytes, flow: Flow) -> None: ...

    def worthless(self, flow: Flow, quiet: float) -> bool: ...

    @property
    def revocation(self) -> Revocation | None: ...


class Connection(asyncio.Protocol):
    """One stream connection, accepted or opened by us."""

    def __init__(self, driver: Owner, transport: Transport, remote: tuple[str, int] | None = None) -> None:
        self._driver = driver
        self._kind = transport
        self._asked = remote
        self.transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self.flow: Flow | None = None
        self.identities: frozenset[str] = frozenset()
        """Whom the far end's certificate names."""
        self.admitted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it may not be used; empty: it may."""
        self._admission: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("not a stream")
        self.transport = transport
        secured = transport.get_extra_info("ssl_object")
        self.identities = identities(secured.getpeercert(binary_form=True)) if secured is not None else frozenset()
        peer = transport.get_extra_info("peername") or ("", 0)
        own = transport.get_extra_info("sockname") or ("", 0)
        self.flow = Flow(self._kind, self._asked or (peer[0], peer[1]), (own[0], own[1]), self._driver.number())
        if not self._driver.opened(self):
            transport.abort()
            return
        self._wait(UNUSED_CONNECTION)
        revocation = self._driver.revocation
        if secured is None or revocation is None:
            self.admitted.set_result("")
        else:
            transport.pause_reading()
            self._admission = asyncio.get_running_loop().create_task(
                self._admit(transport, revocation, secured.getpeercert(binary_form=True))
            )

    async def _admit(self, transport: asyncio.Transport, revocation: Revocation, certificate: bytes | None) -> None:
        """Nothing is read before it is known whether the certificate was revoked (SYS-231)."""
        try:
            problem = await revocation.problem(certificate)
        except Exception:
            log.exception("sip_revocation_failed", flow=self.flow)
            problem = "whether its certificate was revoked cannot be found out"
        if not self.admitted.done():
            self.admitted.set_result(problem)
        if problem:
            log.warning("sip_tls_peer_refused", reason=problem, flow=self.flow)
            transport.abort()
        elif not transport.is_closing():
            transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.flow is not None:
            self._heard = asyncio.get_running_loop().time()
            self._driver.received(data, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._admission is not None:
            self._admission.cancel()
        if not self.admitted.done():
            self.admitted.set_result("the connection is gone")
        self._driver.lost(self)

    def send(self, data: bytes) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_CONNECTION_BACKLOG:
            log.warning("sip_connection_too_slow", flow=self.flow)
            transport.abort()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _wait(self, seconds: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds, self._check_idle)

    def _check_idle(self) -> None:
        if self.flow is None:
            return
        quiet = asyncio.get_running_loop().time() - self._heard
        if self._driver.worthless(self.flow, quiet):
            self.close()
        else:
            self._wait(max(UNUSED_CONNECTION, IDLE_CONNECTION - quiet))


def local_address_towards(remote: str) -> str:
    """The address of this machine that packets to `remote` leave from (no packet is sent), as of a moment ago."""
    return _address_towards(remote, int(time.monotonic() / ADDRESS_KEPT))


@functools.lru_cache(maxsize=1024)
def _address_towards(remote: str, when: int) -> str:
    """`when` lets what was found be forgotten: networks come up later, and addresses change."""
    del when
    family = socket.AF_INET6 if ":" in remote else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote, 9))
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"
        return probe.getsockname()[0]
