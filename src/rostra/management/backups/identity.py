"""The files without which a restored database would be of no use: the platform's key, its authority, our place on the
fabric, and the certificate of this machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rostra.configuration import sealing
from rostra.environment import Environment
from rostra.fabric import credentials
from rostra.tls import write_file

LARGEST = 1024 * 1024
"""Bytes of one file."""
REQUIRED = frozenset({"platform.key", "ca/ca.pem", "ca/ca.key"})


class Plan(msgspec.Struct, frozen=True):
    """Files that wait to be put in place, and whose."""

    token: str
    """Also in the database (mark `restored`), once it has been replaced."""
    files: list[str]


def places(environment: Environment) -> dict[str, Path]:
    """Where each file is, by its name in a backup."""
    own = credentials.of(environment.home)
    management = environment.management_home
    return {
        "platform.key": sealing.key_file(management),
        "ca/ca.pem": management / "ca" / "ca.pem",
        "ca/ca.key": management / "ca" / "ca.key",
        "fabric/ca.pem": own.authority,
        "fabric/certificate.pem": own.certificate,
        "fabric/key.pem": own.key,
        "fabric/membership.json": environment.home / "fabric" / "membership.json",
        "tls/certificate.pem": environment.home / "tls" / "certificate.pem",
        "tls/key.pem": environment.home / "tls" / "key.pem",
    }


def read(environment: Environment) -> dict[str, bytes]:
    """The files there are."""
    return {name: place.read_bytes() for name, place in places(environment).items() if place.exists()}


def _waiting(environment: Environment) -> Path:
    return environment.management_home / "restoring"


def stage(environment: Environment, token: str, files: Mapping[str, bytes]) -> None:
    """Have `files` wait. They count once the database says `token`; until then nothing has changed."""
    directory = _waiting(environment)
    drop(environment)
    directory.mkdir(mode=0o700)
    for number, name in enumerate(files):
        write_file(directory / str(number), files[name])
    write_file(directory / "plan.json", msgspec.json.encode(Plan(token, list(files))))
    for path in (*directory.iterdir(), directory):
        _sync(path)


def drop(environment: Environment) -> None:
    """Forget files that wait."""
    shutil.rmtree(_waiting(environment), ignore_errors=True)


def plan(environment: Environment) -> Plan | None:
    """What waits; None when nothing does, or when it never became complete."""
    try:
        return msgspec.json.decode((_waiting(environment) / "plan.json").read_bytes(), type=Plan)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def put_in_place(environment: Environment, waiting: Plan) -> None:
    """Replace the files by those that wait. May be repeated should it have been interrupted."""
    known = places(environment)
    for number, name in enumerate(waiting.files):
        place = known[name]
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(place, (_waiting(environment) / str(number)).read_bytes())
    drop(environment)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
