"""Machines of a platform as network namespaces on one bridge: own addresses, and links that can be cut and throttled.

The bridge has an address of its own, so browsers and phones of the tests reach every machine. Machines on different
sides of a partition (`split`) are on different bridges; the tests' own address is on the first side.
"""

from __future__ import annotations

import functools
import itertools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NUMBERS = itertools.count(1)


def run(*command: str, check: bool = True) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if check and ended.returncode:
        raise AssertionError(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


@functools.cache
def missing() -> str:
    """Why namespaces cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need iproute2"
    name = f"rt{secrets.token_hex(3)}"
    try:
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
        run("ip", "link", "add", f"{name}c", "type", "bridge")
    except AssertionError as problem:
        return f"network namespaces cannot be made: {problem}"
    finally:
        run("ip", "link", "del", f"{name}a", check=False)
        run("ip", "link", "del", f"{name}c", check=False)
        run("ip", "netns", "del", name, check=False)
    return ""


class Machine:
    """One namespace with one interface."""

    def __init__(self, network: Machines, name: str, address: str) -> None:
        self.network = network
        self.name = name
        self.namespace = f"{network.tag}-{name}"
        self.address = address
        self._outside = f"{network.tag}{len(network.machines)}"
        self._side = 0
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self._outside, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "address", "add", f"{address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "route", "add", "default", "via", network.gateway)
        self.join(0)

    def inside(self, *command: str) -> str:
        return run("ip", "netns", "exec", self.namespace, *command)

    def command(self, *command: str) -> list[str]:
        """The command that runs something on this machine."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def join(self, side: int) -> None:
        """Plug the cable into the bridge of a side."""
        run("ip", "link", "set", self._outside, "master", self.network.bridge(side))
        run("ip", "link", "set", self._outside, "up")
        self._side = side

    def cut(self) -> None:
        """Pull the cable: packets go nowhere, nothing is told."""
        run("ip", "link", "set", self._outside, "nomaster")

    def mend(self) -> None:
        self.join(self._side)

    def throttle(self, kilobits: int, milliseconds: int = 400) -> None:
        """Let no more through, each way; `milliseconds` of packets may wait."""
        rate = ("rate", f"{kilobits}kbit", "burst", "16k", "latency", f"{milliseconds}ms")
        run("tc", "qdisc", "replace", "dev", self._outside, "root", "tbf", *rate)
        self.inside("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", *rate)

    def unthrottle(self) -> None:
        run("tc", "qdisc", "del", "dev", self._outside, "root", check=False)
        run("ip", "netns", "exec", self.namespace, "tc", "qdisc", "del", "dev", "eth0", "root", check=False)

    def traffic(self) -> tuple[int, int]:
        """Bytes received and sent so far."""
        counters = Path("/sys/class/net") / self._outside / "statistics"
        return int((counters / "tx_bytes").read_text()), int((counters / "rx_bytes").read_text())

    def remove(self) -> None:
        run("ip", "link", "del", self._outside, check=False)
        run("ip", "netns", "del", self.namespace, check=False)


class Machines:
    """All machines of one test, in an address range of its own."""

    def __init__(self) -> None:
        number = next(_NUMBERS)
        self.tag = f"rt{os.getpid() % 10000:04d}{number}"
        self._prefix = f"10.{77 + number % 100}.{os.getpid() % 250}"
        self.gateway = f"{self._prefix}.254"
        self.machines: dict[str, Machine] = {}
        self._bridges: dict[int, str] = {}
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge(0))

    def bridge(self, side: int) -> str:
        if side not in self._bridges:
            name = f"{self.tag}b{side}"
            run("ip", "link", "add", name, "type", "bridge", "forward_delay", "0", "stp_state", "0")
            run("ip", "link", "set", name, "up")
            self._bridges[side] = name
        return self._bridges[side]

    def add(self, name: str) -> Machine:
        machine = Machine(self, name, f"{self._prefix}.{len(self.machines) + 1}")
        self.machines[name] = machine
        return machine

    def split(self, **sides: int) -> None:
        """Put machines on sides of a partition."""
        for name, side in sides.items():
            self.machines[name].join(side)

    def heal(self) -> None:
        for machine in self.machines.values():
            machine.join(0)

    def remove(self) -> None:
        for machine in self.machines.values():
            machine.remove()
        for bridge in self._bridges.values():
            run("ip", "link", "del", bridge, check=False)


@contextmanager
def machines() -> Iterator[Machines]:
    made = Machines()
    try:
        yield made
    finally:
        made.remove()
