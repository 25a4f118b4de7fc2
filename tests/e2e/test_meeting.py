"""People on browsers and a SIP system meet in one room: who sees and hears whom, decoded and measured."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.people import Person, launch, near, person
from tests.e2e.platform import Platform

pytestmark = pytest.mark.e2e

MAIN, THUMBNAIL = (640, 300), (90, 665)
RED, BLUE = (208, 32, 32), (32, 48, 208)


@pytest.fixture(scope="module")
def platform(common_platform: Platform) -> Platform:
    return common_platform


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.mark.spec("CONF-084", "API-067", "API-070")
def test_two_browsers_see_and_hear_each_other_and_not_themselves(platform: Platform, browser: Browser) -> None:
    red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
    blue = person(browser, "Blue", BLUE, 900).join(platform.web, "meet.demo")
    red.until(lambda: near((red.see(MAIN) or [None])[0], BLUE), 15, "Red does not see Blue")
    blue.until(lambda: near((blue.see(MAIN) or [None])[0], RED), 15, "Blue does not see Red")
    for who, own, other in ((red, 500, 900), (blue, 900, 500)):
        who.until(lambda w=who, f=other: w.hear(f)[0] > -40, 15, f"{who.name} does not hear the other")
        mine, theirs = who.hear(own, other)
        assert mine < theirs - 30, f"{who.name} hears itself: {mine} dB against {theirs} dB"
    for someone in (red, blue):
        someone.leave()


def seen_by(who: Person, point: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    return near((who.see(point) or [None])[0], colour)


@pytest.mark.spec("CONF-084", "POL-151", "POL-153", "POL-162")
def test_the_speaker_takes_the_main_picture_within_a_second_and_a_cough_does_not(
    platform: Platform, browser: Browser
) -> None:
    green = (32, 176, 48)
    red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
    blue = person(browser, "Blue", BLUE, 900, volume=0).join(platform.web, "meet.demo")
    viewer = person(browser, "Green", green, 1400, volume=0).join(platform.web, "meet.demo")
    viewer.until(lambda: seen_by(viewer, MAIN, RED) and seen_by(viewer, THUMBNAIL, BLUE), 15)
    blue.speak(0.4)
    blue.sleep(0.25)
    blue.speak(0)
    viewer.sleep(1.5)
    assert seen_by(viewer, MAIN, RED), "a cough took the main picture"
    red.speak(0)
    blue.speak(0.4)
    started = time.monotonic()
    viewer.until(lambda: seen_by(viewer, MAIN, BLUE), 5, "the speaker did not get the main picture")
    taken = time.monotonic() - started
    assert taken < 1.3, f"the main picture changed after {taken:.2f} s"
    viewer.until(lambda: seen_by(viewer, THUMBNAIL, RED), 1, "the previous speaker is not beside")
    blue.until(lambda: seen_by(blue, MAIN, RED), 3, "the speaker sees the previous one")
    change_layout(viewer, platform.web, "4:0")
    started = time.monotonic()
    viewer.until(lambda: seen_by(viewer, (320, 360), BLUE) and seen_by(viewer, (960, 360), RED), 5, "not side by side")
    print(f"another layout was seen after {time.monotonic() - started:.2f} s")
    for someone in (red, blue, viewer):
        someone.leave()


def change_layout(who: Person, web: str, layout: str) -> None:
    """As a Host who only controls does."""
    api = f"{web}/api/client/v2/conferences/meet.demo"
    granted = who.page.request.post(f"{api}/request_token", data={"display_name": "Control"}).json()["result"]
    headers = {"token": granted["token"]}
    changed = who.page.request.post(
        f"{api}/transform_layout", data={"transforms": {"layout": layout}}, headers=headers
    ).json()
    assert changed["result"] is True
