"""The status resource `licensing`: licences in use and in all (sheet 10, 3.1; SYS-200)."""

from __future__ import annotations

import time
from collections import Counter

from rostra.domain.licensing import LicenceKind, Pool, pool
from rostra.management import status_rows
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.licences import keeping, live
from rostra.management.status_view import view

UNLIMITED = 1_000_000
"""The total that clients read when calls are not counted."""
_FEATURES = ("customlayouts_active", "googletrustedjoin_active", "zoomtrustedjoin_active")
_OTHERS = {
    "ghm": "Google Meet",
    "otj": "One-Touch Join",
    "scheduling": "scheduling",
    "system": "system",
    "teams": "Teams",
    "telehealth": "telehealth",
    "vmr": "VMR",
}
"""Kinds that nothing of ours is counted by."""


def figures() -> tuple[Pool, dict[LicenceKind, int]]:
    """What is installed, and licences in use by kind."""
    desk, installed = live.desk(), pool(keeping.current(), time.time())
    if desk is not None and desk.pool.counted:
        return installed, dict(desk.used)
    counted = Counter(
        row["license_type"] for row in status_rows.participants(view(fresh=False)) if row["license_count"]
    )
    return installed, {kind: counted[str(kind)] for kind in LicenceKind}


def total(installed: Pool, kind: LicenceKind) -> int:
    """Purchased concurrent calls of a kind; without limiting licences ports have no end, and nothing else is needed."""
    if not installed.counted:
        return UNLIMITED if kind is LicenceKind.PORT else 0
    return installed.port if kind is LicenceKind.PORT else installed.audio


def _rows() -> list[Row]:
    installed, used = figures()
    row: dict[str, object] = {"id": 1, **dict.fromkeys(_FEATURES, False)}
    for name in _OTHERS:
        row |= {f"{name}_count": 0, f"{name}_total": 0}
    row |= {"system_count": 1, "system_total": 1, "vmr_total": UNLIMITED}
    for kind in LicenceKind:
        row |= {f"{kind}_count": used.get(kind, 0), f"{kind}_total": total(installed, kind)}
    return [row]


def _columns() -> tuple[Column, ...]:
    found = [Column(name, "boolean", "Not licensed separately.") for name in _FEATURES]
    for name, title in {**_OTHERS, "audio": "audio", "port": "port"}.items():
        found.append(Column(f"{name}_count", "integer", f"Licenses of the kind {title} in use."))
        found.append(Column(f"{name}_total", "integer", f"Licenses of the kind {title} in all."))
    return tuple(sorted(found, key=lambda one: one.name))


TABLE = Table(
    api="status",
    name="licensing",
    title="Licensing",
    summary="Licenses in use and in all.",
    columns=_columns(),
    source=MemorySource(_rows),
    addressed=False,
    shown=("port_count", "port_total", "audio_count", "audio_total"),
)
