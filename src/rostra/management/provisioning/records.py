"""A record of a directory as patterns see it (pure; SVC-139…SVC-143, SVC-171)."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence

STANDARD = (
    *("company", "department", "displayName", "employeeID", "givenName", "mail", "mailNickname", "mobile"),
    *("objectGUID", "sAMAccountName", "sn", "telephoneNumber", "title", "userPrincipalName"),
)
"""Attributes that every pattern can use, by their own names."""
BINARY = frozenset({"objectGUID"})
ACCOUNT = "userAccountControl"
"""Attribute of Active Directory that says whether an account is disabled."""
_DISABLED = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """An attribute and the variable that carries it."""

    attribute: str
    variable: str
    binary: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """Somebody, or something, in the directory."""

    dn: str
    values: Mapping[str, str | None]
    """By variable."""
    enabled: bool = True


def fields(custom: Iterable[Field]) -> list[Field]:
    """The standard fields and those that administrators added, who may give a standard name another meaning."""
    found = {name: Field(name, name, name in BINARY) for name in STANDARD}
    return list((found | {field.variable: field for field in custom}).values())


def attributes(known: Iterable[Field]) -> list[str]:
    """Names to ask the directory for."""
    return list(dict.fromkeys([*(field.attribute for field in known), ACCOUNT, "objectClass"]))


def record(dn: str, raw: Mapping[str, Sequence[bytes]], known: Iterable[Field]) -> Record:
    """What an entry says; of several values the first. Names are matched with case, but for the standard ones."""
    folded = {name.casefold(): values for name, values in raw.items()}
    values: dict[str, str | None] = {}
    for field in known:
        standard = field.attribute in STANDARD
        found = folded.get(field.attribute.casefold(), ()) if standard else raw.get(field.attribute, ())
        values[field.variable] = _text(found[0], binary=field.binary) if found else None
    return Record(dn, values, not _is_disabled(folded.get(ACCOUNT.casefold(), ())))


def _text(value: bytes, *, binary: bool) -> str | None:
    if not binary:
        return value.decode(errors="replace").replace("\0", "").strip() or None
    return str(uuid.UUID(bytes_le=value)) if len(value) == 16 else value.hex()


def _is_disabled(values: Sequence[bytes]) -> bool:
    text = values[0].decode(errors="replace").strip() if values else ""
    return text.isdecimal() and bool(int(text) & _DISABLED)


def object_classes(raw: Mapping[str, Sequence[bytes]]) -> set[str]:
    """Classes of an entry in lower case."""
    return {
        value.decode(errors="replace").lower()
        for name, values in raw.items()
        if name.casefold() == "objectclass"
        for value in values
    }
