"""Alarms about machines of the platform that say on the fabric what they must not, as the Management Node hears it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, connections

from rostra.fabric.bus import Bus
from rostra.fabric.refusals import ALARM, Refusals
from rostra.management.alarms.raising import Wanted, settle

logger = structlog.get_logger("rostra.management.alarms")


@contextlib.asynccontextmanager
async def refusals_noticed(bus: Bus) -> AsyncGenerator[None]:
    """Keep the alarms as it is while the context lasts; what an earlier run left up is lowered."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="refusals")
    loop = asyncio.get_running_loop()
    wanted: dict[str, Wanted] = {}

    def tell(member: str, details: str, up: bool) -> None:
        if up:
            wanted[member] = Wanted(ALARM, instance=member, details=details)
        else:
            wanted.pop(member, None)
        loop.run_in_executor(threads, _settle, list(wanted.values()))

    refusals = Refusals(tell)
    bus.on_refused(refusals.heard)
    try:
        await loop.run_in_executor(threads, _settle, [])
        yield
    finally:
        refusals.close()
        await asyncio.to_thread(threads.shutdown)


def _settle(wanted: list[Wanted]) -> None:
    try:
        settle([ALARM], wanted)
    except DatabaseError as problem:
        logger.warning("Alarms about the fabric cannot be kept now", problem=str(problem))
    finally:
        connections.close_all()
