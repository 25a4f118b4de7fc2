"""This node, as its conferences know it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Awaitable, Callable

from rostra import themefiles
from rostra.domain.abuse import Shield
from rostra.domain.gateway import Onward
from rostra.domain.history import Event
from rostra.domain.ice import NO_SERVERS, IceServers
from rostra.domain.ledger import Ledger
from rostra.fabric.peers import Connection
from rostra.media.pool import WorkerPool


async def _base_only(_themes: tuple[str, ...]) -> tuple[str, ...]:
    return (str(themefiles.BASE),)


def _unrecorded(_event: Event) -> None:
    """Where nobody keeps a history."""


@dataclasses.dataclass(frozen=True, slots=True)
class Here:
    """What a conference needs of the node it is on."""

    node: str
    """Id on the fabric."""
    boot: str
    """This run of the node's process."""
    bus: Connection
    pool: WorkerPool
    ledger: Ledger
    address: str = "127.0.0.1"
    """Where other nodes send media."""
    location: Callable[[], int] = lambda: 0
    themes: Callable[[tuple[str, ...]], Awaitable[tuple[str, ...]]] = _base_only
    """The directories of themes (`ServiceDescription.themes`), with that of the base theme at the end."""
    record: Callable[[Event], None] = _unrecorded
    ice: Callable[[Onward | None], IceServers] = lambda _: NO_SERVERS
    """STUN and TURN servers as configured, for media of a gateway call or of others."""
    shield: Shield = dataclasses.field(default_factory=Shield)
    """What it remembers of those who guess."""
    now: Callable[[], float] = time.time
    """Unix seconds."""
    clock: Callable[[], float] = time.monotonic
