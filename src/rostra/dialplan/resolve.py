"""From the alias somebody dialled to the service it names, with what was dialled along (CONF-001 ff., CONF-055 ff.).

Dialled along with `**` (over H.323 also `#`) is the PIN of a conference or, for a Virtual Reception, where to go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol

FindAlias = Callable[[str], Service | None]
"""Exact, case-insensitive look-up of a configured alias."""

RECEPTION = "two_stage_dialing"
_MARKS = {
    CallProtocol.SIP: ("**",),
    CallProtocol.MSSIP: ("**",),
    CallProtocol.H323: ("**", "#"),
}
"""Who may dial something along, after what."""
_SCHEME = re.compile(r"(?:sips?|h323):", re.IGNORECASE)
_ADDRESS = re.compile(r"@(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d+)?\Z", re.IGNORECASE)
_PIN = re.compile(r"\d{3,20}", re.ASCII)


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A service, and what was dialled along (None: nothing)."""

    service: Service
    pin: str | None = None
    extension: str | None = None
    """Of a Virtual Reception: the number to go on to."""


def resolve(dialled: str, find: FindAlias, protocol: CallProtocol = CallProtocol.SIP) -> Resolution | None:
    """What `dialled` names; None when nothing does. A configured alias always wins over something dialled along."""
    for alias in _spellings(dialled):
        service = find(alias)
        if service is not None:
            return Resolution(service=service)
    for alias in _spellings(dialled):
        user, at, domain = alias.partition("@")
        for mark in _MARKS.get(protocol, ()):
            name, marked, along = user.partition(mark)
            service = find(f"{name}{at}{domain}") if name and marked and along else None
            if service is None:
                continue
            if service.description.service_type == RECEPTION:
                return Resolution(service=service, extension=along)
            if _PIN.fullmatch(along):
                return Resolution(service=service, pin=along)
    return None


def _spellings(dialled: str) -> Iterator[str]:
    """As dialled, then without scheme, then without an IP address (CONF-002, CONF-003)."""
    plain = _SCHEME.sub("", dialled, count=1) if _SCHEME.match(dialled) else dialled
    return iter(dict.fromkeys((dialled, plain, _ADDRESS.sub("", plain))))
