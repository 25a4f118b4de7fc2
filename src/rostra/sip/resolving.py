"""DNS for SIP: the name servers of the node's location, answers kept as long as they say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from rostra.sip.locating import Naptr, Srv, Unreachable, is_address

LIFETIME = 4.0
"""Seconds one look-up may take, whichever of the servers answers."""
ONE_SERVER = 1.5
"""Seconds a single server is waited for."""
KEPT = 2_000
"""Answers kept at most."""
HOSTS = Path("/etc/hosts")


class DnsResolver:
    """Implements `locating.Resolver`: names of this machine's hosts file, then DNS."""

    def __init__(self, servers: Sequence[str] = (), *, port: int = 53, hosts: Path = HOSTS) -> None:
        """`servers` are asked in turn; without any, those of the machine."""
        self.servers = tuple(servers)
        self._hosts = hosts
        self._resolver: dns.asyncresolver.Resolver | None = None
        try:
            made = dns.asyncresolver.Resolver(configure=not self.servers)
        except dns.exception.DNSException:  # the machine has none
            return
        if self.servers:
            made.nameservers = list(self.servers)
        made.port = port
        made.timeout = ONE_SERVER
        made.lifetime = LIFETIME
        made.cache = dns.resolver.LRUCache(KEPT)
        self._resolver = made

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return [
            Naptr(r.order, r.preference, _ascii(r.flags), _ascii(r.service), _text(r.replacement))
            for r in await self._ask(name, "NAPTR")
            if not r.regexp
        ]

    async def srv(self, name: str) -> Sequence[Srv]:
        return [Srv(r.priority, r.weight, r.port, _text(r.target)) for r in await self._ask(name, "SRV")]

    async def addresses(self, host: str) -> Sequence[str]:
        known = _in_hosts(host, self._hosts)
        if known:
            return known
        answers = await asyncio.gather(self._ask(host, "A"), self._ask(host, "AAAA"), return_exceptions=True)
        found = [str(r.address) for answer in answers if not isinstance(answer, BaseException) for r in answer]
        problem = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if not found and problem is not None:
            raise problem
        return found

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        if self._resolver is None:
            raise Unreachable(f"{name}: there is no DNS server to ask")
        try:
            asked = dns.name.from_text(name)
            return list(await self._resolver.resolve(asked, kind, raise_on_no_answer=False))
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as problem:
            raise Unreachable(f"{name}: {problem}") from None


def _ascii(text: bytes) -> str:
    return text.decode("ascii", "replace")


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True) if name != dns.name.root else "."


def _in_hosts(host: str, file: Path) -> list[str]:
    """Addresses of `host` by the machine's own file, IPv4 first; localhost needs none (RFC 6761)."""
    wanted = host.lower()
    found: list[str] = []
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if wanted in (name.lower() for name in names) and is_address(address):
            found.append(address)
    if not found and (wanted == "localhost" or wanted.endswith(".localhost")):
        found = ["127.0.0.1", "::1"]
    return sorted(dict.fromkeys(found), key=lambda address: ":" in address)
