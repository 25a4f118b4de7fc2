"""This node, as its conferences know it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from rostra.domain.history import Event
from rostra.domain.ledger import Ledger
from rostra.fabric.peers import Connection
from rostra.media.pool import WorkerPool


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
    record: Callable[[Event], None] = _unrecorded
    now: Callable[[], float] = time.time
    """Unix seconds."""
    clock: Callable[[], float] = time.monotonic
