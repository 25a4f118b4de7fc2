"""Groups within groups, where the directory does not follow them by itself (SYS-066). Pure but for what is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import structlog

from rostra.management.accounts.ldap import names

logger = structlog.get_logger("support.ldap")

DEEPEST = 10
"""Steps from a person upwards."""
MOST = 1000
"""Groups of a person."""
AT_ONCE = 50
"""Members in one question."""

Holding = Callable[[Sequence[str]], Iterable[str]]
"""DNs of the groups that name one of these DNs, at most `AT_ONCE`, as a member."""


def walk(start: str, holding: Holding, *, seconds: float, now: Callable[[], float] = time.monotonic) -> list[str]:
    """Groups of `start`, those that these are in, and so on, the nearest first.

    Groups may contain each other. What lies beyond the limits is left out, and the log says so: fewer groups never
    allow more.
    """
    end = now() + seconds
    found: dict[str, str] = {}
    members = [start]
    for _step in range(DEEPEST):
        above: list[str] = []
        for place in range(0, len(members), AT_ONCE):
            if len(found) >= MOST or now() > end:
                logger.warning("Not all groups within groups were followed", user=start, groups=len(found))
                return list(found.values())[:MOST]
            for group in holding(members[place : place + AT_ONCE]):
                if names.normal(group) not in found:
                    found[names.normal(group)] = group
                    above.append(group)
        if not above:
            return list(found.values())
        members = above
    logger.warning("Groups within groups are deeper than they are followed", user=start, steps=DEEPEST)
    return list(found.values())[:MOST]
