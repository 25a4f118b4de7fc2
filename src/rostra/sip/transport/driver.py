"""Runs the engine on asyncio: UDP, TCP and TLS sockets, its timers, its events (RFC 3261 18)."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import errno
import itertools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable

import structlog

from rostra.domain import natting
from rostra.environment import PortRange
from rostra.sip import stun, trust
from rostra.sip.engine import Engine
from rostra.sip.errors import PortTaken
from rostra.sip.events import Disconnection, Happening, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.limits import IDLE_CONNECTION, SHARE_OF_ONE
from rostra.sip.locating import Place, Unreachable, Wanted
from rostra.sip.revocation import Revocation
from rostra.sip.transport.arrivals import Arrivals
from rostra.sip.transport.connection import Connection, local_address_towards
from rostra.sip.transport.datagrams import Datagrams
from rostra.sip.transport.handshakes import BACKLOG, Handshakes, SecureServer
from rostra.sip.transport.listening import Listening, caller, families, listener, mark, room_for_connections

__all__ = ["Driver", "Listening"]

log = structlog.get_logger("rostra.sip")

CONNECT_TIMEOUT = 10.0
"""Seconds a stream connection of ours may take to open."""
LOOK = 0.1
"""Seconds between two looks at how much there is to do."""


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
        engine.aliases.permits = self._may_serve
        self._on_event = on_event
        self._tls_server = tls_server
        self.tls_client = tls_client
        """For connections of ours; may be exchanged at any time."""
        self.by_name = False
        """Connections of ours over TLS are used only when the certificate there is for whom we look for."""
        self.revocation: Revocation | None = None
        """Asked about everybody over TLS."""
        self.ways: Callable[[Wanted], AsyncIterator[Place]] | None = None
        """Finds hosts, for responses whose connection is gone."""
        self.source_ports: PortRange | None = None
        """Where connections of ours come from; None: anywhere."""
        self._dscp = 0
        self._clock = clock or asyncio.get_running_loop().time
        self._numbers = itertools.count(1)
        self._room = room_for_connections()
        self._datagrams: dict[bool, Datagrams] = {}
        self._arrivals = Arrivals(engine, self._feed, self.send_datagram, self.pump)
        self._servers: dict[Transport, list[asyncio.Server | SecureServer]] = {}
        self._handshakes = Handshakes()
        self._connections: dict[int, Connection] = {}
        self._places: dict[tuple[Transport, tuple[str, int]], Connection] = {}
        self._sources: collections.Counter[str] = collections.Counter()
        self._connecting: dict[Flow, tuple[asyncio.Task[None], list[bytes]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When `_timer` looks at the engine's timers."""
        self._looking: asyncio.TimerHandle | None = None
        self._used = time.thread_time()
        """Seconds of the processor at the last look."""
        self._closing = False
        self.internal_errors = 0

    @property
    def now(self) -> float:
        return self._clock()

    # ---- life -------------------------------------------------------------------------------------------------

    def listens(self, transport: Transport) -> bool:
        return transport in self._servers or (transport is Transport.UDP and bool(self._datagrams))

    async def listen(self, wanted: Listening) -> None:
        """Open a port on every address of the machine. Raises PortTaken."""
        for family in families():
            try:
                await self._listen(wanted, family)
            except OSError as problem:
                if problem.errno == errno.EADDRINUSE:
                    self.stop_listening(wanted.transport)
                    raise PortTaken(
                        f"port {wanted.port} ({wanted.transport}) is taken by another program: "
                        f"end it, or choose another port with {wanted.variable}"
                    ) from None
                if family == socket.AF_INET:
                    raise
                log.info("sip_without_ipv6", transport=wanted.transport.value, problem=str(problem))

    async def _listen(self, wanted: Listening, family: socket.AddressFamily) -> None:
        loop = asyncio.get_running_loop()
        made = listener(wanted, family, self._dscp)
        if self._looking is None:
            self._looking = loop.call_later(LOOK, self._look, loop.time() + LOOK)
        if wanted.transport is Transport.UDP:
            self._datagrams[family == socket.AF_INET6] = Datagrams(made, self._datagram, self._arrivals.turn_over)
            return
        if wanted.transport is Transport.TLS and self._tls_server is not None:
            server = SecureServer(
                made, self._tls_server, self._handshakes, lambda: Connection(self, Transport.TLS), self._welcomes
            )
        else:
            server = await loop.create_server(lambda: Connection(self, wanted.transport), sock=made, backlog=BACKLOG)
        self._servers.setdefault(wanted.transport, []).append(server)

    def stop_listening(self, transport: Transport) -> None:
        """Close the port. Connections with a call stay until it has ended."""
        for server in self._servers.pop(transport, []):
            server.close()
        if transport is Transport.UDP:
            for endpoint in self._datagrams.values():
                endpoint.close()
            self._datagrams = {}
        for connection in list(self._connections.values()):
            flow = connection.flow
            if flow is not None and flow.transport is transport and not self._engine.in_use(flow):
                connection.close()

    def mark(self, dscp: int) -> None:
        """Mark packets from now on (0 to 63), those of open connections as well."""
        if dscp == self._dscp:
            return
        self._dscp = dscp
        transports = [c.transport for c in self._connections.values()]
        sockets = [transport.get_extra_info("socket") for transport in transports if transport is not None]
        sockets += [endpoint.socket for endpoint in self._datagrams.values()]
        sockets += [each for servers in self._servers.values() for server in servers for each in server.sockets]
        for each in sockets:
            if each is not None and each.fileno() >= 0:
                mark(each, dscp)

    async def close(self) -> None:
        """Close every socket. What the engine still wanted to send has been handed to the sockets before."""
        self.pump()
        self._closing = True
        self._arrivals.close()
        for timer in (self._timer, self._looking):
            if timer is not None:
                timer.cancel()
        for task, _ in list(self._connecting.values()):
            task.cancel()
        for transport in list(Transport):
            self.stop_listening(transport)
        for connection in list(self._connections.values()):
            connection.close()
        await asyncio.gather(*(task for task, _ in self._connecting.values()), return_exceptions=True)
        await asyncio.sleep(0)  # asyncio closes sockets in its next turn

    # ---- from sockets ------------------------------------------------------------------------------------------

    def number(self) -> int:
        return next(self._numbers)

    def opened(self, connection: Connection) -> bool:
        """A stream connection is there; False: there are too many."""
        flow = connection.flow
        if flow is None or not self._welcomes(flow.remote[0]):
            return False
        if connection.transport is not None and self._dscp:
            mark(connection.transport.get_extra_info("socket"), self._dscp)
        if self._sources[flow.remote[0]] >= max(10, self._room // SHARE_OF_ONE):
            log.warning("sip_too_many_connections", address=flow.remote[0])
            return False
        self._sources[flow.remote[0]] += 1
        self._connections[flow.connection] = connection
        self._places[flow.transport, flow.remote] = connection
        self._engine.connected(flow)
        return True

    def _welcomes(self, address: str) -> bool:
        """May anybody there connect now?"""
        if self._closing or len(self._connections) + len(self._handshakes) >= self._room:
            return False
        return self._engine.gate.welcomes(address, self.now)

    def lost(self, connection: Connection) -> None:
        flow = connection.flow
        if flow is None or self._connections.pop(flow.connection, None) is None:
            return
        self._sources[flow.remote[0]] -= 1
        if self._sources[flow.remote[0]] <= 0:
            del self._sources[flow.remote[0]]
        if self._places.get((flow.transport, flow.remote)) is connection:
            del self._places[flow.transport, flow.remote]
        self._engine.disconnected(flow, self.now)
        self.pump()

    def received(self, data: bytes, flow: Flow) -> None:
        """Bytes from a connection."""
        self._feed(data, flow)
        self.pump()

    def _datagram(self, data: bytes, remote: tuple[str, int], began: float) -> None:
        """From a socket, in a turn that began then."""
        if not stun.is_stun(data):
            local = local_address_towards(remote[0]), self._engine.port(Transport.UDP)
            self._arrivals.take(data, Flow(Transport.UDP, remote, local), began)
        elif (reply := stun.answer(data, remote)) is not None:
            self.send_datagram(reply, remote)

    def _look(self, due: float) -> None:
        """How long work waits for its turn, and how much there is (see `overload`). While others have the processor,
        nobody waits for work of ours."""
        loop = asyncio.get_running_loop()
        before, self._used = self._used, time.thread_time()
        fill = max((endpoint.waiting for endpoint in self._datagrams.values()), default=0.0)
        engine = self._engine
        engine.gate.overload.measured(
            min(loop.time() - due, self._used - before), fill, engine.unanswered, engine.crowd
        )
        self._looking = loop.call_later(LOOK, self._look, loop.time() + LOOK)

    def _feed(self, data: bytes, flow: Flow) -> None:
        """An error of ours in handling it is logged and counted, and ends nothing else."""
        try:
            self._engine.receive(data, flow, self.now)
        except Exception:
            self.internal_errors += 1
            start = data[:200].partition(b"\r\n")[0]  # what follows may hold keys and answers to challenges
            log.exception("sip_internal_error", flow=flow, start=start)

    def worthless(self, flow: Flow, quiet: float) -> bool:
        """Nothing of use came over this connection, or nothing for long (seconds) and no call needs it."""
        return self._engine.silent(flow) or (quiet >= IDLE_CONNECTION and not self._engine.in_use(flow))

    def identities(self, flow: Flow) -> frozenset[str]:
        """Whom the certificate of the far end names; nobody where there is none."""
        connection = self._connections.get(flow.connection)
        return connection.identities if connection is not None else frozenset()

    # ---- to sockets ---------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send and tell what the engine has; set the timer anew. Call it after every command to the engine."""
        if self._closing:
            return
        while (item := self._engine.data_to_send()) is not None:
            self._carry_out(item)
        while (event := self._engine.next_event()) is not None:
            self._on_event(event)
        due = self._engine.next_timer()
        if due is None or (self._timer is not None and self._due <= due):
            return  # a look too early does no harm
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self.now), self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self._engine.handle_timer(self.now)
        except Exception:  # of one call; those of others go on
            self.internal_errors += 1
            log.exception("sip_internal_error")
        self.pump()

    def _carry_out(self, item: Transmission | Disconnection) -> None:
        flow = item.flow
        connection = self._connections.get(flow.connection) or self._connected_to(flow)
        if isinstance(item, Disconnection):
            if connection is not None:
                connection.close()
        elif flow.transport is Transport.UDP:
            self.send_datagram(item.data, flow.remote)
        elif connection is not None:
            connection.send(item.data)
        else:
            self._connect_and_send(dataclasses.replace(flow, connection=0), item.data)

    def send_datagram(self, data: bytes, remote: tuple[str, int]) -> None:
        endpoint = self._datagrams.get(":" in remote[0])
        if endpoint is not None:
            endpoint.sendto(data, remote)

    def _connected_to(self, flow: Flow) -> Connection | None:
        """An open connection to the same place (18.1.1), and to whom we look for there."""
        if not flow.transport.reliable:
            return None
        found = self._places.get((flow.transport, flow.remote))
        return found if found is not None and self._is_for(found, flow) else None

    def _may_serve(self, offered: Flow, wanted: Flow) -> bool:
        """Whether a connection that a peer has offered leads to whom we look for, as its certificate says; who was
        asked for none opens it to nobody."""
        connection = self._connections.get(offered.connection)
        return connection is not None and trust.names_it(connection.identities, wanted.name or wanted.remote[0])

    def _is_for(self, connection: Connection, flow: Flow) -> bool:
        if flow.transport is not Transport.TLS or not self.by_name:
            return True
        return trust.names_it(connection.identities, flow.name or flow.remote[0])

    def _connect_and_send(self, flow: Flow, data: bytes) -> None:
        if flow in self._connecting:
            self._connecting[flow][1].append(data)
            return
        task = asyncio.get_running_loop().create_task(self._connect(flow))
        self._connecting[flow] = (task, [data])

    async def _connect(self, flow: Flow) -> None:
        try:
            connection = await self._reach_any(flow)
            for data in self._connecting[flow][1]:
                connection.send(data)
        except (OSError, TimeoutError, Unreachable, ValueError) as problem:  # ValueError: names that are none (IDNA)
            log.info("sip_cannot_connect", flow=flow, problem=str(problem) or type(problem).__name__)
            self._engine.disconnected(flow, self.now)
        finally:
            del self._connecting[flow]
        self.pump()

    async def _reach_any(self, flow: Flow) -> Connection:
        """A connection there; for a response else one to whom DNS says that its request came from (RFC 3263 5).

        Raises OSError, TimeoutError, Unreachable.
        """
        try:
            return await self._reach(flow)
        except (OSError, TimeoutError):
            if flow.sent_by is None or self.ways is None:
                raise
        host, port = flow.sent_by
        async for place in self.ways(Wanted(host, port, flow.transport)):
            if not natting.believable(place.address, flow.remote[0]):  # inside, of somebody outside
                continue
            with contextlib.suppress(OSError, TimeoutError):
                return await self._reach(dataclasses.replace(flow, remote=(place.address, place.port), name=host))
        raise Unreachable(f"{host} cannot be reached")

    async def _reach(self, flow: Flow) -> Connection:
        """A connection to whom we look for there. Raises OSError, TimeoutError."""
        async with asyncio.timeout(CONNECT_TIMEOUT):
            connection = await self._open(flow)
            if problem := await connection.admitted:
                raise ConnectionRefusedError(problem)
        if not self._is_for(connection, flow):
            log.warning(
                "sip_tls_peer_refused", reason="the certificate is for somebody else",
                wanted=flow.name or flow.remote[0], found=sorted(connection.identities),
                remedy="call it by a name of its certificate",
            )  # fmt: skip
            connection.close()
            raise ConnectionRefusedError("the certificate is for somebody else")
        return connection

    async def _open(self, flow: Flow) -> Connection:
        loop = asyncio.get_running_loop()
        context = self.tls_client if flow.transport is Transport.TLS else None
        endpoint = caller(flow.remote[0], self.source_ports, self._dscp)
        try:
            await loop.sock_connect(endpoint, flow.remote)
            _, connection = await loop.create_connection(
                lambda: Connection(self, flow.transport, flow.remote),
                sock=endpoint,
                ssl=context,
                server_hostname=None if context is None else trust.server_name(flow.name) or "",
            )
        except BaseException:
            endpoint.close()
            raise
        return connection
