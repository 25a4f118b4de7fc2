"""The process environment: every variable Rostra reads, with its default and meaning, in one place.

`Environment.load()` is the only reader of `os.environ`. An unknown `ROSTRA_*` variable is an error, so a
misspelt name is noticed instead of silently ignored.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rostra import machine


class EnvironmentProblem(Exception):
    """A variable has a value we cannot use. The text names the variable and the remedy."""


class Secret(str):
    """A string that hides itself in logs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


@dataclasses.dataclass(frozen=True, slots=True)
class PortRange:
    """Inclusive range of ports."""

    low: int
    high: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        low, _, high = text.partition("-")
        return cls(port(low), port(high or low)).checked()

    def checked(self) -> PortRange:
        if self.low > self.high:
            raise ValueError(f"{self} is not ascending")
        return self

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


def port(text: str) -> int:
    """Parse a TCP/UDP port number; ValueError outside 1-65535."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65535:
        raise ValueError(f"{text!r} is not a port within 1-65535")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def _level(text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text not in levels:
        raise ValueError(f"{text!r} is none of {', '.join(levels)}")
    return text


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _setting(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return dataclasses.field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclasses.dataclass(frozen=True, slots=True)
class Environment:
    """What `make run` and every Rostra process can be told by environment variables."""

    home: Path = _setting(Path("var"), Path, "directory of all state: databases, keys, certificates, logs")
    admin_password: Secret = _setting(
        Secret(""), Secret, "password of `admin` on first start; else generated and printed once"
    )
    node_https_port: int = _setting(8443, port, "web app and client API of the Conferencing Node")
    management_https_port: int = _setting(9443, port, "admin site and management API of the Management Node")
    sip_port: int = _setting(5060, port, "SIP over UDP and TCP")
    sip_tls_port: int = _setting(5061, port, "SIP over TLS")
    h323_port: int = _setting(1720, port, "H.323 call signalling")
    nats_port: int = _setting(4222, port, "the fabric inside this machine, on loopback only")
    fabric_port: int = _setting(6222, port, "the fabric between machines: TLS, members of the platform only")
    bootstrap_port: int = _setting(8443, port, "page of a new node that waits for its configuration file")
    address: str = _setting(
        "", _address, "address of the Management Node's machine for other nodes; empty: the one towards the network"
    )
    media_ports: PortRange = _setting(PortRange(40000, 49999), PortRange.parse, "UDP ports of media")
    media_address: str = _setting("", _address, "address announced for media and SIP; empty: the node's own")
    warm_workers: int = _setting(1, int, "idle media workers kept ready for the next conference")
    capacity: int = _setting(0, _whole, "HD calls the node takes at most; 0: measured at every start")
    database_url: str = _setting("", str, "Management Node database, postgres://…; empty: SQLite in the home directory")
    licence_keys: str = _setting(
        "", str, "PEM file of public keys (Ed25519) whose licences are taken besides the project's"
    )
    licence_server: str = _setting(
        "", str, "URL where licence requests are sent; empty: they are stored and go by hand"
    )
    software_keys: str = _setting(
        "", str, "PEM file of public keys (Ed25519) whose software is taken in upgrades besides the project's"
    )
    log_level: str = _setting("info", _level, "debug, info, warning or error")

    @classmethod
    def load(cls, variables: Mapping[str, str] | None = None) -> Environment:
        """Read `ROSTRA_*` from `variables` (default: the process environment).

        Raises EnvironmentProblem naming the variable when a value is unusable or the name is unknown.
        """
        source = os.environ if variables is None else variables
        fields = {variable_name(field.name): field for field in dataclasses.fields(cls)}
        found: dict[str, Any] = {}
        for name, text in source.items():
            if not name.startswith("ROSTRA_"):
                continue
            if name not in fields:
                raise EnvironmentProblem(f"{name} is not a setting of Rostra; known are {', '.join(sorted(fields))}")
            if text == "":
                continue
            try:
                found[fields[name].name] = fields[name].metadata["parse"](text)
            except ValueError as problem:
                raise EnvironmentProblem(f"{name}: {problem}") from None
        return cls(**found)

    def variables(self) -> dict[str, str]:
        """The same settings as environment variables, for a child process."""
        return {variable_name(f.name): str(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @property
    def own_address(self) -> str:
        """This machine's address for other machines of the platform."""
        return self.address or self._settled_address() or machine.primary_address()

    def _settled_address(self) -> str:
        """What was said when the platform was set up, as long as the machine has it."""
        try:
            said = (self.home / "address").read_text().strip()
            return said if said and machine.has_address(_address(said)) else ""
        except (FileNotFoundError, ValueError):
            return ""

    @property
    def node_home(self) -> Path:
        """State of the Conferencing Node: its local database, keys and certificates."""
        return self.home / "node"

    @property
    def management_home(self) -> Path:
        """State of the Management Node."""
        return self.home / "management"


def variable_name(field: str) -> str:
    """Name of the environment variable of a field of `Environment`."""
    return f"ROSTRA_{field.upper()}"
