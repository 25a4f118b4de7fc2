"""What address of ours the other side of a static NAT sees (PLAT-177, PLAT-178, NODE-023), and whose word on its own
address can be believed."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping

_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""RFC 1918, RFC 6598, RFC 4193."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True, slots=True)
class NattedNode:
    """A Conferencing Node behind a static NAT."""

    addresses: frozenset[str]
    """Its own."""
    outside: str
    """What stands for them outside."""
    networks: tuple[Network, ...]
    """Those it is in itself, where its own address is the right one."""


class Translation:
    """Which address to write for one of our nodes, by who reads it."""

    def __init__(self, nodes: Iterable[NattedNode] = ()) -> None:
        self._by_address: Mapping[str, NattedNode] = {address: node for node in nodes for address in node.addresses}

    def seen_from(self, address: str, peer: str) -> str:
        """`address` of ours as `peer`, an address too, reaches it."""
        node = self._by_address.get(address)
        if node is None:
            return address
        try:
            where = ipaddress.ip_address(peer)
        except ValueError:
            return node.outside
        near = where.is_loopback or any(where in network for network in node.networks)
        return address if near or where.version != ipaddress.ip_address(node.outside).version else node.outside


def believable(claimed: str, source: str) -> bool:
    """Whether whoever sends from `source` can be reached at the address it `claimed`.

    Not at a private address it does not send from, unless it sends from a private one as well.
    """
    try:
        stated, seen = _plain(claimed), _plain(source)
    except ValueError:
        return False
    if stated == seen:
        return True
    if stated.is_unspecified or stated.is_loopback or stated.is_link_local or stated.is_multicast:
        return False
    return not _is_private(stated) or _is_private(seen)


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Of an IPv4 address that is written as one of IPv6, the former. Raises ValueError."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _PRIVATE) or address.is_loopback or address.is_link_local


def networks(pairs: Iterable[tuple[str | None, str | None]]) -> tuple[Network, ...]:
    """Those of interfaces given by address and mask (or length of the prefix)."""
    return tuple(ipaddress.ip_network(f"{address}/{mask}", strict=False) for address, mask in pairs if address and mask)
