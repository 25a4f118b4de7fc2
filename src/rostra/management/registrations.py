"""Devices that are registered now, asked of the nodes that hold them (DIAG-052; sheet 10, `registration_alias`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rostra.domain.vocabulary import CallProtocol
from rostra.fabric.status import Registrations, RegistrationStatus, TellRegistrations
from rostra.management.directory import Directory, protocol
from rostra.management.status import platform
from rostra.management.status_rows import Row, moment

MOST = 200
"""Pages asked of one node: what it cannot fill is no answer of ours."""
_SCHEMES = {CallProtocol.SIP.value: "sip:", CallProtocol.H323.value: "h323:"}


def rows() -> list[Row]:
    """Every registration of the platform."""
    seen = platform().heard() or {}
    holding = [node for node, one in seen.items() if one.alive and one.report.registrations]
    directory = Directory.load()
    return [_row(directory, node, one) for node, one in sorted(_told(holding), key=lambda told: told[1].id)]


def _told(nodes: Iterable[str]) -> Iterator[tuple[str, RegistrationStatus]]:
    """Page by page, of all nodes at once."""
    after = dict.fromkeys(nodes, "")
    for _ in range(MOST):
        more: dict[str, str] = {}
        for start in sorted(set(after.values())):
            asked = [node for node, came in after.items() if came == start]
            for node, told in platform().tell(asked, TellRegistrations(after=start)).items():
                if not isinstance(told, Registrations):
                    continue
                yield from ((node, one) for one in told.rows)
                if told.more and told.rows:
                    more[node] = told.rows[-1].id
        if not more:
            return
        after = more


def with_scheme(alias: str, kind: str) -> str:
    """An alias as administrators read it (DIAG-052)."""
    scheme = _SCHEMES.get(kind, "")
    return alias if alias.lower().startswith(scheme) else f"{scheme}{alias}"


def _row(directory: Directory, node: str, one: RegistrationStatus) -> dict[str, Any]:
    return {
        "alias": with_scheme(one.alias, one.protocol),
        "id": _number(one.id),
        "is_natted": one.is_natted,
        "node": directory.address(node),
        "protocol": protocol(one.protocol),
        "push_token": "",
        "registration_id": one.id,
        "remote_address": one.remote_address,
        "start_time": moment(one.start_time),
        "username": one.username,
        "vendor": one.vendor,
    }


def _number(registration: str) -> int:
    """The key of a row is a number: that of the first half of the UUID, as far as JavaScript can count."""
    digits = registration.replace("-", "")[:13]
    try:
        return int(digits, 16)
    except ValueError:
        return 0
