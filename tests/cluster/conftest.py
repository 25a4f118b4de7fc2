from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cluster import net
from tests.cluster.cluster import Cluster, cluster
from tests.e2e.baresip import colour_clip
from tests.e2e.people import launch


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Management Node on a network of the module's own; nodes are the module's business."""
    if reason := net.missing():
        pytest.skip(reason)
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")  # not longer: its event loop would be in the way of others
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="session")
def green_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a SIP system shows: small, green, and longer than any test, because it halts where the clip begins anew."""
    return colour_clip(tmp_path_factory.mktemp("clips") / "green.mp4", "0x00c800", size="320x180")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows what the nodes logged."""
    report = yield
    found = getattr(item, "funcargs", {}).get("platform")
    if report.failed and isinstance(found, Cluster):
        report.sections.append(("the platform", found.stories()))
    return report
