"""Keeps the NATS server of this machine open for exactly the members of the fabric."""

from __future__ import annotations

import asyncio

import structlog
from django.db import connections

from rostra.configuration import orm
from rostra.configuration.changes import Changes
from rostra.configuration.models import FabricMember
from rostra.environment import Environment
from rostra.fabric import server
from rostra.management import enrolment

logger = structlog.get_logger("rostra.management.gate")

FAREWELL = 0.2
"""Seconds between telling the nodes of a change and acting on it, so that a deleted one hears that it is."""


class Gate:
    """Follows the published changes. Everything is called in the event loop."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._table = orm.meta(FabricMember).db_table
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._due.set()
        self._task = asyncio.create_task(self._run(), name="fabric gate")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def changed(self, changes: Changes) -> None:
        if any(change.table == self._table for change in changes.changes):
            self._due.set()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            await asyncio.sleep(FAREWELL)
            try:
                await asyncio.to_thread(self._update)
            except Exception:
                logger.exception("The members of the fabric could not be updated; trying again")
                await asyncio.sleep(1)
                self._due.set()

    def _update(self) -> None:
        try:
            server.update(self._environment, enrolment.members())
        finally:
            connections.close_all()
