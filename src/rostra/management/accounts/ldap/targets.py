"""Where to try to reach a directory, and how: DNS and the order of attempts (DIAG-207...DIAG-212, SYS-055, SYS-060)."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import dns.exception
import dns.resolver

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?")
LDAPS, STARTTLS, PLAIN = "ldaps", "starttls", "plain"


class NoAddress(ValueError):
    """The text names no server."""


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """What an administrator entered as the server."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises NoAddress."""
        host, port = text.strip(), ""
        if host.startswith("[") or host.count(":") == 1:
            host, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        host = host.removeprefix("[").removesuffix("]")
        if port and not (port.isdecimal() and 0 < int(port) < 65536):
            raise NoAddress("The port has to be a number within 1-65535.")
        found = cls(host, int(port) if port else None)
        if not found.is_ip and (_HOST.fullmatch(host) is None or len(host) > 255):
            raise NoAddress("Enter a domain, a host name or an IP address.")
        return found

    @property
    def is_ip(self) -> bool:
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One attempt."""

    host: str
    port: int
    how: str
    """LDAPS, STARTTLS or PLAIN."""

    @property
    def uri(self) -> str:
        scheme = "ldaps" if self.how == LDAPS else "ldap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {636: "ldaps", 389: "ldap"}.get(self.port) == scheme
        return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{self.port}"


Services = Callable[[str], Sequence[tuple[str, int]]]
"""Hosts and ports of a DNS service (`_ldap._tcp.example.com`), the preferred first; empty when there is none."""


def targets(address: Address, services: Services, *, insecure: bool, global_catalog: bool) -> list[Target]:
    """All attempts in their order: with TLS first, without only if allowed and never for a service that is TLS."""
    tls, plain = (3269, 3268) if global_catalog else (636, 389)
    without = [PLAIN] if insecure else []
    found: list[Target] = []
    if not address.is_ip and address.port is None:
        if global_catalog:
            found += [
                Target(host, port, how)
                for host, port in services(f"_gc._tcp.{address.host}")
                for how in (STARTTLS, *without)
            ]
        else:
            found += [Target(host, port, LDAPS) for host, port in services(f"_ldaps._tcp.{address.host}")]
            found += [
                Target(host, port, how)
                for host, port in services(f"_ldap._tcp.{address.host}")
                for how in (STARTTLS, *without)
            ]
    found += [
        Target(address.host, address.port or tls, LDAPS),
        *(Target(address.host, address.port or plain, how) for how in (STARTTLS, *without)),
    ]
    return list(dict.fromkeys(found))


def services(servers: Iterable[str]) -> Services:
    """Asks these DNS servers; those of the machine when there are none."""
    nameservers = list(servers)

    def ask(name: str) -> Sequence[tuple[str, int]]:
        try:
            resolver = dns.resolver.Resolver(configure=not nameservers)
            if nameservers:
                resolver.nameservers = nameservers
            records: Any = resolver.resolve(name, "SRV", lifetime=3)
        except dns.exception.DNSException:
            return []
        ordered = sorted(records, key=lambda record: (record.priority, -record.weight))
        return [(str(record.target).rstrip("."), record.port) for record in ordered if str(record.target) != "."]

    return ask


def addresses(host: str, servers: Iterable[str]) -> list[str]:
    """IP addresses of a host by these DNS servers; the host itself when it is one or the machine is to look it up."""
    nameservers = list(servers)
    if Address(host).is_ip or not nameservers:
        return [host]
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = nameservers
    found: list[str] = []
    for kind in ("A", "AAAA"):
        try:
            found += [str(record) for record in resolver.resolve(host, kind, lifetime=3)]
        except dns.exception.DNSException:
            continue
    return found or [host]
