"""Who belongs to the fabric, as this machine knew it last: kept in a file, so that it starts without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rostra.environment import EnvironmentProblem
from rostra.tls import write_file


class Member(msgspec.Struct, frozen=True, order=True):
    """A machine whose NATS server is let in."""

    name: str
    """`management`, or a node's id."""
    fingerprint: str
    """SHA-256 of its public key, hexadecimal."""
    address: str
    port: int


class Membership(msgspec.Struct, frozen=True):
    """This machine's place in the fabric."""

    platform: str
    own: str
    """Our name among the members."""
    address: str
    members: list[Member] = []

    def with_members(self, members: Iterable[Member]) -> Membership:
        return msgspec.structs.replace(self, members=sorted(members))


def node_name(key: int | None) -> str:
    """The name of a node on the fabric from the id of its configuration; None: the Management Node."""
    return "management" if key is None else f"n{key}"


def file(home: Path) -> Path:
    """Where it is kept in a home directory."""
    return home / "fabric" / "membership.json"


def load(home: Path) -> Membership | None:
    """What was stored last; None when this machine belongs to no fabric. Raises EnvironmentProblem when damaged."""
    try:
        return msgspec.json.decode(file(home).read_bytes(), type=Membership)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as problem:
        raise EnvironmentProblem(f"ROSTRA_HOME: {file(home)} is damaged: {problem}") from None


def store(home: Path, membership: Membership) -> None:
    file(home).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(file(home), msgspec.json.format(msgspec.json.encode(membership)))
