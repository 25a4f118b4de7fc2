"""Sixteen clients write at once: nothing is lost, nothing doubled, and nodes have the same."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections

from rostra.configuration import journal, sealing
from rostra.environment import Environment
from rostra.management import settings
from tests import postgresql

from . import writers
from .conftest import use
from .processes import answer, running
from .replicas import Nodes

WRITERS = 16
SECONDS = 1.5


def _database(environment: Environment) -> dict[str, Any]:
    return settings.database(environment.database_url, environment.management_home / "management.db")


def own_state(environment: Environment) -> tuple[int, str]:
    """Position and checksum of the Management Node's database."""
    use(_database(environment))
    try:
        return journal.position(), journal.checksum()
    finally:
        connections["default"].close()


@pytest.fixture
def prepared_environment(prepared: Callable[[str], str], engine: str, fabric: Environment) -> Environment:
    """A Management Node that was started before: the first start takes its time."""
    template, home = prepared(engine), fabric.management_home
    home.mkdir(parents=True)
    sealing.keep_key(sealing.key_file(home), sealing.platform_key())
    environment = fabric
    if engine == "postgresql":
        url = postgresql.server().url(postgresql.server().create(template))
        environment = dataclasses.replace(fabric, database_url=url)
    else:
        shutil.copy(template, home / "management.db")
    use(_database(environment))
    password = PBKDF2PasswordHasher().encode("secret", "salt")  # tests have another way to keep it
    get_user_model().objects.update(password=password)
    connections["default"].close()
    return environment


@pytest.mark.every_database
async def test_sixteen_writers(prepared_environment: Environment, tmp_path: Path) -> None:
    """Some 6 s for each engine: a real Management Node, clients for 1.5 s, and two nodes."""
    environment = prepared_environment
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
