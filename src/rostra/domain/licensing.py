"""Whether a call may be placed by the platform's licence (PLAT-019, SYS-194). Pure."""

from __future__ import annotations

import msgspec

GRACE = 14 * 24 * 3600.0
"""Seconds for which calls are permitted without the Management Node, which alone counts licences."""


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform may do."""

    limit: int | None = None
    """Concurrent calls; None: as many as there are, and nothing to be counted."""


FREE = Licence()
"""The built-in one."""


def permitted(licence: Licence, silent: float) -> bool:
    """May a node take a call that has not heard of the Management Node for `silent` seconds?

    A licence with a limit is assumed to have room for the time of grace; one without needs nobody's word.
    """
    return licence.limit is None or silent < GRACE
