"""A PostgreSQL that goes away: people are told, and everything goes on by itself when it is back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connections
from django.test import Client

from rostra.configuration import journal
from rostra.configuration.changes import Changes
from rostra.fabric import subjects
from rostra.fabric.bus import Bus
from rostra.fabric.replication import Publisher
from tests import postgresql

from .conftest import BASE, Api


class Watched:
    """The journal; `failures` counts questions that the database did not answer."""

    def __init__(self) -> None:
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            try:
                return getattr(journal, name)(*arguments)
            except Exception:
                self.failures += 1
                raise

        return ask


async def until(met: Any) -> None:
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110 - a publisher has no event for it
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("engine", ["postgresql"])
async def test_the_platform_waits_for_its_database(bus: Bus, database: Path, engine: str) -> None:
    heard: list[Changes] = []
    source = Watched()

    async def listen(_subject: str, payload: bytes) -> None:
        heard.append(msgspec.json.decode(payload, type=Changes))

    def ask(method: str, path: str, body: Any = None) -> Any:
        try:
            return Api()(method, path, body)
        finally:
            connections.close_all()

    await bus.subscribe(subjects.CHANGES.pattern, listen)
    publisher = Publisher(bus, source)  # type: ignore[arg-type] - answers like one
    await publisher.start()
    try:
        await until(lambda: heard)
        await asyncio.to_thread(postgresql.server().pause)
        try:
            told = await asyncio.to_thread(ask, "GET", f"{BASE}conference/")
            page = await asyncio.to_thread(Client(raise_request_exception=False).get, "/admin/login/")
            await until(lambda: source.failures)
        finally:
            postgresql.server().resume()
        for answer in (told, page):
            assert (answer.status_code, answer["Retry-After"]) == (503, "5"), answer.content
            assert b"The database cannot be reached" in answer.content
        made = await asyncio.to_thread(ask, "POST", f"{BASE}conference/", {"name": "Afterwards"})
        assert made.status_code == 201, made.content
        await until(lambda: any(row.table == "configuration_conference" for one in heard for row in one.changes))
    finally:
        await publisher.stop()
