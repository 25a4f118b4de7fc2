"""The node process is killed: browsers get back in by themselves, once each, with what they had."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.people import launch, near, person
from tests.e2e.platform import Platform
from tests.e2e.rejoining import rejoins

pytestmark = pytest.mark.e2e

MAIN = (640, 300)
RED, BLUE = (208, 32, 32), (32, 48, 208)


def test_browsers_get_back_in_after_their_node_was_killed(platform: Platform) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        red = person(browser, "Red", RED, 500, volume=0).join(platform.web, "meet.demo")
        blue = person(browser, "Blue", BLUE, 900).join(platform.web, "meet.demo")
        red.until(lambda: near((red.see(MAIN) or [None])[0], BLUE, 70), 20)
        red.page.keyboard.press("m")
        node = platform.child("node")
        result = rejoins(red, lambda: os.kill(node, signal.SIGKILL), within=45)
        print(f"noticed after {result.noticed:.1f} s, picture back after {result.back:.1f} s by {result.node}")
        assert platform.child("node") != node
        red.until(lambda: near((red.see(MAIN) or [None])[0], BLUE, 70), 30, "Blue is not back")
        for name in ("Red", "Blue"):
            rows = red.page.get_by_test_id("roster").locator("[data-testid^=participant-]").filter(has_text=name)
            assert rows.count() == 1, name
        assert red.page.get_by_test_id("mute-mic").get_attribute("data-off") == "true"
        red.leave()
        blue.leave()
        browser.close()
