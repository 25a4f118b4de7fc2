"""Runs the engine on asyncio: UDP, TCP and TLS sockets, its timers, its events (RFC 3261 18)."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import itertools
import socket
import ssl
from collections.abc import Callable

import structlog

from rostra.sip.engine import Engine
from rostra.sip.errors import PortTaken
from rostra.sip.events import Disconnection, Happening, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.limits import IDLE_CONNECTION, MAX_CONNECTIONS
from rostra.sip.transport.connection import Connection, local_address_towards

log = structlog.get_logger("rostra.sip")

CONNECT_TIMEOUT = 10.0
"""Seconds a stream connection of ours may take to open."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listening:
    """One port to listen on, with the variable that sets it."""

    transport: Transport
    port: int
    variable: str


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, driver: Driver, port: int) -> None:
        self._driver = driver
        self._port = port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        local = local_address_towards(addr[0])
        self._driver.received(data, Flow(Transport.UDP, (addr[0], addr[1]), (local, self._port)))

    def error_received(self, exc: Exception) -> None:
        log.debug("sip_datagram_not_sent", problem=str(exc))


class Driver:
    """The engine's sockets and clock. `on_event` gets every event of the engine and must not block."""

    def __init__(
        self,
        engine: Engine,
        on_event: Callable[[Happening], None],
        *,
        tls_server: ssl.SSLContext | None = None,
        tls_client: ssl.SSLContext | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._engine = engine
        self._on_event = on_event
        self._tls_server = tls_server
        self._tls_client = tls_client
        self._clock = clock or asyncio.get_running_loop().time
        self._numbers = itertools.count(1)
        self._datagrams: dict[bool, asyncio.DatagramTransport] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, Connection] = {}
        self._connecting: dict[Flow, tuple[asyncio.Task[None], list[bytes]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.internal_errors = 0

    @property
    def now(self) -> float:
        return self._clock()

    # ---- life -------------------------------------------------------------------------------------------------

    async def listen(self, wanted: Listening) -> None:
        """Open a port on every address of the machine. Raises PortTaken."""
        families = [socket.AF_INET, socket.AF_INET6] if socket.has_ipv6 else [socket.AF_INET]
        for family in families:
            try:
                await self._listen(wanted, family)
            except OSError as problem:
                if problem.errno == errno.EADDRINUSE:
                    raise PortTaken(
                        f"port {wanted.port} ({wanted.transport}) is taken by another program: "
                        f"end it, or choose another port with {wanted.variable}"
                    ) from None
                if family == socket.AF_INET:
                    raise
                log.info("sip_without_ipv6", transport=wanted.transport.value, problem=str(problem))

    async def _listen(self, wanted: Listening, family: socket.AddressFamily) -> None:
        loop = asyncio.get_running_loop()
        everywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - calls come from anywhere
        kind = socket.SOCK_DGRAM if wanted.transport is Transport.UDP else socket.SOCK_STREAM
        # asyncio turns Nagle's delay off only where it can tell from the socket that it is TCP.
        protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
        listener = socket.socket(family, kind, protocol)
        try:
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((everywhere, wanted.port))
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        if wanted.transport is Transport.UDP:
            made, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self, wanted.port), sock=listener)
            self._datagrams[family == socket.AF_INET6] = made
            return
        context = self._tls_server if wanted.transport is Transport.TLS else None
        server = await loop.create_server(
            lambda: Connection(self, wanted.transport), sock=listener, backlog=512, ssl=context
        )
        self._servers.append(server)

    async def close(self) -> None:
        """Close every socket. What the engine still wanted to send has been handed to the sockets before."""
        self.pump()
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        for task, _ in list(self._connecting.values()):
            task.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self._connections.values()):
            connection.close()
        for transport in self._datagrams.values():
            transport.close()
        await asyncio.gather(*(task for task, _ in self._connecting.values()), return_exceptions=True)

    # ---- from sockets ------------------------------------------------------------------------------------------

    def number(self) -> int:
        return next(self._numbers)

    def opened(self, connection: Connection) -> bool:
        """A stream connection is there; False: there are too many."""
        if connection.flow is None or self._closing or len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections[connection.flow.connection] = connection
        self._engine.connected(connection.flow)
        return True

    def lost(self, connection: Connection) -> None:
        if connection.flow is not None and self._connections.pop(connection.flow.connection, None) is not None:
            self._engine.disconnected(connection.flow, self.now)
            self.pump()

    def received(self, data: bytes, flow: Flow) -> None:
        """Bytes from a socket. An error of ours in handling them is logged and counted, and ends nothing else."""
        try:
            self._engine.receive(data, flow, self.now)
        except Exception:
            self.internal_errors += 1
            log.exception("sip_internal_error", flow=flow, data=data[:2000])
        self.pump()

    def worthless(self, flow: Flow, quiet: float) -> bool:
        """Nothing of use came over this connection, or nothing for long (seconds) and no call needs it."""
        return self._engine.silent(flow) or (quiet >= IDLE_CONNECTION and not self._engine.in_use(flow))

    # ---- to sockets ---------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send and tell what the engine has; set the timer anew. Call it after every command to the engine."""
        if self._closing:
            return
        while (item := self._engine.data_to_send()) is not None:
            self._carry_out(item)
        while (event := self._engine.next_event()) is not None:
            self._on_event(event)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._engine.next_timer()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self.now), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._engine.handle_timer(self.now)
        self.pump()

    def _carry_out(self, item: Transmission | Disconnection) -> None:
        flow = item.flow
        connection = self._connections.get(flow.connection) or self._connected_to(flow)
        if isinstance(item, Disconnection):
            if connection is not None:
                connection.close()
        elif flow.transport is Transport.UDP:
            endpoint = self._datagrams.get(":" in flow.remote[0])
            if endpoint is not None:
                endpoint.sendto(item.data, flow.remote)
        elif connection is not None:
            connection.send(item.data)
        else:
            self._connect_and_send(dataclasses.replace(flow, connection=0), item.data)

    def _connected_to(self, flow: Flow) -> Connection | None:
        """An open connection to the same place (18.1.1)."""
        if not flow.transport.reliable:
            return None
        place = (flow.transport, flow.remote)
        return next(
            (c for c in self._connections.values() if c.flow and (c.flow.transport, c.flow.remote) == place), None
        )

    def _connect_and_send(self, flow: Flow, data: bytes) -> None:
        if flow in self._connecting:
            self._connecting[flow][1].append(data)
            return
        task = asyncio.get_running_loop().create_task(self._connect(flow))
        self._connecting[flow] = (task, [data])

    async def _connect(self, flow: Flow) -> None:
        loop = asyncio.get_running_loop()
        context = self._tls_client if flow.transport is Transport.TLS else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, flow.transport, flow.remote), *flow.remote, ssl=context
                )
            for data in self._connecting[flow][1]:
                connection.send(data)
        except (OSError, TimeoutError) as problem:
            log.info("sip_cannot_connect", flow=flow, problem=str(problem))
            self._engine.disconnected(flow, self.now)
        finally:
            del self._connecting[flow]
        self.pump()
