"""From the alias somebody dialled to the service it names, with a PIN dialled along (CONF-055…CONF-057)."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from rostra.domain.service import Service

FindAlias = Callable[[str], Service | None]
"""Exact, case-insensitive look-up of a configured alias."""

_DIALLED_PIN = re.compile(r"(?P<alias>[^@]+)\*\*(?P<pin>\d{3,20})(?P<domain>@.*)?")


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A service, and the PIN that was part of the dialled alias (None: there was none)."""

    service: Service
    pin: str | None = None


def resolve(dialled: str, find: FindAlias) -> Resolution | None:
    """What `dialled` names; None when nothing does. A configured alias always wins over a dialled PIN."""
    service = find(dialled)
    if service is not None:
        return Resolution(service=service)
    match = _DIALLED_PIN.fullmatch(dialled)
    if match is None:
        return None
    service = find(match["alias"] + (match["domain"] or ""))
    return Resolution(service=service, pin=match["pin"]) if service else None
