from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.platform import Platform, fresh_environment


@contextmanager
def _running(home: Path) -> Generator[Platform]:
    """Started with `rostra run`."""
    running = Platform(fresh_environment(home)).start()
    try:
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.logs()


@pytest.fixture(autouse=True)
def nobody_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """What fails in the middle of a meeting leaves nobody behind in the next test's."""
    yield
    browser = getattr(request.node, "funcargs", {}).get("browser")
    if isinstance(browser, Browser):
        for context in browser.contexts:
            context.close()


@pytest.fixture(scope="package")
def common_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """For modules that only add rooms of their own and leave nobody behind: their `platform` can be this one."""
    with _running(tmp_path_factory.mktemp("common")) as platform:
        yield platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of the module's own."""
    with _running(tmp_path_factory.mktemp("platform")) as platform:
        yield platform
