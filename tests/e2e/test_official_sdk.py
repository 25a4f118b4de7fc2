"""The unmodified official SDK in Chromium against the whole platform, media included (section 19 of the sheet)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Route

from tests.clientapi.test_sdk import Sdk, browser, bundle, eventually
from tests.e2e.platform import Platform

__all__ = ["browser", "bundle"]  # fixtures of the same pages

pytestmark = pytest.mark.e2e
PAGE = "/sdk-test.html"


@pytest.fixture
async def context(browser: object, bundle: bytes, platform: Platform) -> AsyncIterator[BrowserContext]:
    """Pages of the node's own origin that hold the SDK instead of the web app."""
    opened: BrowserContext = await browser.new_context(ignore_https_errors=True)  # type: ignore[attr-defined]

    async def page(route: Route) -> None:
        await route.fulfill(body='<!doctype html><body><script src="/sdk-test.js"></script>', content_type="text/html")

    async def script(route: Route) -> None:
        await route.fulfill(body=bundle, content_type="text/javascript")

    await opened.route(f"**{PAGE}", page)
    await opened.route("**/sdk-test.js", script)
    yield opened
    await opened.close()


async def person(context: BrowserContext, platform: Platform) -> Sdk:
    page = await context.new_page()
    await page.goto(platform.web + PAGE)
    return Sdk(page)


async def updates(sdk: Sdk) -> int:
    return len([path for path, _ in await sdk.requests() if path.endswith("/update")])


@pytest.mark.spec("API-163", "API-165", "API-166", "API-167", "API-093")
async def test_two_sdk_clients_see_each_other_and_stay_calm(context: BrowserContext, platform: Platform) -> None:
    ada, bob = await person(context, platform), await person(context, platform)
    await ada.join("meet.demo", "Ada", media=True)
    await ada.until("onCallConnected", within=20)
    await bob.join("meet.demo", "Bob", media=True)
    await bob.until("onCallConnected", within=20)
    for sdk in (ada, bob):
        await sdk.until("onMe", lambda me: me["participant"]["hasMedia"] is True)

        async def pictures(sdk: Sdk = sdk) -> bool:
            return await sdk.page.evaluate("frames_seen()") > 20

        await eventually(pictures, within=20)
    settled = await updates(ada)
    await asyncio.sleep(6)  # the SDK restarts ICE whenever a second passes without a packet: none may
    assert await updates(ada) == settled
    for sdk in (ada, bob):
        assert all(status in (200, 204) for _, status in await sdk.requests()), await sdk.requests()
        assert await sdk.signals("onReconnecting") == []
        assert await sdk.signals("onFailedRequest") == []
    roster = await ada.until("onParticipants")
    await ada.act("kick", {"participantUuid": (await bob.signals("onMe"))[-1]["participant"]["uuid"]})
    await bob.until("onDisconnected")
    await ada.until("onParticipantLeft")
    assert roster
    await ada.act("disconnect", {"reason": "User initiated disconnect"})


async def test_media_comes_back_after_its_worker_was_killed(context: BrowserContext, platform: Platform) -> None:
    """The SDK notices the missing packets and restarts ICE by `update` on the same call."""
    ada = await person(context, platform)
    await ada.join("meet.demo", "Ada", media=True)
    await ada.until("onCallConnected", within=20)

    async def frames() -> int:
        return await ada.page.evaluate("frames_seen()")

    async def pictures() -> bool:
        return await frames() > 20

    await eventually(pictures, within=20)
    for pid in platform.find("rostra.media.engine"):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    before = await frames()

    async def again() -> bool:
        return await frames() > before + 20

    await eventually(again, within=20)
    assert await ada.signals("onDisconnected") == []
    await ada.act("disconnect", {"reason": "User initiated disconnect"})
