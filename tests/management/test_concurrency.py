"""Sixteen clients write at once: nothing is lost, nothing doubled, and nodes have the same."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections

from rostra.configuration import journal
from rostra.environment import Environment, Secret
from rostra.management import settings
from tests import postgresql

from . import writers
from .conftest import use
from .replicas import Nodes
from .test_server import answer, running

WRITERS = 16
SECONDS = 3.0


def own_state(environment: Environment) -> tuple[int, str]:
    """Position and checksum of the Management Node's database."""
    use(settings.database(environment.database_url, environment.management_home / "management.db"))
    try:
        return journal.position(), journal.checksum()
    finally:
        connections["default"].close()


@pytest.mark.every_database
async def test_sixteen_writers(engine: str, fabric: Environment, tmp_path: Path) -> None:
    """Some 8 s for each engine: a real Management Node, clients for 3 s, and two nodes."""
    url = postgresql.server().url(postgresql.server().create()) if engine == "postgresql" else ""
    environment = dataclasses.replace(fabric, admin_password=Secret("secret"), database_url=url)
    async with running(environment) as (_, client):
        client.auth, client.timeout = httpx.BasicAuth("admin", "secret"), httpx.Timeout(60)
        await answer(client, "/healthz", 200)
        async with Nodes(environment, tmp_path / "nodes", 2) as nodes:
            await nodes.every("synchronised")
            book = await writers.write(client, WRITERS, SECONDS)
            assert book.rooms, book.answers
            assert await writers.found(client) == book.rooms
            position, checksum = await asyncio.to_thread(own_state, environment)
            assert await nodes.checksums(position) == {checksum}
    answers: Any = book.answers
    assert not [status for _, status in answers if status >= 500 and status not in writers.AGAIN], answers
