"""Machines of a platform as network namespaces on one bridge: own addresses, and links that can be cut and throttled.

The bridge has an address of its own, so browsers and phones of the tests reach every machine. `cut` takes a machine
off the network altogether; `part` keeps machines from each other while people still reach all of them.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager

_NUMBERS = itertools.count(1)

_RULES = """
table ip test {
  set ignored { type ipv4_addr; }
  chain arriving {
    type filter hook input priority 0;
    ip saddr @ignored drop
  }
}
"""
"""What comes from an ignored address vanishes silently, as on a cut line; dropping what is sent would be an error."""


def run(*command: str, check: bool = True, text: str = "") -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, input=text)
    if check and ended.returncode:
        raise AssertionError(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


@functools.cache
def missing() -> str:
    """Why namespaces cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program) is None:
            return f"network namespaces need {package}"
    name = f"rt{secrets.token_hex(3)}"
    try:
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
        run("ip", "link", "add", f"{name}c", "type", "bridge")
        run("ip", "netns", "exec", name, "nft", "-f", "-", text=_RULES)
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
        self.settings: dict[str, str] = {}
        """What a program on this machine must be told."""
        self._outside = f"{network.tag}{len(network.machines)}"
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self._outside, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "address", "add", f"{address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "route", "add", "default", "via", network.gateway)
        self.inside("nft", "-f", "-", text=_RULES)
        run("ip", "link", "set", self._outside, "up")
        self.mend()

    def inside(self, *command: str, text: str = "") -> str:
        return run("ip", "netns", "exec", self.namespace, *command, text=text)

    def command(self, *command: str) -> list[str]:
        """The command that runs something on this machine."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def port(self, setting: str) -> int:
        """The port a program here has for a `ROSTRA_*_PORT` setting."""
        return int(self.settings.get(f"ROSTRA_{setting.upper()}_PORT", 0)) or _PORTS[setting]

    def cut(self) -> None:
        """Pull the cable: packets go nowhere, nothing is told."""
        run("ip", "link", "set", self._outside, "nomaster")

    def mend(self) -> None:
        """Plug it in."""
        run("ip", "link", "set", self._outside, "master", self.network.bridge)

    def throttle(self, kilobits: int, milliseconds: int = 400) -> None:
        """Let no more through, each way; `milliseconds` of packets may wait."""
        rate = ("rate", f"{kilobits}kbit", "burst", "16k", "latency", f"{milliseconds}ms")
        run("tc", "qdisc", "replace", "dev", self._outside, "root", "tbf", *rate)
        self.inside("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", *rate)

    def unthrottle(self) -> None:
        run("tc", "qdisc", "del", "dev", self._outside, "root", check=False)
        run("ip", "netns", "exec", self.namespace, "tc", "qdisc", "del", "dev", "eth0", "root", check=False)

    def lose(self, address: str, percent: int) -> None:
        """Of what comes from there to ports of media, lose so much by chance."""
        chance = ("numgen", "random", "mod", "100", "<", str(percent), "drop")
        self.inside(
            "nft",
            "add",
            "rule",
            "ip",
            "test",
            "arriving",
            "ip",
            "saddr",
            address,
            "udp",
            "dport",
            ">",
            "10000",
            *chance,
        )

    def ignore(self, *others: Machine) -> None:
        """Nothing of what they send arrives here any more."""
        if others:
            self.inside("nft", "add", "element", "ip", "test", "ignored", _elements(o.address for o in others))

    def listen(self) -> None:
        """What everybody sends arrives again."""
        self.inside("nft", "flush", "set", "ip", "test", "ignored")

    def meter(self, other: Machine) -> None:
        """Count from now on what arrives from another machine."""
        for protocol in ("udp", "tcp"):
            name = f"{other.name}_{protocol}"
            self.inside("nft", "add", "counter", "ip", "test", name)
            rule = ("ip", "saddr", other.address, "meta", "l4proto", protocol, "counter", "name", name)
            self.inside("nft", "add", "rule", "ip", "test", "arriving", *rule)

    def metered(self, other: Machine, protocol: str) -> int:
        """Bytes (with IP headers) that arrived from it so far."""
        listed = json.loads(
            self.inside("nft", "-j", "list", "counter", "ip", "test", f"{other.name}_{protocol}")
        )  # fmt: skip
        return next(int(entry["counter"]["bytes"]) for entry in listed["nftables"] if "counter" in entry)

    def remove(self) -> None:
        run("ip", "link", "del", self._outside, check=False)
        run("ip", "netns", "del", self.namespace, check=False)


_PORTS = {"node_https": 8443, "management_https": 9443, "sip": 5060, "fabric": 6222}


def _elements(addresses: Iterable[str]) -> str:
    return "{ " + ", ".join(addresses) + " }"


class Machines:
    """All machines of one test, in an address range of its own."""

    def __init__(self) -> None:
        number = next(_NUMBERS)
        self.tag = f"rt{os.getpid() % 10000:04d}{number}"
        self._prefix = f"10.{77 + number % 100}.{os.getpid() % 250}"
        self.gateway = f"{self._prefix}.254"
        """The tests' own address on this network."""
        self.machines: dict[str, Machine] = {}
        self.bridge = f"{self.tag}b"
        run("ip", "link", "add", self.bridge, "type", "bridge", "forward_delay", "0", "stp_state", "0")
        run("ip", "link", "set", self.bridge, "up")
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge)

    def add(self, name: str) -> Machine:
        machine = Machine(self, name, f"{self._prefix}.{len(self.machines) + 1}")
        self.machines[name] = machine
        return machine

    def part(self, *sides: Iterable[str]) -> None:
        """Let no machine of one side reach one of another; the tests' own address reaches all."""
        named = [[self.machines[name] for name in side] for side in sides]
        for side in named:
            others = [machine for other in named if other is not side for machine in other]
            for machine in side:
                machine.ignore(*others)

    def heal(self) -> None:
        for machine in self.machines.values():
            machine.listen()
            machine.mend()

    def remove(self) -> None:
        for machine in self.machines.values():
            machine.remove()
        run("ip", "link", "del", self.bridge, check=False)


@contextmanager
def machines() -> Generator[Machines]:
    made = Machines()
    try:
        yield made
    finally:
        made.remove()
