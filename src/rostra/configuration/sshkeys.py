"""Public keys of SSH: lines of an `authorized_keys` file in three parts."""

from __future__ import annotations

import base64
import binascii

from rostra.configuration.vocabulary import SSH_KEY_TYPES


def problems(keytype: str, key: str, comment: str) -> dict[str, str]:
    """What keeps the three parts from being a line of `authorized_keys`, by part. Parts left empty pass."""
    found: dict[str, str] = {}
    if keytype and keytype not in SSH_KEY_TYPES:
        found["keytype"] = f"Use one of {', '.join(SSH_KEY_TYPES)}."
    elif keytype and key and _type_inside(key) != keytype:
        found["key"] = f"This is not the base64 part of a public key of type {keytype}."
    if not comment.isprintable():  # a line break would begin another key
        found["comment"] = "Use a single line of printable characters."
    return found


def _type_inside(key: str) -> str:
    """The type a key itself names (RFC 4253, 6.6); empty when it is none."""
    try:
        data = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return ""
    size = int.from_bytes(data[:4], "big")
    return data[4 : 4 + size].decode("latin-1") if len(data) > 4 + size else ""
