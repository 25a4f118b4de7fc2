"""Work the Management Node does again and again, beside its server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from django.db import connections

logger = structlog.get_logger("rostra.management")


async def repeat(work: Callable[[], object], pause: float, complaint: str) -> None:
    """Do `work` in a thread every `pause` seconds until cancelled; a failure is logged as `complaint`, and tried again.

    Each time ends with its connections to the database closed.
    """

    def once() -> None:
        try:
            work()
        finally:
            connections.close_all()

    while True:
        try:
            await asyncio.to_thread(once)
        except Exception:
            logger.exception(complaint)
        await asyncio.sleep(pause)
