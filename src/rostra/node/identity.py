"""Who this node is: given by the platform, kept in a file, valid on one machine only."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rostra.environment import EnvironmentProblem
from rostra.fabric.membership import node_name
from rostra.tls import write_file


class NodeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What a Conferencing Node knows of itself without being configured."""

    key: int
    """Id of its configuration (`worker_vm`)."""
    name: str
    hostname: str = ""
    domain: str = ""
    address: str
    platform: str = ""
    location: str = ""
    """Name of its location when it was enrolled; where it is now, the configuration says."""
    management: tuple[str, ...] = ()
    """Where the Management Node is asked whether we still belong: https://address:port. None: this machine."""

    @property
    def id(self) -> str:
        """Its name on the fabric, in subjects and messages."""
        return node_name(self.key)


def _file(home: Path) -> Path:
    return home / "node" / "identity.json"


def load(home: Path) -> NodeIdentity | None:
    """The identity kept in `home`; None before enrolment. Raises EnvironmentProblem when damaged."""
    try:
        return msgspec.json.decode(_file(home).read_bytes(), type=NodeIdentity)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as problem:
        raise EnvironmentProblem(f"ROSTRA_HOME: {_file(home)} is damaged: {problem}") from None


def store(home: Path, identity: NodeIdentity) -> None:
    """Keep `identity`; with it the machine is a node from its next start."""
    _file(home).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(_file(home), msgspec.json.format(msgspec.json.encode(identity)))


def retire(home: Path) -> None:
    """The node was deleted: it does not start again with this identity."""
    if _file(home).exists():
        _file(home).replace(_file(home).with_name("identity.deleted.json"))


def retired(home: Path) -> bool:
    """Was there a node here that has been deleted since?"""
    return not _file(home).exists() and _file(home).with_name("identity.deleted.json").exists()
