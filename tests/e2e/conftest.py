from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, fresh_environment


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of the module's own, started with `rostra run`."""
    running = Platform(fresh_environment(tmp_path_factory.mktemp("platform"))).start()
    try:
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.logs()
