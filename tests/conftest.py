"""Fixtures every test may use."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest

from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from tests import fuzzing, postgresql
from tests.ports import free_port

# a busy machine is no fault of what is tested
hypothesis.settings.register_profile(
    "rostra", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # fmt: skip
hypothesis.settings.load_profile("rostra")
hypothesis.settings.register_profile(
    fuzzing.PROFILE, max_examples=10_000, deadline=None, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment of its own: home in a temporary directory, free ports."""
    return dataclasses.replace(
        Environment(),
        home=tmp_path,
        node_https_port=free_port(),
        management_https_port=free_port(),
        sip_port=free_port(),
        sip_tls_port=free_port(),
        h323_port=free_port(),
        nats_port=free_port(),
        fabric_port=free_port(),
        bootstrap_port=free_port(),
        address="127.0.0.1",
        database_url=postgresql.environment_url(),
    )


@pytest.fixture
async def fabric(environment: Environment) -> AsyncIterator[Environment]:
    """The environment with its own NATS server running."""
    process = await server.start(environment)
    try:
        yield environment
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


@pytest.fixture
async def bus(fabric: Environment) -> AsyncIterator[Bus]:
    """A connection to a NATS server of the test's own."""
    connection = await Bus.join(fabric, name="test")
    yield connection
    await connection.close()
