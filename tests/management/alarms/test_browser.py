"""The bell and the page of alarms in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Page, async_playwright

from rostra.management.alarms.raising import lower_alarm, raise_alarm
from tests.e2e.browser import ARGUMENTS, CHROMIUM
from tests.management.test_live_view import settings_without_tls, site
from tests.management.test_status_pages import made, nodes

__all__ = ["made", "nodes", "settings_without_tls", "site"]

AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
"""Has the page ask at once instead of in a few seconds."""


@pytest.fixture
async def page(site: str, browser: Any) -> AsyncIterator[Page]:
    """A page of the site with an administrator's session; a fault in its scripts fails the test."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await chromium.new_context(base_url=site, viewport={"width": 1400, "height": 800})
        await context.add_cookies([{"name": "sessionid", "value": browser.cookies["sessionid"].value, "url": site}])
        found = await context.new_page()
        found.on("pageerror", lambda problem: faults.append(str(problem)))
        yield found
        await chromium.close()
    assert faults == []


@pytest.mark.spec("DIAG-096", "DIAG-097")
async def test_the_bell_and_the_page_follow_the_alarms(page: Page) -> None:
    await page.goto("/admin/configuration/dnsserver/")
    await page.wait_for_selector("#rs-bell:not(.rs-ringing)")
    await sync_to_async(raise_alarm)("ntp_not_synchronised", node="10.0.0.1", details="It is <i>late</i>.")
    await page.evaluate(AGAIN)
    await page.wait_for_selector("#rs-bell.rs-ringing")
    assert await page.inner_text(".rs-bell-count") == "1"

    await page.click("#rs-bell")
    await page.wait_for_selector("#rs-alarms >> text=NTP not synchronized")
    assert "It is <i>late</i>." in await page.inner_text("#rs-alarms")
    await sync_to_async(raise_alarm)("trustedca_expiring", instance="Old CA")
    await page.evaluate(AGAIN)
    await page.wait_for_selector("#rs-alarms >> text=Old CA")
    await page.click("tr:has-text('Old CA') button")  # of the part that was fetched: its token is good, too
    await page.wait_for_selector("tr:has-text('Old CA') >> text=admin")

    await sync_to_async(lower_alarm)("ntp_not_synchronised", node="10.0.0.1")
    await sync_to_async(lower_alarm)("trustedca_expiring", instance="Old CA")
    await page.evaluate(AGAIN)
    await page.wait_for_selector("#rs-alarms >> text=No alarms.")
    await page.wait_for_selector("#rs-bell:not(.rs-ringing)")
