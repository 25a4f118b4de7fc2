"""Running the application over HTTPS inside the node's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Generator
from typing import Any, cast

import h11
import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from rostra.clientapi import counters
from rostra.clientapi.dispatch import ClientApi
from rostra.environment import Environment, variable_name
from rostra.tls import STRICT_TRANSPORT

logger = structlog.get_logger("rostra.clientapi")

MAX_HEADERS = 32 * 1024
"""Bytes of request line and headers together."""
STALLED = 70.0
"""Seconds between two looks whether something goes on on a connection; longer than idle ones are kept."""
GRACE = 1.0
"""Seconds running requests get when the server stops."""


class PortTaken(Exception):
    """The HTTPS port cannot be had. The text names the port and the environment variable."""


class _Protocol(H11Protocol):
    """HTTP/1.1 with unreadable requests answered in the API's own form, and without connections that only stay."""

    _looked = False
    _paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look_again(None)

    def _look_again(self, before: object) -> None:
        """Close a connection on which nothing has come to an end since the last look: a request that never becomes
        whole, or an answer that is not taken. Streams are sent something all the time."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        same, paused = cycle is before, self.flow.write_paused
        idle = same and (cycle is None or cycle.response_complete)
        unread = cycle is not None and self.conn.their_state is h11.SEND_BODY
        stuck = same and cycle is not None and ((paused and self._paused) or unread)
        self._paused = paused
        if self.transport.is_closing():
            return
        if (idle and self._looked) or stuck:
            counters.MALFORMED.labels("stalled").inc()
            self.transport.abort()
            return
        self._looked = True
        self.loop.call_later(STALLED, self._look_again, cycle)

    def send_400_response(self, msg: str) -> None:
        counters.MALFORMED.labels("http").inc()
        logger.info("Unreadable HTTP request", remote_address=self.client[0] if self.client else "", reason=msg)
        body = b'{"status":"failed","result":"400 Bad Request"}'
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        self.transport.close()


class _Uvicorn(uvicorn.Server):
    """Without signal handlers: the node stops us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Server:
    """The HTTPS server of one node; `start` once, `stop` once."""

    def __init__(self, app: Starlette, port: int, context: ssl.SSLContext) -> None:
        self._api: ClientApi = app.state.client_api
        self._port = port
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="none",
            ssl_context_factory=lambda _config, _default: context,
            headers=[STRICT_TRANSPORT],
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=65,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MAX_HEADERS,
        )
        self._server = _Uvicorn(config)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept connections from now on. Raises PortTaken."""
        listener = _listen(self._port)
        self._running = asyncio.get_running_loop().create_task(self._server.serve([listener]))
        while not self._server.started:
            if self._running.done():
                self._running.result()
                raise RuntimeError("the HTTPS server ended at its start")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End all participants and streams, finish requests, close. Takes at most about 2 s."""
        await self._api.close()
        if self._running:
            self._server.should_exit = True
            await asyncio.wait({self._running}, timeout=2 * GRACE)
            if not self._running.done():
                self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def debug_state(self) -> dict[str, Any]:
        return {"connections": len(self._server.server_state.connections), **self._api.clients.debug_state()}


def serve(app: Starlette, environment: Environment, context: ssl.SSLContext) -> Server:
    """A server for `app` on the node's HTTPS port, not yet started."""
    return Server(app, environment.node_https_port, context)


def _listen(port: int) -> socket.socket:
    """A listening socket for IPv6 and IPv4, or IPv4 alone where there is no IPv6."""
    try:
        try:
            return _listen_on(socket.AF_INET6, port)
        except OSError as problem:
            if problem.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            return _listen_on(socket.AF_INET, port)
    except OSError as problem:
        variable = variable_name("node_https_port")
        raise PortTaken(f"port {port} cannot be used ({problem.strerror}); free it or set {variable}") from problem


def _listen_on(family: socket.AddressFamily, port: int) -> socket.socket:
    listener = socket.create_server(("", port), family=family, dualstack_ipv6=family == socket.AF_INET6, backlog=512)
    # Inherited by accepted connections. asyncio sets it only on sockets whose protocol was named at creation;
    # without it each answer waits 40 ms for the peer's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
