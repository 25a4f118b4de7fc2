"""A Conferencing Node: configuration, media, signalling and the client API wired together."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import signal
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from rostra import garbage, tls
from rostra.calls.exchange import Exchange
from rostra.clientapi.app import create_app
from rostra.clientapi.asking import Switches
from rostra.clientapi.devices import Devices
from rostra.clientapi.serving import serve as serve_clients
from rostra.configuration.queries import Lookup
from rostra.domain.vocabulary import CallProtocol
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.fabric.replication import ConfigurationReplica
from rostra.node import calls, signon
from rostra.node.belonging import Belonging
from rostra.node.branding import Branding
from rostra.node.certificate import NodeCertificate
from rostra.node.identity import NodeIdentity
from rostra.node.neighbours import Neighbours
from rostra.node.signalling import Signalling
from rostra.node.upgrading import Upgrading
from rostra.node.ways import ConfiguredServers
from rostra.rtmp.service import StreamService
from rostra.sip.registering import Registering
from rostra.sip.service import SipService

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
        garbage.settle()
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
    bus = await Bus.join(environment, name=identity.id)
    stack.push_async_callback(bus.close)

    replica = ConfigurationReplica(environment, bus)
    await replica.start()
    stack.push_async_callback(replica.stop)
    lookup = Lookup(replica.path)
    stack.callback(lookup.close)
    belonging = Belonging(environment, identity, bus, replica, lookup, end)
    await belonging.start()
    stack.push_async_callback(belonging.stop)

    upgrading = Upgrading(environment, identity, bus, end)
    await upgrading.start()
    stack.push_async_callback(upgrading.stop)

    running = await calls.start(environment, identity, bus, replica, lookup, stack)
    devices = Devices(running.registry, running.admissions, environment.media_address or "node", running.shield)
    registering = Registering(running.registry, running.admissions, secrets.token_bytes(32), running.shield)
    own = tls.context_of(certificate, key)
    live = tls.LiveContext(own)
    addresses = identity.address, environment.media_address
    signalling = Signalling(identity.key, lookup, replica, certificate, key, addresses=addresses)
    sip = SipService(running.exchange, environment, settings=signalling.settings(), registering=registering)
    streams = StreamService(lambda: "\n".join(pem for pem, _ in lookup.authorities()))
    stack.push_async_callback(streams.stop)
    running.exchange.outgoing.diallers.update(
        {CallProtocol.SIP: sip, CallProtocol.RTMP: streams, CallProtocol.API: devices}
    )
    presenting = NodeCertificate(identity.key, lookup, replica, live, own, on_name=sip.go_by)
    await presenting.start()
    stack.push_async_callback(presenting.stop)
    await sip.start()
    stack.push_async_callback(sip.stop)
    await signalling.follow(sip.apply)
    stack.push_async_callback(signalling.stop)
    await _serve_web(environment, identity, bus, running, devices, lookup, live, stack)
    return running.exchange


def _switches(lookup: Lookup, servers: ConfiguredServers) -> Switches:
    settings = lookup.global_settings()
    return Switches(
        enable_application_api=settings.enable_application_api, enable_webrtc=settings.enable_webrtc,
        enable_fecc=settings.enable_fecc, enable_rtmp=settings.enable_rtmp,
        stun=servers.stun_urls, turn=servers.turn_of_clients,
    )  # fmt: skip


async def _serve_web(
    environment: Environment,
    identity: NodeIdentity,
    bus: Bus,
    running: calls.Calls,
    devices: Devices,
    lookup: Lookup,
    context: ssl.SSLContext,
    stack: AsyncExitStack,
) -> None:
    """Start the client API and the web app; `stack` ends it."""
    neighbours = Neighbours(bus, running.peers, identity.id, lambda: running.geography.location)
    branding = Branding(lookup)
    servers = ConfiguredServers(lookup, lambda: running.geography.location)
    app = create_app(
        running.exchange,
        environment,
        WEB_ROOT,
        alternatives=neighbours.alternatives,
        switches=lambda: _switches(lookup, servers),
        release_elsewhere=neighbours.release,
        desk=signon.desk(lookup, lambda: running.exchange.open),
        branding=branding.files,
        leads_here=branding.leads_here,
        devices=devices,
        shield=running.shield,
    )
    await neighbours.start(app.state.client_api.release)
    stack.push_async_callback(neighbours.stop)
    clients = serve_clients(app, environment, context)
    await clients.start()
    stack.push_async_callback(clients.stop)
