"""What a backup says of itself, inside and by its name."""

from __future__ import annotations

import datetime
import re
from typing import Literal

import msgspec

FORMAT = 1
"""Raised when backups are laid out in another way."""

Kind = Literal["manual", "automatic"]

_NAME = re.compile(
    r"rostra_(?P<auto>auto_)?backup_(?P<host>[A-Za-z0-9.-]+)_(?P<version>[A-Za-z0-9.+-]+)_(?P<build>[A-Za-z0-9.-]+)"
    r"_(?P<date>\d{2}-\d{2}-\d{2})_(?P<time>\d{2}-\d{2}-\d{2})\.tar\.gpg",
    re.ASCII,
)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first member of a backup."""

    format: int
    kind: Kind
    version: str
    build: str
    """Software that wrote it; only the same reads it (NODE-153)."""
    created: datetime.datetime
    hostname: str
    management_address: str
    """Which address of the Management Node it brings back (NODE-151)."""
    platform: str
    """Identity of the platform, see `fabric.authority`."""
    tables: dict[str, list[str]]
    """Columns of every table in it."""


class Named(msgspec.Struct, frozen=True):
    """What the name of a backup says."""

    kind: Kind
    hostname: str
    version: str
    build: str
    created: datetime.datetime


def filename(manifest: Manifest) -> str:
    """`rostra_backup_<hostname>_<version>_<build>_<date>_<time>.tar.gpg`, in UTC."""
    auto = "auto_" if manifest.kind == "automatic" else ""
    host = re.sub("[^A-Za-z0-9.-]", "-", manifest.hostname, flags=re.ASCII)[:100] or "rostra"
    moment = manifest.created.astimezone(datetime.UTC).strftime("%y-%m-%d_%H-%M-%S")
    return f"rostra_{auto}backup_{host}_{manifest.version}_{manifest.build}_{moment}.tar.gpg"


def understand(name: str) -> Named | None:
    """What a name says; None for that of no backup. A name that passes is no path."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        moment = datetime.datetime.strptime(f"{found['date']} {found['time']} +0000", "%y-%m-%d %H-%M-%S %z")
    except ValueError:
        return None
    kind: Kind = "automatic" if found["auto"] else "manual"
    return Named(kind, found["host"], found["version"], found["build"], moment)


def surplus(names: list[str], keep: int) -> list[str]:
    """Backups that go when the `keep` newest of each kind stay (NODE-141)."""
    found: list[str] = []
    for kind in ("manual", "automatic"):
        dated = [(named.created, name) for name in names if (named := understand(name)) and named.kind == kind]
        found += [name for _, name in sorted(dated, reverse=True)[keep:]]
    return found
