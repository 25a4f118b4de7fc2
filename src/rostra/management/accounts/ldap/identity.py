"""Who an entry of a directory is, whatever it is called today. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from rostra.management.accounts.ldap import names

ATTRIBUTES = ("entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID", "GUID")
"""What directories give an entry once and for ever; each has its own."""


def of(dn: str, attributes: Mapping[str, Sequence[bytes]]) -> str:
    """At most 100 characters that no other entry has; from the DN where the directory gives nothing better."""
    there = {name.lower(): values[0] for name, values in attributes.items() if values}
    for name in ATTRIBUTES:
        if there.get(name.lower()):
            return _short(name.lower(), there[name.lower()])
    return _short("dn", names.normal(dn).encode())


def _short(kind: str, value: bytes) -> str:
    return f"{kind}:{hashlib.sha256(value).hexdigest()}"
