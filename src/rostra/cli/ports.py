"""Are the ports free? Asked before anything starts, so that the answer is one line that names the setting."""

from __future__ import annotations

import dataclasses
import errno
import socket
from collections.abc import Iterable

from rostra.environment import Environment, variable_name
from rostra.ports import OPENINGS, TCP, UDP, Moment, Party, Reach

_KINDS = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}


class PortTaken(Exception):
    """A port we need cannot be had. The text names the port and the variable that moves it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """One port of one setting (a field of Environment)."""

    setting: str
    port: int
    transport: socket.SocketKind = socket.SOCK_STREAM
    address: str = ""
    """Where we listen; empty: everywhere."""


def needs(environment: Environment, *, node: bool = True, management: bool = True, fabric: str = "") -> list[Need]:
    """Every fixed port that is about to be listened on by what is to run here; `fabric`: our address on it."""
    here = {party for party, runs in ((Party.NODE, node), (Party.MANAGEMENT, management)) if runs}
    addresses = {Reach.LOOPBACK: "127.0.0.1", Reach.FABRIC: fabric, Reach.EVERYWHERE: ""}
    wanted: dict[Need, None] = {}
    for opening in OPENINGS:
        ports = opening.ports(environment)
        if opening.moment is not Moment.ALWAYS or ports.low != ports.high or here.isdisjoint(opening.listeners):
            continue
        if opening.reach is Reach.FABRIC and not fabric:
            continue
        for transport in opening.transports:
            wanted[Need(opening.setting, ports.low, _KINDS[transport], addresses[opening.reach])] = None
    return list(wanted)


def check(wanted: Iterable[Need]) -> None:
    """Raise PortTaken for the first port that another setting or another program has."""
    owners: dict[tuple[int, socket.SocketKind], str] = {}
    for need in wanted:
        owner = owners.setdefault((need.port, need.transport), need.setting)
        if owner != need.setting:
            raise PortTaken(f"{variable_name(owner)} and {variable_name(need.setting)} are both {need.port}")
        _try(need)


def _try(need: Need) -> None:
    for family, address in _addresses(need):
        try:
            probe = socket.socket(family, need.transport)
        except OSError:
            continue  # the machine has no IPv6
        with probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if need.transport == socket.SOCK_STREAM:
                # Connections of a former run that are still in TIME_WAIT do not hinder us.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, need.port))
                if need.transport == socket.SOCK_STREAM:
                    probe.listen(1)
            except OSError as problem:
                if problem.errno == errno.EADDRNOTAVAIL:
                    continue
                raise PortTaken(_sentence(need, problem)) from None


def _addresses(need: Need) -> list[tuple[socket.AddressFamily, str]]:
    if need.address:
        return [(socket.AF_INET6 if ":" in need.address else socket.AF_INET, need.address)]
    # Every address, as the servers will ask for.
    return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]  # noqa: S104


def _sentence(need: Need, problem: OSError) -> str:
    transport = "TCP" if need.transport == socket.SOCK_STREAM else "UDP"
    variable = variable_name(need.setting)
    if problem.errno == errno.EADDRINUSE:
        return f"port {need.port} ({transport}) is taken by another program; choose another with {variable}"
    if problem.errno == errno.EACCES:
        return f"port {need.port} ({transport}) may not be used without privileges; choose another with {variable}"
    return f"port {need.port} ({transport}) cannot be used: {problem.strerror}; choose another with {variable}"
