"""UDP port pairs for RTP legs, and the address announced with them.

Pairs are really bound, so workers (and ICE) that share the range cannot take the same one.
"""

from __future__ import annotations

import dataclasses
import os
import random
import socket
from typing import Any

from rostra.environment import Environment, PortRange
from rostra.media.engine.gst import Gio

_TRIES = 400
_BUFFER = 1 << 20
"""Bytes of kernel buffer: a key frame arrives in one burst."""


class OutOfPorts(Exception):
    """No pair of the range is free."""


@dataclasses.dataclass(frozen=True, slots=True)
class PortPair:
    """RTP on an even port, RTCP on the next."""

    port: int
    rtp: socket.socket
    rtcp: socket.socket

    @property
    def ipv6(self) -> bool:
        return self.rtp.family == socket.AF_INET6

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def reserve(ports: PortRange, *, ipv6: bool = False) -> PortPair:
    """Bind a free pair, chosen at random so that ports just given up are not reused at once. Raises OutOfPorts."""
    low = ports.low + ports.low % 2
    pairs = (ports.high - low + 1) // 2
    if pairs < 1:
        raise OutOfPorts(f"{ports} holds no pair")
    for number in random.sample(range(pairs), min(pairs, _TRIES)):
        port = low + 2 * number
        bound: list[socket.socket] = []
        try:
            for offset in (0, 1):
                bound.append(_bound(port + offset, ipv6=ipv6))  # noqa: PERF401  (those bound so far are closed when one fails)
        except OSError:
            for endpoint in bound:
                endpoint.close()
            continue
        return PortPair(port, *bound)
    raise OutOfPorts(f"no pair within {ports} is free")


def reserve_one(ports: PortRange) -> tuple[int, socket.socket]:
    """Bind one free port, for RTP with RTCP on the same. Raises OutOfPorts."""
    count = ports.high - ports.low + 1
    for number in random.sample(range(count), min(count, _TRIES)):
        try:
            return ports.low + number, _bound(ports.low + number)
        except OSError:
            continue
    raise OutOfPorts(f"no port within {ports} is free")


class _Mark:
    """Of this process, which serves one conference."""

    dscp = 0


def mark(dscp: int) -> None:
    """Have packets of all ports from now on carry this DSCP value (0 to 63)."""
    _Mark.dscp = dscp


def marked() -> int:
    """That value."""
    return _Mark.dscp


def _bound(port: int, *, ipv6: bool = False) -> socket.socket:
    endpoint = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            endpoint.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER)
        if ipv6:
            endpoint.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            endpoint.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _Mark.dscp << 2)
        else:
            endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _Mark.dscp << 2)
        endpoint.bind(("::" if ipv6 else "0.0.0.0", port))  # noqa: S104  (peers come to any address of ours)
    except OSError:
        endpoint.close()
        raise
    return endpoint


def shared(endpoint: socket.socket) -> Any:
    """The same socket for GStreamer; each user closes its own."""
    return Gio.Socket.new_from_fd(os.dup(endpoint.fileno()))


def announced_address(environment: Environment, *, ipv6: bool = False) -> str:
    """What we write as our media address: as configured, else the address the default route uses."""
    if environment.media_address and (":" in environment.media_address) == ipv6:
        return environment.media_address
    family, elsewhere, loopback = (
        (socket.AF_INET6, "2001:db8::1", "::1") if ipv6 else (socket.AF_INET, "198.51.100.1", "127.0.0.1")
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))  # no packet is sent: this only asks for the route
        except OSError:
            return loopback
        return probe.getsockname()[0]
