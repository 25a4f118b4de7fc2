"""Where a SIP host is reached: transport, address and port (RFC 3263), over a resolver that is given. No I/O.

Places are looked up one after the other, as they are asked for: the next is wanted only when the one before failed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Protocol

from rostra.sip.flow import Transport

MOST = 16
"""Places tried for one call; a zone file must not keep us busy."""

_PREFERENCE = (Transport.TLS, Transport.TCP, Transport.UDP)
"""Without a word from NAPTR, encrypted before reliable before any."""
_SERVICES = {Transport.TLS: "_sips._tcp", Transport.TCP: "_sip._tcp", Transport.UDP: "_sip._udp"}
_NAPTR_SERVICES = {"SIPS+D2T": Transport.TLS, "SIP+D2T": Transport.TCP, "SIP+D2U": Transport.UDP}

Chance = Callable[[int], int]
"""A random number from 0 to, and with, the one given."""


class Unreachable(Exception):
    """The host cannot be found; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Naptr:
    """A NAPTR record, as far as RFC 3263 uses it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclasses.dataclass(frozen=True, slots=True)
class Srv:
    """An SRV record. The target `.` says that the service is not offered."""

    priority: int
    weight: int
    port: int
    target: str


class Resolver(Protocol):
    """Looks names up. Names without such records have none; Unreachable is raised when nobody can tell."""

    async def naptr(self, name: str) -> Sequence[Naptr]: ...

    async def srv(self, name: str) -> Sequence[Srv]: ...

    async def addresses(self, host: str) -> Sequence[str]:
        """IPv4 before IPv6, which media cannot use."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """The host of a URI or proxy, and what is said about the way there."""

    host: str
    """Name or address, IPv6 without brackets."""
    port: int | None = None
    transport: Transport | None = None
    secure: bool = False
    """`sips`: encrypted, or not at all."""

    @property
    def is_address(self) -> bool:
        return is_address(self.host)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """One way to reach it."""

    transport: Transport
    address: str
    port: int
    name: str
    """What its certificate has to be valid for: the host that was asked for, wherever DNS led (RFC 5922 5)."""
    chosen: bool = True
    """Somebody named the transport; else UDP was taken for want of a better."""


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def by_weight(records: Sequence[Srv], chance: Chance) -> list[Srv]:
    """In the order in which they are tried: by priority, and within one by lot with their weights (RFC 2782)."""
    found: list[Srv] = []
    for priority in sorted({record.priority for record in records}):
        left = sorted((r for r in records if r.priority == priority), key=lambda r: (r.weight > 0, r.target, r.port))
        while left:
            sums = list(itertools.accumulate(record.weight for record in left))
            drawn = chance(sums[-1])
            found.append(left.pop(next(at for at, total in enumerate(sums) if total >= drawn)))
    return found


async def places(
    wanted: Wanted, resolver: Resolver, usable: Collection[Transport], chance: Chance
) -> AsyncIterator[Place]:
    """The ways there, the best first. Raises Unreachable when there are none.

    `usable` are the transports we speak; one that is asked for by name is taken all the same.
    """
    number = 0
    async for place in _places(wanted, resolver, usable, chance):
        number += 1
        yield place
        if number >= MOST:
            return
    if not number:
        raise Unreachable(f"{wanted.host} has no address")


async def _places(
    wanted: Wanted, resolver: Resolver, usable: Collection[Transport], chance: Chance
) -> AsyncIterator[Place]:
    default = wanted.transport or (Transport.TLS if wanted.secure else Transport.UDP)
    chosen = wanted.transport is not None or wanted.secure
    named = wanted.host.rstrip(".")
    services: list[tuple[Transport, str]] = []
    if not wanted.is_address and wanted.port is None:
        services = await _services(wanted, named, resolver, usable)
    offered = False
    for transport, records in await _records(services, resolver):
        offered = offered or bool(records)
        for record in by_weight([r for r in records if r.target.rstrip(".")], chance):
            for address in await _addresses(record.target, resolver):
                yield Place(transport, address, record.port, named)
    if offered:
        return
    port = wanted.port or default.default_port
    found = [wanted.host] if wanted.is_address else await resolver.addresses(named)
    for address in found:
        yield Place(default, address, port, named, chosen)


async def _services(
    wanted: Wanted, host: str, resolver: Resolver, usable: Collection[Transport]
) -> list[tuple[Transport, str]]:
    """Names of SRV records with what they are for (4.1)."""
    if wanted.transport is not None:
        return [(wanted.transport, f"{_SERVICES[wanted.transport]}.{host}")]
    allowed = [t for t in _PREFERENCE if t in usable and (t is Transport.TLS or not wanted.secure)]
    try:
        records = await resolver.naptr(host)
    except Unreachable:  # servers that have never heard of NAPTR may well know SRV
        records = ()
    ordered = sorted(records, key=lambda record: (record.order, record.preference))
    known = [(_NAPTR_SERVICES.get(r.service.upper()), r.replacement) for r in ordered if r.flags.lower() == "s"]
    pointers = [(transport, name) for transport, name in known if transport is not None and transport in allowed]
    return pointers or [(transport, f"{_SERVICES[transport]}.{host}") for transport in allowed]


async def _records(
    services: Sequence[tuple[Transport, str]], resolver: Resolver
) -> list[tuple[Transport, Sequence[Srv]]]:
    """What SRV says of each, asked for at the same time."""

    async def one(name: str) -> Sequence[Srv]:
        try:
            return await resolver.srv(name)
        except Unreachable:
            return ()

    found = await asyncio.gather(*(one(name) for _, name in services))
    return [(transport, records) for (transport, _), records in zip(services, found, strict=True)]


async def _addresses(host: str, resolver: Resolver) -> Sequence[str]:
    """Of a host that SRV names; one that nobody knows is left out."""
    if is_address(host):
        return [host]
    try:
        return await resolver.addresses(host.rstrip("."))
    except Unreachable:
        return []
