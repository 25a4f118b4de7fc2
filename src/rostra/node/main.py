"""A Conferencing Node: configuration, media, signalling and the client API wired together."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from rostra.calls.exchange import Exchange
from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve as serve_clients
from rostra.configuration.queries import Lookup
from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from rostra.fabric.replication import ConfigurationReplica
from rostra.media.pool import WorkerPool
from rostra.node.services import finder
from rostra.sip.service import SipService, tls_context

logger = structlog.get_logger("rostra.node")

NODE = "node1"
"""Name of the node until it is told another one."""
WEB_ROOT = Path(__file__).resolve().parents[3] / "web" / "dist"


async def serve(environment: Environment, certificate: Path, key: Path) -> None:
    """Run the node until SIGTERM or SIGINT. Raises OSError naming the variable when a port is taken."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        await start(environment, certificate, key, stack)
        logger.info("Conferencing Node is running", node=NODE)
        await stopping.wait()
        logger.info("Conferencing Node is stopping", node=NODE)


async def start(environment: Environment, certificate: Path, key: Path, stack: AsyncExitStack) -> Exchange:
    """Start everything of the node in the order it is needed; `stack` ends it in reverse."""
    bus = await Bus.connect(server.url(environment), name=NODE)
    stack.push_async_callback(bus.close)

    replica = ConfigurationReplica(environment, bus)
    await replica.start()
    stack.push_async_callback(replica.stop)
    lookup = Lookup(replica.path)
    stack.callback(lookup.close)

    pool = WorkerPool(environment, bus, NODE)
    await pool.start()
    stack.push_async_callback(pool.close)

    def configured() -> bool:
        return replica.position > 0 or replica.synchronised.is_set()

    exchange = Exchange(NODE, pool, finder(lookup), configured)
    stack.push_async_callback(exchange.close)

    sip = SipService(exchange, environment, tls=tls_context(certificate, key))
    await sip.start()
    stack.push_async_callback(sip.stop)

    app = create_app(exchange, environment, WEB_ROOT)
    clients = serve_clients(app, environment, certificate, key)
    await clients.start()
    stack.push_async_callback(clients.stop)
    return exchange
