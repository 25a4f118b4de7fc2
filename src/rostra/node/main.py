"""A Conferencing Node: configuration, media, signalling and the client API wired together."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from rostra.calls.exchange import Exchange
from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve as serve_clients
from rostra.conference.here import Here
from rostra.configuration.queries import Lookup
from rostra.domain.ledger import Ledger
from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from rostra.fabric.outbox import Outbox
from rostra.fabric.peers import Peers
from rostra.fabric.replication import ConfigurationReplica
from rostra.media.pool import WorkerPool
from rostra.media.selfcheck import estimate, node_figures, usable_cores
from rostra.node.belonging import Belonging
from rostra.node.geography import Geography
from rostra.node.identity import NodeIdentity
from rostra.node.reporting import Answers, Reporter
from rostra.node.services import finder
from rostra.sip.service import SipService, tls_context

logger = structlog.get_logger("rostra.node")

WEB_ROOT = Path(__file__).resolve().parents[3] / "web" / "dist"


async def serve(environment: Environment, identity: NodeIdentity, certificate: Path, key: Path) -> str:
    """Run the node until SIGTERM or SIGINT, or until it does not belong any more: then returns why (see belonging).

    Raises OSError naming the variable when a port is taken.
    """
    stopping = asyncio.Event()
    reasons: list[str] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def end(why: str) -> None:
        reasons.append(why)
        stopping.set()

    environment = dataclasses.replace(environment, media_address=environment.media_address or identity.address)
    async with AsyncExitStack() as stack:
        await start(environment, identity, certificate, key, stack, end)
        logger.info("Conferencing Node is running", node=identity.id, name=identity.name)
        await stopping.wait()
        logger.info("Conferencing Node is stopping", node=identity.id)
    return reasons[0] if reasons else ""


async def start(
    environment: Environment,
    identity: NodeIdentity,
    certificate: Path,
    key: Path,
    stack: AsyncExitStack,
    end: Callable[[str], None],
) -> Exchange:
    """Start everything of the node in the order it is needed; `stack` ends it in reverse.

    `end` is told when the node does not belong to the platform any more.
    """
    bus = await Bus.connect(server.url(environment), name=identity.id)
    stack.push_async_callback(bus.close)

    replica = ConfigurationReplica(environment, bus)
    await replica.start()
    stack.push_async_callback(replica.stop)
    lookup = Lookup(replica.path)
    stack.callback(lookup.close)
    belonging = Belonging(environment, identity, bus, replica, lookup, end)
    await belonging.start()
    stack.push_async_callback(belonging.stop)

    pool = WorkerPool(environment, bus, identity.id)
    await pool.start()
    stack.push_async_callback(pool.close)

    geography = Geography(lookup, identity.key)
    replica.on_change(geography.changed)
    ledger = Ledger(estimate(usable_cores()).tokens)
    boot = secrets.token_hex(8)
    outbox = Outbox(environment.node_home / "events.db", bus, identity.id, boot)
    await outbox.start()
    stack.push_async_callback(outbox.stop)
    reporter = Reporter(environment, identity, geography, ledger, replica, outbox, boot)
    peers = Peers(bus, reporter)
    exchange = _exchange(identity, bus, replica, lookup, pool, geography, ledger, reporter, peers)
    reporter.exchange = exchange
    await exchange.start()
    stack.push_async_callback(exchange.close)
    await peers.start()
    stack.push_async_callback(peers.stop)
    answers = Answers(bus, reporter, exchange, ledger)
    await answers.start()
    stack.push_async_callback(answers.stop)
    measuring = asyncio.create_task(_measure(environment, ledger), name="capacity check")
    stack.push_async_callback(_ended, measuring)

    sip = SipService(exchange, environment, tls=tls_context(certificate, key))
    await sip.start()
    stack.push_async_callback(sip.stop)

    app = create_app(exchange, environment, WEB_ROOT)
    clients = serve_clients(app, environment, certificate, key)
    await clients.start()
    stack.push_async_callback(clients.stop)
    return exchange


def _exchange(
    identity: NodeIdentity, bus: Bus, replica: ConfigurationReplica, lookup: Lookup, pool: WorkerPool,
    geography: Geography, ledger: Ledger, reporter: Reporter, peers: Peers,
) -> Exchange:  # fmt: skip
    def configured() -> bool:
        return replica.position > 0 or replica.synchronised.is_set()

    def takes_calls() -> bool:
        me = geography.me
        return me is None or not me.maintenance_mode

    here = Here(
        node=identity.id, boot=reporter.boot, bus=bus, pool=pool, ledger=ledger, address=identity.address,
        location=lambda: geography.location, record=reporter.outbox.record,
    )  # fmt: skip
    return Exchange(here, peers, geography, finder(lookup), configured=configured, takes_calls=takes_calls)


async def _measure(environment: Environment, ledger: Ledger) -> None:
    """Replace the estimate of this node's capacity by what it really can (PLAT-077)."""
    figures = await node_figures(environment)
    ledger.capacity = figures.tokens
    logger.info("Capacity of this node", hd=figures.hd, sd=figures.sd, audio=figures.audio, full_hd=figures.full_hd)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
