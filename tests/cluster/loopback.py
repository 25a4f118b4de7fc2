"""Machines as addresses of the loopback network, where namespaces cannot be made.

Addresses are distinct, the network stack is shared: programs that listen on every address need ports of their own,
and nothing can be cut or counted.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import free_port

_PORTS = ("node_https", "management_https", "sip", "sip_tls", "h323", "nats", "fabric", "bootstrap")
_MEDIA = itertools.count(20000, 1000)


class LoopbackMachine:
    """One address."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        low = next(_MEDIA)
        self.settings = {f"ROSTRA_{name.upper()}_PORT": str(free_port()) for name in _PORTS}
        self.settings["ROSTRA_MEDIA_PORTS"] = f"{low}-{low + 999}"

    def command(self, *command: str) -> list[str]:
        return list(command)

    def port(self, setting: str) -> int:
        return int(self.settings[f"ROSTRA_{setting.upper()}_PORT"])


class LoopbackMachines:
    """All machines of one test."""

    gateway = "127.0.0.1"
    """The tests' own address on this network."""

    def __init__(self) -> None:
        self.machines: dict[str, LoopbackMachine] = {}

    def add(self, name: str) -> LoopbackMachine:
        address = f"127.{77 + os.getpid() % 100}.{os.getpid() % 250}.{len(self.machines) + 1}"
        self.machines[name] = machine = LoopbackMachine(name, address)
        return machine


@contextmanager
def loopback() -> Iterator[LoopbackMachines]:
    yield LoopbackMachines()
