"""Where backups are kept, how many, and whether there is room for another one."""

from __future__ import annotations

import datetime
import hashlib
import shutil
import socket
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from rostra import release
from rostra.configuration.models import ManagementVM
from rostra.environment import Environment
from rostra.fabric import authority
from rostra.management.backups import archive, database, identity, manifest
from rostra.management.backups.archive import Progress, quiet
from rostra.management.backups.manifest import Kind, Manifest
from rostra.management.backups.models import SystemBackup

KEPT = 5
"""Newest files of each kind that stay (NODE-141)."""
_SPARE = 64 * 1024 * 1024
"""Bytes that have to be left on the disk beyond what a backup may take."""


class NoRoom(Exception):
    """The disk is too full for another backup."""


def environment() -> Environment:
    """Of this process."""
    return settings.ROSTRA


def directory() -> Path:
    """Where the files are."""
    found = environment().management_home / "backups"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path(filename: str) -> Path | None:
    """The file of that name; None when it is no name of a backup or not there."""
    file = directory() / filename if manifest.understand(filename) else None
    return file if file is not None and file.is_file() else None


def describe(kind: Kind) -> Manifest:
    """The manifest of a backup made now."""
    own = environment()
    row = ManagementVM.objects.filter(pk=1).first()
    return Manifest(
        format=manifest.FORMAT,
        kind=kind,
        version=release.VERSION,
        build=release.build(),
        created=timezone.now().replace(microsecond=0),
        hostname=(row.hostname if row is not None else "") or socket.gethostname().partition(".")[0],
        management_address=own.own_address,
        platform=authority.prepare(own).platform,
        tables=database.layout(),
    )


def create(passphrase: str, kind: Kind = "manual", progress: Progress = quiet) -> SystemBackup:
    """Make a backup, and let the oldest ones of its kind go. Raises NoRoom, and OSError."""
    own = environment()
    check_room(own)
    described = describe(kind)
    file = directory() / manifest.filename(described)
    while file.exists():  # another one within this second
        described = _later(described)
        file = directory() / manifest.filename(described)
    archive.write(file, passphrase, described, identity.read(own), progress)
    row = _row(file)
    for name in manifest.surplus([one.name for one in directory().iterdir()], KEPT):
        SystemBackup.objects.filter(filename=name).delete()
        (directory() / name).unlink(missing_ok=True)
    return row


def _later(described: Manifest) -> Manifest:
    return msgspec.structs.replace(described, created=described.created + datetime.timedelta(seconds=1))


def check_room(own: Environment) -> None:
    """Is there room for a backup? At worst it is as large as the database. Raises NoRoom."""
    present = [own.management_home / "management.db", *directory().iterdir()]
    likely = max((file.stat().st_size for file in present if file.is_file()), default=0)
    free = shutil.disk_usage(directory()).free
    if free < likely + _SPARE:
        raise NoRoom(
            gettext(
                "The disk of the Management Node is too full: a backup may take %(spare)s MB, and %(free)s MB are free."
            )
            % {"spare": likely + _SPARE >> 20, "free": free >> 20}
        )


def synchronise() -> None:
    """Have the list say what files there are; call at start."""
    files = {file.name: file for file in directory().iterdir()}
    for file in files.values():
        if file.suffix == ".part":
            file.unlink()
    known = set(SystemBackup.objects.values_list("filename", flat=True))
    SystemBackup.objects.filter(filename__in=known - set(files)).delete()
    for name in set(files) - known:
        if path(name):
            _row(files[name])


def forget_file(instance: Any, **_: Any) -> None:
    """The row was deleted."""
    file = path(instance.filename)
    if file is not None:
        file.unlink(missing_ok=True)


def _row(file: Path) -> SystemBackup:
    named = manifest.understand(file.name)
    if named is None:
        raise ValueError(file.name)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    values = {
        "date": named.created,
        "version": named.version,
        "build": named.build,
        "size": file.stat().st_size,
        "type": named.kind,
        "sha256sum": digest.hexdigest(),
    }
    row, _ = SystemBackup.objects.update_or_create(filename=file.name, defaults=values)
    return row
