"""An exchange on a media pool without media."""

from __future__ import annotations

import pytest
from tests.calls.fakes import FakePool
from tests.calls.people import SERVICES

from rostra.calls.exchange import Exchange


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def exchange(pool: FakePool) -> Exchange:
    return Exchange("n1", pool, lambda alias: SERVICES.get(alias.lower()))  # type: ignore[arg-type]
