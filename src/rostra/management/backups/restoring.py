"""A backup becomes the configuration: everything or nothing.

The database is replaced in one transaction, which also notes a token. Files wait with the same token and are put in
place after it; should that be interrupted, the next start compares the tokens and finishes, or forgets the files.
"""

from __future__ import annotations

import base64
import binascii
import secrets

import structlog
from django.db import DatabaseError, transaction

from rostra import release
from rostra.configuration import sealing
from rostra.configuration.journal import Mark
from rostra.environment import Environment
from rostra.fabric.authority import Authority
from rostra.management.backups import database, identity
from rostra.management.backups.archive import Archive, Damaged, NotABackup, Progress, quiet
from rostra.management.backups.manifest import Manifest

logger = structlog.get_logger("rostra.management.backups")

_MARK = "restored"


def check(manifest: Manifest) -> None:
    """Was the backup written by this very software? Raises NotABackup (NODE-153)."""
    theirs, ours = (manifest.version, manifest.build), (release.VERSION, release.build())
    if theirs != ours:
        raise NotABackup(
            f"This backup was made by version {theirs[0]} (build {theirs[1]}), and this is version {ours[0]}"
            f" (build {ours[1]}). They have to be the same."
        )
    if manifest.tables != database.layout():
        raise NotABackup("This backup was made by another build of this version; its tables are not the same.")


def restore(environment: Environment, archive: Archive, progress: Progress = quiet) -> bool:
    """Replace everything by what is in `archive`. Raises NotABackup or Damaged, and then nothing has changed.

    True: the platform is another one now, so that all of this machine has to start again; False: it is enough that
    the Management Node does. The caller sees to it, and does not write to the database any more.
    """
    check(archive.manifest)
    files = {name: content for name, content in archive.files().items() if name in identity.places(environment)}
    other = _is_another(environment, files)
    token = secrets.token_hex(16)
    identity.stage(environment, token, files)
    try:
        with transaction.atomic():
            with database.replaced():
                _fill(archive, progress)
            Mark.objects.update_or_create(name=_MARK, defaults={"value": token})
    except DatabaseError as problem:
        identity.drop(environment)
        raise Damaged(f"its rows do not fit together ({type(problem).__name__})") from problem
    except BaseException:
        identity.drop(environment)
        raise
    finish(environment)
    logger.info("Backup restored", made=archive.manifest.created.isoformat(), version=archive.manifest.version)
    return other


def _is_another(environment: Environment, files: dict[str, bytes]) -> bool:
    """Do the files belong to another platform than the present ones? Raises NotABackup when they are unusable."""
    try:
        Authority(files["ca/ca.pem"], files["ca/ca.key"])
        if len(base64.b64decode(files["platform.key"], validate=True)) != sealing.KEY_BYTES:
            raise ValueError("platform.key")
    except (ValueError, binascii.Error):
        raise NotABackup("This backup is damaged: its keys cannot be used.") from None
    present = identity.read(environment)
    return any(present.get(name) != files.get(name) for name in ("ca/ca.pem", "fabric/key.pem"))


def _fill(archive: Archive, progress: Progress) -> None:
    missing = database.tables()
    total = len(missing)
    for name, lines in archive.tables():
        model = missing.pop(name, None)
        if model is None:
            raise NotABackup(f"This backup is damaged: it holds the table {name} twice, or should not hold it.")
        progress(name, total - len(missing) - 1, total)
        database.fill(model, lines)
    if missing:
        raise NotABackup(f"This backup is damaged: the table {min(missing)} is missing.")


def finish(environment: Environment) -> None:
    """Put files in place that a restore left waiting; call at every start, once the database can be read."""
    waiting = identity.plan(environment)
    if waiting is None:
        return identity.drop(environment)
    mark = Mark.objects.filter(name=_MARK).first()
    if mark is not None and mark.value == waiting.token:
        identity.put_in_place(environment, waiting)
        sealing.unlock(sealing.make_key(sealing.key_file(environment.management_home)))
    return identity.drop(environment)
