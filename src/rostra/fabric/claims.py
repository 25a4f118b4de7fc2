"""Two machines with one identity (a copied disk): whoever hears both tells the later one to leave (NODE-006).

The two have no link to each other, because a NATS server does not link to its own name, so a third has to judge. A
node that was restarted is not taken for a second one: its earlier run is not heard again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from rostra.fabric import subjects
from rostra.fabric.bus import Bus
from rostra.fabric.speaking import speaks_for

logger = structlog.get_logger("rostra.fabric.claims")

INTERVAL = 1.0
"""Seconds between two claims of a node."""
_FORGOTTEN = 10.0
"""Seconds after which a run that is not heard any more counts for nothing."""


class Claim(msgspec.Struct, frozen=True):
    """A running process says that it is this node."""

    node: str
    boot: str
    age: float
    """Seconds it has run: clocks differ, this does not."""


class Verdict(msgspec.Struct, frozen=True):
    """The run `boot` of a node has to end."""

    boot: str


CLAIMS = subjects.CLAIM.pattern


def claim_subject(node: str) -> str:
    return subjects.CLAIM.of(node)


def verdict_subject(node: str) -> str:
    return subjects.LEAVE.of(node)


class Claims:
    """Judges what is heard; time, in seconds, is an argument."""

    def __init__(self) -> None:
        self._heard: dict[str, dict[str, tuple[float, float]]] = {}
        self._last: dict[str, str] = {}

    def heard(self, claim: Claim, now: float) -> str | None:
        """The run that has to leave; None while there is no second one.

        Two runs live at once when the earlier one speaks again after the later one has spoken.
        """
        present = self._heard.get(claim.node, {})
        runs = {boot: entry for boot, entry in present.items() if now - entry[1] < _FORGOTTEN}
        last = self._last.get(claim.node)
        again = claim.boot in runs and last != claim.boot and last in runs
        runs[claim.boot] = (now - claim.age, now)
        self._heard[claim.node] = runs
        self._last[claim.node] = claim.boot
        if not again or last is None:
            return None
        return max((runs[boot][0], boot) for boot in (claim.boot, last))[1]


async def judge(bus: Bus) -> Callable[[], Awaitable[None]]:
    """Judge all claims on the fabric from now on; returns the way to stop."""
    claims = Claims()

    async def hear(_subject: str, payload: bytes) -> None:
        claim: Claim = msgspec.json.decode(payload, type=Claim)
        boot = claims.heard(claim, time.monotonic()) if speaks_for(claim.node) else None
        if boot is not None:
            logger.error(
                "Two machines run with the identity of one node; the later one is told to leave", node=claim.node
            )
            await bus.publish(verdict_subject(claim.node), msgspec.json.encode(Verdict(boot)))

    stop: Any = await bus.subscribe(CLAIMS, hear)
    return stop
