"""Live View in a browser: it follows the platform without redrawing what has not changed, and keys reach everything."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

from rostra.configuration.models import WorkerVM
from rostra.fabric.status import NodeStatus
from rostra.management.asgi import application
from tests.e2e.browser import ARGUMENTS, CHROMIUM
from tests.ports import free_port

from .test_status_pages import Made, fill, made, nodes

__all__ = ["made", "nodes"]


@pytest.fixture
def site(made: Made, nodes: list[WorkerVM], settings_without_tls: None) -> Iterator[str]:
    """The site over HTTP, with the made-up platform."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application(), host="127.0.0.1", port=port, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def settings_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "SESSION_COOKIE_SECURE", False)


@pytest.fixture
async def page(site: str, browser: Any) -> AsyncIterator[Page]:
    """Live View, as an administrator sees it; a fault in its scripts fails the test."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await chromium.new_context()
        await context.add_cookies([{"name": "sessionid", "value": browser.cookies["sessionid"].value, "url": site}])
        found = await context.new_page()
        found.on("pageerror", lambda problem: faults.append(str(problem)))
        await found.goto(f"{site}/admin/status/live/")
        await found.wait_for_selector(".lv-node")
        yield found
        await chromium.close()
    assert faults == []


_LAYOUT = """async () => {
    const drawing = await import('/static/rostra/live/layout.js');
    const line = { at: (along) => ({ x: along * 100, y: 0 }) };
    const half = { w: 20, h: 10 };
    const name = { x: 50, y: 5, w: 10, h: 10 };
    return"""


def with_load(made: Made, key: str, used: int) -> None:
    report = msgspec.structs.replace(made.shown.seen[key].report, used=used)
    seen = msgspec.structs.replace(made.shown.seen[key], report=report)
    made.shown = msgspec.structs.replace(made.shown, seen={key: seen}, time=made.shown.time + 1)


@pytest.mark.spec("DIAG-003", "DIAG-005", "DIAG-012", "PLAT-142")
async def test_it_follows_the_platform(made: Made, nodes: list[WorkerVM], page: Page) -> None:
    first = nodes[0].pk
    assert await page.locator(".lv-node.is-never").count() == 2
    await page.evaluate("document.querySelectorAll('.lv-node').forEach((one) => { one.marked = true })")

    fill(made, nodes[0])
    await page.wait_for_selector(f"[data-key='node:n{first}'].is-normal")
    await page.wait_for_selector("[data-key='conference:c-1']")
    assert await page.text_content(f"[data-key='node:n{first}'] .lv-load") == "50%"

    # With the keyboard: the conference, then its details, which stay as news come.
    await page.focus("[data-key='conference:c-1']")
    await page.keyboard.press("Enter")
    assert await page.inner_text("#lv-details h2") == "Board & co"
    assert "Ada <script>" in await page.inner_text("#lv-details")
    with_load(made, f"n{first}", 114)
    await page.wait_for_selector(f"[data-key='node:n{first}'].is-full")
    assert await page.evaluate("document.activeElement.dataset.key") == "conference:c-1"
    assert await page.locator("[data-key='conference:c-1'].is-chosen").count() == 1
    assert await page.evaluate("[...document.querySelectorAll('.lv-node')].every((one) => one.marked)")

    # From the details to the node and back to nothing.
    await page.click("#lv-details [data-go^='node:']")
    assert await page.inner_text("#lv-details h2") == nodes[0].name
    await page.keyboard.press("Escape")
    assert await page.locator("#lv-details h2").count() == 0

    # Names that begin alike are told apart in little room, and labels of lines keep clear of what is there.
    names = "['conferencing-node-04', 'short'].map((name) => drawing.named(name, 1.6))"
    small = await page.evaluate(f"{_LAYOUT} {names}; }}")
    assert small == ["confere…node-04", "short"]
    spots = await page.evaluate(f"{_LAYOUT} drawing.labels([line, line], [half, half], [name]); }}")
    assert all(abs(spot["x"] - 50) > 29 for spot in spots), "beside the name"
    assert abs(spots[0]["x"] - spots[1]["x"]) > 39, "beside each other"

    # The node goes, and its conference with it.
    seen = msgspec.structs.replace(made.shown.seen[f"n{first}"], alive=False, ago=3.0)
    made.shown = msgspec.structs.replace(made.shown, seen={f"n{first}": seen}, statuses={})
    await page.wait_for_selector(f"[data-key='node:n{first}'].is-lost")
    assert await page.locator(".lv-conference").count() == 0
    assert "no contact" in (await page.text_content(f"[data-key='node:n{first}']") or "")


async def test_what_has_ended_says_so_and_silence_of_the_server_shows(
    made: Made, nodes: list[WorkerVM], page: Page
) -> None:
    fill(made, nodes[0])
    await page.click("[data-key='conference:c-1']")
    made.shown = msgspec.structs.replace(made.shown, statuses={f"n{nodes[0].pk}": NodeStatus(node=f"n{nodes[0].pk}")})
    await page.wait_for_selector("#lv-details :text('This has ended.')")
    await page.route("**/data.json", lambda route: route.abort())
    await page.wait_for_selector("#lv-pulse.is-stale")
    await page.unroute("**/data.json")
    await page.wait_for_selector("#lv-pulse:not(.is-stale)")
