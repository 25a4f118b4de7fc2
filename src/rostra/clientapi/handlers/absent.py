"""Functions whose rooms are not built yet, refused in the form clients know for it, and the node's status."""

from __future__ import annotations

from rostra.clientapi.asking import Asked
from rostra.clientapi.envelope import DISABLED, ApiProblem


async def disabled(asked: Asked) -> None:
    """403 with the reason clients show as `#pex127`."""
    raise ApiProblem(403, DISABLED)


async def status(asked: Asked) -> str:
    """For reverse proxies (API-144)."""
    if not asked.platform.switchboard.ready:
        raise ApiProblem(503, "Maintenance mode")
    return "OK"
