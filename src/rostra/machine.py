"""Facts of the machine we run on."""

from __future__ import annotations

import functools
import ipaddress
import socket
import typing
from pathlib import Path

_ELSEWHERE = ("192.0.2.1", 9)
"""An address of RFC 5737's documentation range: asking for the way there sends nothing."""
_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""The second has what a resolver on loopback, named in the first, asks in turn."""
_HAS_GATEWAY = 0x2
"""Flag of a route (RTF_GATEWAY)."""


def primary_address() -> str:
    """The IPv4 address this machine uses towards the network; loopback when it has no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@functools.cache
def processor() -> str:
    """Name of the processor, as the kernel tells it; empty when it does not."""
    for line in _lines(Path("/proc/cpuinfo")):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return ""


@functools.cache
def memory() -> int:
    """Memory of the machine in KB; 0 when the kernel does not tell."""
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemTotal:"):
            return int(line.split()[1])
    return 0


def ipv4_network(address: str, routes: Path = Path("/proc/net/route")) -> tuple[str, str]:
    """Mask of the network `address` is in, and the next hop to everywhere else; `address` itself for none."""
    own = ipaddress.ip_address(address)
    known = [_Route.read(line) for line in _lines(routes)[1:]]
    near = [route.network.netmask for route in known if not route.through and own in route.network]
    far = [(route.metric, route.hop) for route in known if route.through and route.network.prefixlen == 0]
    if own.is_loopback or not near:
        return "255.0.0.0" if own.is_loopback else "255.255.255.255", address
    return str(max(near)), str(min(far)[1] if far else address)


class _Route(typing.NamedTuple):
    """A line of the kernel's routing table."""

    network: ipaddress.IPv4Network
    through: bool
    hop: ipaddress.IPv4Address
    metric: int

    @classmethod
    def read(cls, line: str) -> _Route:
        _, destination, hop, flags, _, _, metric, mask, *_ = line.split()
        network = ipaddress.IPv4Network(f"{_from_kernel(destination)}/{_from_kernel(mask)}", strict=False)
        return cls(network, bool(int(flags, 16) & _HAS_GATEWAY), _from_kernel(hop), int(metric))


def _from_kernel(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bytes.fromhex(text)[::-1])


def resolvers(*files: Path) -> list[str]:
    """Addresses of the DNS servers this machine asks and others can ask as well, so none on loopback."""
    found: list[str] = []
    for file in files or _RESOLVERS:
        for line in _lines(file):
            match line.split():
                case ["nameserver", address, *_] if _is_for_others(address) and address not in found:
                    found.append(address)
                case _:
                    pass
    return found


def _is_for_others(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_loopback and "%" not in address
    except ValueError:
        return False


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def has_address(address: str) -> bool:
    """Is `address` one of this machine's? (All of 127.0.0.0/8 is.)"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
