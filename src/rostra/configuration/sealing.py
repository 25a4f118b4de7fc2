"""Secrets at rest: sealed with the platform's key, so that a copied database gives nothing away.

A sealed value is text: `$~!1`, then base64 of nonce and ciphertext (AES-256-GCM). It is bound to the column it was
made for: put into another one it does not open, so nobody who may read one setting can have the platform send its
secret somewhere else. Clients see this form, and may write it back, which leaves the secret as it is.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "$~!1"
KEY_BYTES = 32
_NONCE_BYTES = 12


class Locked(Exception):
    """The platform's key is not known here (yet), or is not the one that sealed this value."""


class _Ring:
    key: bytes | None = None


def key_file(home: Path) -> Path:
    """Where a process with this home keeps the platform's key."""
    return home / "platform.key"


def make_key(file: Path) -> bytes:
    """The key in `file`; a new one on first use, readable by us only."""
    if not file.exists():
        keep_key(file, secrets.token_bytes(KEY_BYTES))
    return base64.b64decode(file.read_text())


def keep_key(file: Path, key: bytes) -> None:
    """Write `key` to `file`, whole or not at all."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(base64.b64encode(key).decode())
    fresh.replace(file)


def unlock(key: bytes | None) -> None:
    """Use `key` from now on; None forgets it. Raises ValueError for one of another size."""
    if key is not None and len(key) != KEY_BYTES:
        raise ValueError(f"a platform key has {KEY_BYTES} bytes")
    _Ring.key = key


def platform_key() -> bytes:
    """The key in use. Raises Locked when there is none."""
    if _Ring.key is None:
        raise Locked("the platform's key is not known")
    return _Ring.key


def seal(column: str, plain: str) -> str:
    """The sealed form of `plain` for `column` (`table.column`); nothing stays nothing. Raises Locked."""
    if not plain:
        return plain
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(platform_key()).encrypt(nonce, plain.encode(), column.encode())
    return PREFIX + base64.b64encode(nonce + sealed).decode()


def unseal(column: str, sealed: str) -> str:
    """The secret in a value that `seal` made for the same `column`. Raises Locked for any other."""
    if not sealed:
        return sealed
    try:
        raw = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
        return AESGCM(platform_key()).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], column.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError):
        raise Locked(f"the value of {column} was sealed with another key or for another field") from None


def is_sealed(value: str) -> bool:
    """Does `value` claim to be sealed?"""
    return value.startswith(PREFIX)
