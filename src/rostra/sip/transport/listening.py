"""Sockets as SIP needs them: to listen at, and to connect from."""

from __future__ import annotations

import dataclasses
import errno
import random
import resource
import socket

from rostra.environment import PortRange
from rostra.sip.flow import Transport
from rostra.sip.limits import MAX_CONNECTIONS

TRIES = 30
"""Ports tried of the range that connections of ours come from."""
_OTHERS = 1_024
"""File descriptors left to everything else."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listening:
    """One port to listen on, with the variable that sets it."""

    transport: Transport
    port: int
    variable: str


def families() -> list[socket.AddressFamily]:
    return [socket.AF_INET, socket.AF_INET6] if socket.has_ipv6 else [socket.AF_INET]


def listener(wanted: Listening, family: socket.AddressFamily, dscp: int) -> socket.socket:
    """Bound to the port on every address of the machine. Raises OSError."""
    everywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - calls come from anywhere
    stream = wanted.transport.reliable
    # asyncio turns Nagle's delay off only where it can tell from the socket that it is TCP.
    protocol = socket.IPPROTO_TCP if stream else socket.IPPROTO_UDP
    made = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM, protocol)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if stream:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mark(made, dscp)
        made.bind((everywhere, wanted.port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def caller(address: str, ports: PortRange | None, dscp: int) -> socket.socket:
    """To connect to `address` from one of `ports` (SYS-115), where any is free. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # Connections that have just ended hold their ports for a minute: no reason not to use those to another place.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mark(made, dscp)
        if ports is not None:
            _bind_within(made, ports)
    except OSError:
        made.close()
        raise
    return made


def _bind_within(made: socket.socket, ports: PortRange) -> None:
    everywhere = "::" if made.family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - the route decides
    for _ in range(TRIES):
        try:
            made.bind((everywhere, random.randint(ports.low, ports.high)))  # noqa: S311 - guessing it gains nothing
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise
        else:
            return
    raise OSError(errno.EADDRINUSE, f"no port within {ports.low}-{ports.high} is free")


def mark(endpoint: socket.socket, dscp: int) -> None:
    """Have its packets carry this DSCP value (SYS-143), 0 to 63."""
    if endpoint.family == socket.AF_INET6:
        endpoint.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


def room_for_connections() -> int:
    """How many stream connections this process may hold; its limit of open files is raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    allowed = MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else soft - _OTHERS
    return max(100, min(MAX_CONNECTIONS, allowed))
