"""What people wait for in the web app: from opening a link to the first picture, and from a Host's click to another
person's screen.

Reference in the same run: a request of the client API that changes nothing, and one frame of the browser.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tests.e2e.people import launch, person
from tests.e2e.platform import Platform, fresh_environment

from bench.join import WATCH as FIRST_PICTURE

LOADS = 7
CLICKS = 60

WATCH = """
(testId) => {
  const row = document.querySelector(`[data-testid="${testId}"]`);
  window.changes = [];
  new MutationObserver(() => requestAnimationFrame(() => window.changes.push(Date.now())))
    .observe(row, {attributes: true, attributeFilter: ['data-muted']});
}
"""
CLICK = """
(testId) => {
  document.querySelector(`[data-testid="${testId}"]`).click();
  return Date.now();
}
"""
REQUEST = """
async () => {
  const started = performance.now();
  await fetch('/api/client/v2/status');
  return performance.now() - started;
}
"""
FRAME = "() => new Promise((done) => requestAnimationFrame((one) => requestAnimationFrame((two) => done(two - one))))"


def until(page: Page, expression: str) -> float:
    """The number that an expression gives, once it gives one; looked at from here, as the page lets nobody `eval`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (found := page.evaluate(expression)) is not None:
            return found
        page.wait_for_timeout(20)
    raise AssertionError(f"{expression}: nothing")


def picture_of(page: Page, address: str) -> float:
    """Milliseconds from opening the address to the first decoded picture of the conference."""
    page.add_init_script(FIRST_PICTURE)
    page.goto(address)
    return until(page, "window.firstPicture")


def loads(platform: Platform, new: object) -> list[float]:
    address = f"{platform.web}/webapp/conference/meet.demo?name=Ada&join=1"
    found: list[float] = []
    for _ in range(LOADS):
        someone = person(new, "Ada", (208, 32, 32), 500, volume=0)  # type: ignore[arg-type]
        found.append(picture_of(someone.page, address))
        someone.leave()
        someone.page.context.close()
    return found


def clicks(platform: Platform, new: object) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds from the click to the other's screen; of a request; of a frame there."""
    host, other = (person(new, name, (32, 32, 208), 500, volume=0) for name in ("Ada", "Bob"))  # type: ignore[arg-type]
    for one in (host, other):
        one.page.goto(f"{platform.web}/webapp/conference/meet.demo?name={one.name}&join=1")
        one.page.get_by_test_id("roster").wait_for()
    row = host.page.get_by_test_id("roster").locator("li", has_text="Bob")
    row.wait_for()
    uuid = (row.get_attribute("data-testid") or "").removeprefix("participant-")
    other.page.get_by_test_id(f"participant-{uuid}").wait_for()
    other.page.evaluate(WATCH, f"participant-{uuid}")
    took: list[float] = []
    for number in range(CLICKS):
        clicked = host.page.evaluate(CLICK, f"mute-{uuid}")
        took.append(until(other.page, f"window.changes[{number}]") - clicked)
        time.sleep(0.15)
    requests = [host.page.evaluate(REQUEST) for _ in range(CLICKS)]
    frames = [other.page.evaluate(FRAME) for _ in range(CLICKS)]
    return took, requests, frames


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def show(what: str, values: list[float]) -> None:
    print(f"{what:<44} p50 {statistics.median(values):7.1f} ms   p95 {percentile(values, 0.95):7.1f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        platform = Platform(fresh_environment(Path(home))).start()
        try:
            browser = launch(playwright)
            show(f"link opened to first picture ({LOADS}, cold)", loads(platform, browser))
            took, requests, frames = clicks(platform, browser)
            show(f"Host's click to another's screen ({CLICKS})", took)
            show("reference: a request that changes nothing", requests)
            show("reference: a frame of the other browser", frames)
            browser.close()
        finally:
            platform.stop()


if __name__ == "__main__":
    main()
