"""Machines as addresses of the loopback network, where namespaces cannot be made.

Addresses are distinct, the network stack is shared: programs that listen on every address need ports of their own,
and nothing can be cut or counted.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator
from contextlib import contextmanager

from tests.cluster.net import Machine, Machines
from tests.ports import free_port

_PORTS = ("node_https", "management_https", "sip", "sip_tls", "h323", "nats", "fabric", "bootstrap")
_MEDIA = itertools.count(30000, 900)
"""Where neither other platforms of the tests nor the kernel pick ports."""


class LoopbackMachine(Machine):
    """One address."""

    def __init__(self, network: LoopbackMachines, name: str, address: str) -> None:
        self.network = network
        self.name = name
        self.address = address
        low = next(_MEDIA)
        self.settings = {f"ROSTRA_{port.upper()}_PORT": str(free_port()) for port in _PORTS}
        self.settings["ROSTRA_MEDIA_PORTS"] = f"{low}-{low + 899}"

    def inside(self, *command: str, text: str = "") -> str:
        raise AssertionError(f"an address of loopback is no machine to run {command[0]} on")

    def command(self, *command: str) -> list[str]:
        return list(command)

    def remove(self) -> None:
        """There is nothing to remove."""


class LoopbackMachines(Machines):
    """All machines of one test."""

    def __init__(self) -> None:
        self.gateway = "127.0.0.1"
        self.machines: dict[str, Machine] = {}

    def add(self, name: str) -> Machine:
        address = f"127.{77 + os.getpid() % 100}.{os.getpid() % 250}.{len(self.machines) + 1}"
        self.machines[name] = machine = LoopbackMachine(self, name, address)
        return machine


@contextmanager
def loopback() -> Generator[Machines]:
    yield LoopbackMachines()
