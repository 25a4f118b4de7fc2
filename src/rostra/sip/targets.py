"""Where a SIP call of ours goes: Request-URI, transport and address.

Addresses and host names with a port are taken as they are; names are looked up as addresses (A, AAAA).
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket

from rostra.dialplan.outward import Hop
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow, Transport, host_text
from rostra.sip.registrar import Way
from rostra.sip.transport.connection import local_address_towards
from rostra.sip.uri import Uri, parse_uri

LOOK_UP = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Whom to call, and the host to reach for it."""

    uri: str
    transport: Transport
    host: str
    port: int
    flow: Flow | None = None
    """The way there, where it is known: that by which a device registered."""
    routes: tuple[str, ...] = ()
    behind_nat: bool = False


class Unreachable(Exception):
    """The host cannot be found."""


def target(destination: str, hop: Hop | None) -> Target:
    """Read a destination: a URI, `user@host`, or what only a proxy knows. Raises RemoteError.

    A proxy takes all calls; without one, `transport` of the URI or the scheme says how, else it is UDP.
    """
    destination = destination.strip()
    scheme = destination.partition(":")[0].lower()
    uri = parse_uri(destination if scheme in ("sip", "sips") else f"sip:{_escaped(destination, hop)}")
    if hop is not None:
        transport = Transport(hop.transport.upper())
        return Target(str(uri), transport, hop.address, hop.port or transport.default_port)
    transport = _transport(uri)
    return Target(str(uri), transport, uri.bare_host, uri.port or transport.default_port)


def registered(way: Way) -> Target:
    """A device that is registered here. Raises RemoteError."""
    if way.flow is not None:
        remote, transport = way.flow.remote, way.flow.transport
        return Target(way.uri, transport, *remote, flow=way.flow, behind_nat=way.natted)
    hop = parse_uri(way.hop)
    transport = _transport(hop)
    return Target(way.uri, transport, hop.bare_host, hop.port or transport.default_port, routes=way.routes)


def _escaped(destination: str, hop: Hop | None) -> str:
    """A number or name without domain belongs to the proxy's."""
    if "@" in destination or hop is None:
        return destination
    return f"{destination}@{host_text(hop.address)}"


def _transport(uri: Uri) -> Transport:
    if uri.scheme == "sips":
        return Transport.TLS
    named = (uri.parameter("transport") or "udp").upper()
    try:
        return Transport(named)
    except ValueError:
        raise RemoteError(f"unknown transport {named[:20]!r}") from None


async def flow_to(found: Target, ports: dict[Transport, int]) -> Flow:
    """The way there. `ports`: those we listen on. Raises Unreachable."""
    kind = socket.SOCK_STREAM if found.transport.reliable else socket.SOCK_DGRAM
    try:
        async with asyncio.timeout(LOOK_UP):
            addresses = await asyncio.get_running_loop().getaddrinfo(found.host, found.port, type=kind)
    except (OSError, TimeoutError, UnicodeError) as problem:
        raise Unreachable(f"{found.host}: {problem}") from None
    remote = addresses[0][4]
    local = local_address_towards(str(remote[0]))
    return Flow(found.transport, (str(remote[0]), int(remote[1])), (local, ports[found.transport]))
