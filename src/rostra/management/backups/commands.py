"""The commands `platform/backup_create` and `platform/backup_restore` (sheet 10, 4)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.management import restart
from rostra.management.api import wire
from rostra.management.api.tables import uri
from rostra.management.audit import noting
from rostra.management.backups import jobs, keeping, restoring
from rostra.management.backups.archive import Archive, Damaged, DecryptionFailed, NotABackup, Progress, quiet
from rostra.management.commands import Command, Failed, Parameter

PERMISSION = "modify_administrators"
"""A backup holds every secret of the platform, and restoring one replaces every account: who may do that could give
himself everything.
"""
LONGEST = 1000
"""Characters of a passphrase."""
_PIECE = 1024 * 1024

DECRYPTION_FAILED = "Decryption Error: decryption failed"


def check_passphrase(passphrase: str) -> str:
    """Raises ValidationError for one that could not be typed again."""
    if len(passphrase) > LONGEST:
        raise ValidationError({"passphrase": [gettext("At most %(longest)s characters.") % {"longest": LONGEST}]})
    if not passphrase.isprintable():
        raise ValidationError({"passphrase": [gettext("Use printable characters only.")]})
    return passphrase


def address(filename: str) -> str:
    """Where a backup is downloaded."""
    return f"{wire.BASE}system_backup/{filename}/"


def make(passphrase: str, progress: Progress = quiet) -> str:
    """Make a backup by hand; returns its file's name. Call within `jobs.alone`."""
    row = keeping.create(passphrase, "manual", progress)
    noting.note_person("Created system backup", details={"Filename": row.filename, "Size": row.size})
    return row.filename


def _create(values: Mapping[str, Any]) -> dict[str, str]:
    passphrase = check_passphrase(values["passphrase"])
    if values.get("request"):
        asked = jobs.begin(lambda progress: address(make(passphrase, progress)))
        return {"resource_uri": uri("status", "backup_request", asked.id)}
    try:
        with jobs.alone():
            return {"resource_uri": address(make(passphrase))}
    except (jobs.Busy, keeping.NoRoom, OSError) as problem:
        raise Failed(str(problem)) from None


def take_in(package: Any) -> Path:
    """Keep an uploaded file until it was dealt with; the caller deletes it."""
    descriptor, name = tempfile.mkstemp(dir=keeping.environment().management_home / "uploads", suffix=".backup")
    with os.fdopen(descriptor, "wb") as file:
        _copy(package, file)
    return Path(name)


def _copy(package: Any, file: BinaryIO) -> None:
    file.writelines(package.chunks(_PIECE))


def bring_back(file: Path, passphrase: str, progress: Progress = quiet) -> None:
    """Restore the backup in `file`, and have what runs start again. Raises Failed, and then nothing has changed."""
    try:
        with jobs.alone():
            another = restoring.restore(keeping.environment(), Archive(file, passphrase), progress)
    except (DecryptionFailed, Damaged, NotABackup, jobs.Busy, OSError) as problem:
        reason = _reason(problem)
        noting.note_person("System restore failed", details={"Reason": reason}, level="ERROR")
        raise Failed(reason) from None
    noting.note_person("Restored system backup")
    restart.request(whole_machine=another)


def _reason(problem: Exception) -> str:
    if isinstance(problem, DecryptionFailed):
        return DECRYPTION_FAILED
    return f"This backup is damaged: {problem}." if isinstance(problem, Damaged) else str(problem)


def _restore(values: Mapping[str, Any]) -> None:
    file = take_in(values["package"])
    try:
        bring_back(file, values["passphrase"])
    except Failed as problem:
        raise Failed(
            gettext("Failed to restore the system from the backup file. %(problem)s") % {"problem": problem}
        ) from None
    finally:
        file.unlink(missing_ok=True)


COMMANDS = (
    Command(
        scope="platform",
        name="backup_create",
        summary="Make a backup of the whole configuration, encrypted with a passphrase.",
        parameters=(
            Parameter("passphrase", "string", "Encrypts the backup; without it nobody can restore it."),
            Parameter("request", "boolean", "Do not wait: answer with a backup_request of the status.", required=False),
        ),
        run=_create,
        permission=PERMISSION,
    ),
    Command(
        scope="platform",
        name="backup_restore",
        summary="Replace the whole configuration by that of a backup of the same version; then the Management Node"
        " starts again.",
        parameters=(
            Parameter("package", "file", "The backup."),
            Parameter("passphrase", "string", "With which it was made."),
        ),
        run=_restore,
        permission=PERMISSION,
    ),
)
