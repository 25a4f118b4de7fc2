"""Backups that were uploaded and opened, and wait for somebody to confirm that they are restored."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from pathlib import Path

from rostra.management.backups.manifest import Manifest

PATIENCE = 900.0
"""Seconds an uploaded backup waits."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """An uploaded backup. It is only in this process: its passphrase is not to be written anywhere."""

    file: Path
    passphrase: str = dataclasses.field(repr=False)
    manifest: Manifest
    account: str
    """Who uploaded it."""
    until: float


_waiting: dict[str, Pending] = {}
_lock = threading.Lock()


def keep(file: Path, passphrase: str, manifest: Manifest, account: str) -> str:
    """Have a backup wait in place of one that waited before; returns the word by which it is confirmed."""
    token = secrets.token_urlsafe(16)
    with _lock:
        _drop(list(_waiting))
        _waiting[token] = Pending(file, passphrase, manifest, account, time.monotonic() + PATIENCE)
    return token


def find(token: str, account: str) -> Pending | None:
    """The backup that `account` uploaded; None when it waited for too long."""
    with _lock:
        _drop([key for key, one in _waiting.items() if one.until < time.monotonic()])
        found = _waiting.get(token)
    return found if found is not None and found.account == account else None


def forget(token: str) -> None:
    """It was restored, or is not wanted any more."""
    with _lock:
        _drop([token])


def _drop(tokens: list[str]) -> None:
    for token in tokens:
        gone = _waiting.pop(token, None)
        if gone is not None:
            gone.file.unlink(missing_ok=True)
