"""Facts of the machine we run on."""

from __future__ import annotations

import functools
import socket
from pathlib import Path

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
