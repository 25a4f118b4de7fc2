"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request


def caller_address(request: Request) -> str:
    """Source address of the connection; IPv4 in its own form also on a dual-stack socket."""
    host = request.client.host if request.client else ""
    return host.removeprefix("::ffff:")


def is_local(request: Request) -> bool:
    """The caller is on this machine and no proxy speaks for somebody else."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(caller_address(request)).is_loopback
    except ValueError:
        return False
