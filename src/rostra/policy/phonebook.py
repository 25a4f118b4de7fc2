"""What policy says of the phone book and of who may register (sections 8 and 9 of the sheet). Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from rostra.policy.checking import LONGEST, members
from rostra.policy.decisions import SUCCESS


class Entry(msgspec.Struct, frozen=True):
    """One of the phone book; member names are those of the client API."""

    alias: str
    description: str = ""
    username: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a server found."""

    entries: tuple[Entry, ...] = ()
    """Shown first, in this order."""
    ignore_local: bool = False
    """Aliases of the platform are left out (POL-070)."""


NOTHING = Listing()
"""Aliases of the platform only (POL-071)."""


def listing(answer: object, limit: int) -> Listing:
    """What is shown of an answer; of what is no entry, nothing (POL-072)."""
    given = members(answer)
    if given is None or given.get("status") != SUCCESS or not isinstance(given.get("result"), list):
        return NOTHING
    found: list[Entry] = []
    for one in cast("list[object]", given["result"]):
        fields = members(one)
        if fields is not None and (entry := _entry(fields)) is not None:
            found.append(entry)
    return Listing(entries=tuple(found[:limit]), ignore_local=given.get("ignore_local") is True)


def _entry(fields: Mapping[str, Any]) -> Entry | None:
    alias = fields.get("alias")
    if not isinstance(alias, str) or not alias or len(alias) > LONGEST:
        return None
    texts = [value if isinstance(value := fields.get(name), str) else "" for name in ("description", "username")]
    return Entry(alias, *(text[:LONGEST] for text in texts))


class Permission(enum.Enum):
    """What becomes of a registration."""

    OWN = enum.auto()
    """The configured devices decide."""
    OPEN = enum.auto()
    """Allowed, without a challenge."""
    CREDENTIALS = enum.auto()
    """Allowed to who knows these."""
    REFUSED = enum.auto()
    """Answered like an alias that nobody knows (POL-077)."""


class RegistrationVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Of one alias. Its password is for this registration's challenge only: never kept, never logged (POL-075)."""

    permission: Permission = Permission.OWN
    username: str = ""
    password: str = ""
    answered: bool = True
    """False: a server that is to be asked gave no answer that could be used, which says nothing of the alias."""

    def __repr__(self) -> str:
        return f"RegistrationVerdict({self.permission.name})"


OWN = RegistrationVerdict()


def registration(answer: object) -> RegistrationVerdict:
    """What an answer says of an alias (POL-074)."""
    given = members(answer)
    if given is None:
        return RegistrationVerdict(answered=False)
    if given.get("status") != SUCCESS:
        return OWN
    result = members(given.get("result")) or {}
    if not result:
        refused = given.get("action") == "reject"
        return RegistrationVerdict(permission=Permission.REFUSED) if refused else OWN
    username, password = result.get("username"), result.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or max(len(username), len(password)) > LONGEST:
        return OWN
    if not username and not password:
        return RegistrationVerdict(permission=Permission.OPEN)
    if not username or not password:
        return OWN
    return RegistrationVerdict(permission=Permission.CREDENTIALS, username=username, password=password)
