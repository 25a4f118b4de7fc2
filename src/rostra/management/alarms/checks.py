"""Things to look at from time to time: each check says which alarms should be up, the rest of its kinds goes down."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import transaction

from rostra.management.alarms.catalogue import KINDS
from rostra.management.alarms.raising import Wanted, settle

logger = structlog.get_logger("rostra.management.alarms")

Look = Callable[[], Iterable[Wanted] | None]
"""Returns the alarms that should be up, or None when it cannot be said now: then all stay as they are."""
Told = Callable[[list[Wanted], list[Wanted]], None]
"""Told what was raised and what was lowered after a look, if anything was."""


@dataclasses.dataclass
class _Check:
    look: Look
    names: tuple[str, ...]
    every: float
    told: Told | None
    due: float = 0.0
    fails: bool = False


_checks: list[_Check] = []


def register(look: Look, *names: str, every: float = 60.0, told: Told | None = None) -> None:
    """Have `look` called in the Management Node's process every so many seconds, in a thread of its own.

    It may use the database and may block for a moment. `names`: the kinds of alarms it decides about, all of them.
    Raises KeyError for an unknown kind.
    """
    for name in names:
        KINDS[name]
    _checks[:] = [check for check in _checks if check.look is not look]
    _checks.append(_Check(look, names, every, told))


def run(now: float | None = None, *, everything: bool = False) -> None:
    """Run the checks that are due, or all of them. One that fails is logged and stops no other; it is tried again."""
    moment = time.monotonic() if now is None else now
    for check in tuple(_checks):
        if moment < check.due and not everything:
            continue
        check.due = moment + check.every
        try:
            _look(check)
        except Exception:
            if not check.fails:  # once is enough
                logger.exception("A check for alarms failed", check=check.look.__qualname__)
            check.fails = True
        else:
            check.fails = False


def _look(check: _Check) -> None:
    wanted = check.look()
    if wanted is None:
        return
    with transaction.atomic():
        raised, lowered = settle(check.names, wanted)
        if check.told is not None and (raised or lowered):
            check.told(raised, lowered)
