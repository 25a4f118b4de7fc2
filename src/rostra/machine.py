"""Facts of the machine we run on."""

from __future__ import annotations

import socket

_ELSEWHERE = ("192.0.2.1", 9)
"""An address of RFC 5737's documentation range: asking for the way there sends nothing."""


def primary_address() -> str:
    """The IPv4 address this machine uses towards the network; loopback when it has no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def has_address(address: str) -> bool:
    """Is `address` one of this machine's? (All of 127.0.0.0/8 is.)"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
