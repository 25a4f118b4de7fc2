"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request


def caller_address(request: Request) -> str:
    """Source address of the connection; IPv4 in its own form also on a dual-stack socket."""
    host = request.client.host if request.client else ""
    return host.removeprefix("::ffff:")


def source_of(address: str) -> str:
    """Who is behind an address, as far as can be told: of IPv6 a whole network of 64 bits is one subscriber's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((int(parsed), 64), strict=False))


def is_local(request: Request) -> bool:
    """The caller is on this machine and no proxy speaks for somebody else."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(caller_address(request)).is_loopback
    except ValueError:
        return False
