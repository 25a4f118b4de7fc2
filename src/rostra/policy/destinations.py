"""Where pictures of users may be fetched from: their addresses come from directories, not from administrators alone.

A node reaches more than its users do: itself, and what a cloud tells its machines at link-local addresses. A name must
not lead there. What stands in the address itself was meant, as far as it can be the address of a server.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

_PORTS = {"http": 80, "https": 443}


class Unreachable(Exception):
    """Nothing is fetched from there; the text says why."""


class Destination(msgspec.Struct, frozen=True):
    """A URL whose host is an address, so that nobody is asked again where its name leads."""

    url: str
    host: str
    """As the server is to hear it."""
    name: str
    """That its certificate has to have."""


async def destination(url: str) -> Destination:
    """Where a configured URL leads. Raises Unreachable."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise Unreachable(f"no address: {problem}") from None
    if parts.scheme not in _PORTS or not name:
        raise Unreachable("no address of http or https")
    host = parts.netloc.rpartition("@")[2]
    return Destination(_at(parts, await _address(name, port or _PORTS[parts.scheme])), host, name)


async def _address(name: str, port: int) -> str:
    try:
        meant = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        if _is_no_server(meant):
            raise Unreachable(f"{meant} is the address of no server")
        return name
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise Unreachable(f"{name} is not found: {problem}") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for address in addresses:
        if _is_no_server(address) or _plain(address).is_loopback:
            raise Unreachable(f"{name} leads to {address}")
    if not addresses:
        raise Unreachable(f"{name} is not found")
    return str(addresses[0])


def _is_no_server(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    plain = _plain(address)
    return plain.is_link_local or plain.is_multicast or plain.is_unspecified


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """IPv4 in the clothes of IPv6 is IPv4."""
    return getattr(address, "ipv4_mapped", None) or address


def _at(parts: SplitResult, address: str) -> str:
    credentials, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if ":" in address else address
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}{host}{port}"))
