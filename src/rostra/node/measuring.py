"""How large this node is: measured when it starts, anew when that was disturbed or an administrator asks (PLAT-077).

What a call costs is measured with the engine itself, so nothing is measured while calls are on: they would pay for it,
and their work would be taken for somebody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from rostra.domain.capacity import CallClass
from rostra.domain.ledger import Ledger
from rostra.fabric import status
from rostra.media.selfcheck import Checked, measure, usable_cores

logger = structlog.get_logger("rostra.node")

PAUSES = (20.0, 60.0, 180.0, 600.0)
"""Seconds before a check is repeated because the machine was busy with other work."""
Measure = Callable[[float], Awaitable[Checked]]


class CapacityCheck:
    """Of one node; what it finds goes to the ledger."""

    def __init__(self, stated: int, ledger: Ledger, measure: Measure = measure) -> None:
        """`stated`: HD calls, as the environment says; 0: measure."""
        self._stated = stated
        self._ledger = ledger
        self._measure = measure
        self._at_work = asyncio.Lock()
        self.latest: Checked | None = None
        """The check that counts; None: it has not been measured yet, or it is stated."""

    async def run(self) -> None:
        """Find out at the start; again while the machine was busy, but only so often."""
        if self._stated:
            self._ledger.capacity = self._stated * CallClass.HD
            logger.info("Capacity of this node is as stated", hd=self._stated)
            return
        await self._check()
        for pause in PAUSES:
            if self.latest is None or not self.latest.crowded:
                return
            logger.warning("Capacity was measured on a busy machine", again=pause)
            await asyncio.sleep(pause)
            if self._ledger.idle:
                await self._check()

    async def asked(self) -> status.Capacity | status.Refused:
        """Measure now, because an administrator says so."""
        if not self._ledger.idle:
            return status.Refused(reason="calls are on; measuring would disturb them, and they the measurement")
        found = await self._check(asked=True)
        if self._stated:
            logger.warning("Capacity was measured, but another is stated", stated=self._stated)
        return msgspec.structs.replace(reply(found), stated=self._stated)

    async def _check(self, *, asked: bool = False) -> Checked:
        async with self._at_work:
            found = await self._measure(usable_cores())
            if not self._stated and (asked or counts(self.latest, found)):
                self.latest = found
                self._ledger.measured(found.figures)
        logger.info("Capacity of this node", hd=found.figures.hd, sd=found.figures.sd, audio=found.figures.audio,
                    full_hd=found.figures.full_hd, busy=found.crowded)  # fmt: skip
        return found


def reply(found: Checked) -> status.Capacity:
    """A check as it is told to others."""
    costs = msgspec.structs.asdict(found.costs) if found.costs else {}
    costs.pop("waited", None)
    calls = msgspec.structs.asdict(found.figures)
    return status.Capacity(cores=found.cores, costs=costs, crowded=found.crowded, **calls)


def counts(before: Checked | None, now: Checked) -> bool:
    """Is a check better than the one before? An undisturbed one always is, of two others the one that found more."""
    if before is None or not now.crowded:
        return now.costs is not None or before is None
    return before.crowded and now.figures.hd > before.figures.hd
