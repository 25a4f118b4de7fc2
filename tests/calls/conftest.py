"""A node, or several, on a media pool without media."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.calls.fakes import FakePool
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES

from rostra.calls.exchange import Exchange


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
async def exchange(pool: FakePool) -> AsyncIterator[Exchange]:
    node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower()), pool=pool).start()
    yield node.exchange
    await node.exchange.close()
