"""A Host and three Guests in the web app on a real platform: admission, roles, chat, presentation, network loss."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.people import Person, launch, near, person
from tests.e2e.platform import Platform
from tests.e2e.recorder import Recorder
from tests.ports import free_port

pytestmark = pytest.mark.e2e
expect.set_options(timeout=15_000)

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async () => (await axe.run(document, {runOnly: {type: 'tag', values:
  ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}})).violations
  .map((one) => one.id + ': ' + one.nodes.map((node) => node.target.join(' ')).join(' | '))"""

SLIDES = (16, 150, 140)
PAGE = (200, 40, 120)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 960 540]/Contents 4 0 R>>endobj\n"
    b"4 0 obj<</Length 43>>stream\n0.063 0.588 0.549 rg 0 0 960 540 re f      \nendstream\nendobj\n"
    b"5 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 960 540]/Contents 6 0 R>>endobj\n"
    b"6 0 obj<</Length 43>>stream\n0.784 0.157 0.471 rg 0 0 960 540 re f      \nendstream\nendobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
"""Two pages: all `SLIDES`, all `PAGE`."""
SCREEN = """
navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 1280; canvas.height = 720;
  const pen = canvas.getContext('2d', {alpha: false});
  let turn = 0;
  setInterval(() => {
    pen.fillStyle = 'rgb(16, 150, 140)';
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = (turn++ % 2) ? '#fff' : '#000';
    pen.fillRect(4, 4, 8, 8);
  }, 60);
  return canvas.captureStream(15);
};
"""
SEEN = """
() => {
  const video = document.querySelector('[data-testid=slides-video]');
  if (!video?.videoWidth) return null;
  const eye = document.createElement('canvas');
  eye.width = 64; eye.height = 36;
  const sight = eye.getContext('2d');
  sight.drawImage(video, 0, 0, 64, 36);
  return [...sight.getImageData(32, 18, 1, 1).data].slice(0, 3);
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="module")
def room(platform: Platform) -> str:
    """Alias of a room where Hosts have a PIN and Guests none."""
    row = {
        "name": "Staff", "service_type": "conference", "pin": "1234", "allow_guests": True,
        "aliases": [{"alias": "staff"}],
    }  # fmt: skip
    with platform.api() as api:
        answer = api.post("/api/admin/configuration/v1/conference/", json=row)
        assert answer.status_code == 201, answer.text
    return "staff"


def enter(someone: Person, platform: Platform, alias: str, query: str) -> Page:
    page = someone.page
    page.add_init_script(SCREEN)
    page.goto(f"{platform.web}/webapp/conference/{alias}?name={someone.name}&join=1&{query}")
    page.get_by_test_id("conference").wait_for(timeout=20_000)
    return page


def row_of(page: Page, name: str) -> str:
    """Uuid of somebody in the list of people."""
    if page.get_by_test_id("show-people").get_attribute("aria-pressed") != "true":
        page.get_by_test_id("show-people").click()
    row = page.get_by_test_id("roster").locator("li", has_text=name)
    expect(row).to_have_count(1)
    return (row.get_attribute("data-testid") or "").removeprefix("participant-")


def accessible(page: Page) -> None:
    """Nothing that axe objects to."""
    page.evaluate(AXE.read_text())
    assert page.evaluate(CHECK) == []


def choose(page: Page, uuid: str, item: str) -> None:
    page.get_by_test_id(f"menu-{uuid}").click()
    page.get_by_test_id(item).click()


def test_a_host_leads_a_meeting_with_three_guests(platform: Platform, browser: Browser, room: str) -> None:
    people = {name: person(browser, name, (208, 32 * i, 32), 400 + 200 * i, volume=0) for i, name in
              enumerate(("Hanna", "Gus", "Gina", "Greta"))}  # fmt: skip
    gus = enter(people["Gus"], platform, room, "role=guest")
    expect(gus.get_by_test_id("waiting-room")).to_be_visible()
    host = enter(people["Hanna"], platform, room, "pin=1234")
    assert "1234" not in host.url, "the PIN stays in the address"
    expect(gus.get_by_test_id("waiting-room")).to_have_count(0)
    gina = enter(people["Gina"], platform, room, "role=guest")
    row_of(host, "Gina")

    # Lock, knock, let in
    host.get_by_test_id("lock").click()
    expect(gus.get_by_test_id("locked")).to_be_visible()
    host.get_by_test_id("close-panel").click()
    greta = enter(people["Greta"], platform, room, "role=guest")
    expect(greta.get_by_test_id("waiting-room")).to_be_visible()
    accessible(host)
    accessible(greta)
    host.get_by_test_id("knock-admit").click()
    expect(greta.get_by_test_id("waiting-room")).to_have_count(0)
    row_of(host, "Greta")
    host.get_by_test_id("lock").click()

    # Chat: to all, counted while closed; to one
    gus.get_by_test_id("show-chat").click()
    gus.get_by_test_id("chat-input").fill("Agenda: https://example.com/a")
    gus.get_by_test_id("chat-send").click()
    expect(host.get_by_test_id("show-chat").locator(".badge")).to_have_attribute("data-count", "1")
    host.get_by_test_id("show-chat").click()
    expect(host.get_by_role("link", name="https://example.com/a")).to_be_visible()
    host.get_by_test_id("show-people").click()
    choose(host, row_of(host, "Gus"), "row-write")
    host.get_by_test_id("chat-input").fill("only you")
    host.get_by_test_id("chat-send").click()
    expect(gus.get_by_test_id("chat")).to_contain_text("only you")
    gina.get_by_test_id("show-chat").click()
    expect(gina.get_by_test_id("chat")).to_contain_text("example.com")
    expect(gina.get_by_test_id("chat")).not_to_contain_text("only you")

    # Hands, mute, spotlight, roles
    gina.get_by_test_id("raise-hand").click()
    gina_row = row_of(host, "Gina")
    host.get_by_test_id("lower-hands").click()
    expect(gina.get_by_test_id("raise-hand")).to_have_attribute("aria-pressed", "false")
    host.get_by_test_id(f"mute-{gina_row}").click()
    expect(gina.get_by_test_id("muted-by-host")).to_be_visible()
    choose(host, gina_row, "row-spotlight")
    row_of(gus, "Gina")
    expect(gus.get_by_test_id(f"participant-{gina_row}")).to_have_attribute("data-spotlight", "1")
    expect(gus.get_by_test_id("lock")).to_have_count(0)
    choose(host, row_of(host, "Gus"), "row-role")
    expect(gus.get_by_test_id("lock")).to_be_visible()

    # Presentation, taken over by somebody else
    host.get_by_test_id("share").click()
    host.get_by_test_id("share-detail").click()
    for other in (gus, greta):
        people["Gus"].until(lambda page=other: near(page.evaluate(SEEN), SLIDES), 15, "no presentation")
    gus.get_by_test_id("share").click()
    gus.get_by_test_id("share-detail").click()
    people["Hanna"].until(lambda: near(host.evaluate(SEEN), SLIDES), 15, "the other presentation is not seen")
    expect(host.get_by_test_id("own-screen")).to_have_count(0)
    accessible(host)
    gus.get_by_test_id("share-stop").click()
    expect(host.get_by_test_id("slides")).to_have_count(0)

    # A document, page by page
    host.get_by_test_id("share").click()
    with host.expect_file_chooser() as chosen:
        host.get_by_test_id("share-file").click()
    chosen.value.set_files({"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF})
    people["Gus"].until(lambda: near(gus.evaluate(SEEN), SLIDES), 15, "the first page is not seen")
    host.get_by_test_id("page-on").click()
    people["Gus"].until(lambda: near(gus.evaluate(SEEN), PAGE), 15, "the second page is not seen")
    host.get_by_test_id("share-stop").click()
    expect(gus.get_by_test_id("slides")).to_have_count(0)

    # Layout and figures
    host.get_by_test_id("more").click()
    host.get_by_test_id("open-layout").click()
    host.get_by_test_id("layout-4:0").click()
    expect(host.get_by_test_id("layout-4:0")).to_have_attribute("aria-pressed", "true")
    accessible(host)
    host.keyboard.press("Escape")
    expect(host.get_by_test_id("more")).to_be_focused()
    host.keyboard.press("i")
    expect(host.get_by_test_id("stream-in-video")).to_contain_text("fps")
    accessible(host)

    # The network goes and comes back
    greta.context.set_offline(True)
    expect(greta.get_by_test_id("reconnecting").or_(greta.get_by_test_id("offline")).first).to_be_visible()
    greta.context.set_offline(False)
    expect(greta.get_by_test_id("reconnecting")).to_have_count(0)
    expect(greta.get_by_test_id("offline")).to_have_count(0)
    row_of(host, "Greta")

    host.get_by_test_id("end-for-all").click()
    host.get_by_test_id("end-confirm").click()
    for other in (gus, gina, greta):
        expect(other.get_by_test_id("ended")).to_be_visible()


def pick(page: Page, item: str) -> None:
    page.get_by_test_id("more").click()
    page.get_by_test_id(item).click()


def shown(page: Page, colour: tuple[int, int, int]) -> bool:
    """The conference picture is of this person."""
    seen = page.evaluate("() => window.see([[640, 300]])")
    return bool(seen) and near(tuple(seen[0]), colour)


@pytest.mark.spec("CONF-119", "CONF-127")
def test_a_host_splits_the_meeting_and_brings_it_together_again(
    platform: Platform, browser: Browser, tmp_path: Path
) -> None:
    root = "/api/admin/configuration/v1"
    rooms = [
        {"name": "Team", "service_type": "conference", "pin": "1234", "allow_guests": True, "breakout_rooms": True,
         "aliases": [{"alias": "team"}]},
        {"name": "Next door", "service_type": "conference", "aliases": [{"alias": "next.door"}]},
    ]  # fmt: skip
    with platform.api() as api:
        api.patch(f"{root}/global/1/", json={"enable_breakout_rooms": True}).raise_for_status()
        for row in rooms:
            api.post(f"{root}/conference/", json=row).raise_for_status()
    colours = {"Hilda": (200, 40, 40), "Gary": (40, 160, 60), "Gloria": (40, 60, 200)}
    people = {
        name: person(browser, name, colour, 440 + 110 * i, volume=0) for i, (name, colour) in enumerate(colours.items())
    }
    host = enter(people["Hilda"], platform, "team", "pin=1234")
    gary = enter(people["Gary"], platform, "team", "role=guest")
    gloria = enter(people["Gloria"], platform, "team", "role=guest")
    until = people["Hilda"].until

    # Hold; what Guests may; a layout of one's own
    gary_row, gloria_row = row_of(host, "Gary"), row_of(host, "Gloria")
    choose(host, gary_row, "row-hold")
    expect(gary.get_by_test_id("on-hold")).to_be_visible()
    choose(host, gary_row, "row-hold")
    expect(gary.get_by_test_id("on-hold")).to_have_count(0)
    host.get_by_test_id(f"mute-{gloria_row}").click()
    expect(gloria.get_by_test_id("muted-by-host")).to_be_visible()
    expect(gloria.get_by_test_id("unmute-me")).to_have_count(0)
    pick(host, "guests-unmute")
    gloria.get_by_test_id("unmute-me").click()
    expect(gloria.get_by_test_id("muted-by-host")).to_have_count(0)
    pick(host, "guests-present")
    expect(gary.get_by_test_id("share")).to_have_count(0)
    pick(host, "guests-present")
    pick(gary, "open-layout")
    gary.get_by_test_id("layout-1:0").click()
    expect(gary.get_by_test_id("layout-1:0")).to_have_attribute("aria-pressed", "true")
    gary.get_by_test_id("layout-as-all").click()
    expect(gary.get_by_test_id("layout-as-all")).to_have_count(0)
    gary.keyboard.press("Escape")

    # A room with Gary in it, who asks for help; the Host goes there
    pick(host, "show-rooms")
    host.get_by_test_id("open-rooms").click()
    host.get_by_test_id("rooms-count").select_option("1")
    host.get_by_test_id("rooms-way").select_option("chosen")
    host.get_by_test_id(f"assign-{gary_row}").select_option("0")
    accessible(host)
    host.get_by_test_id("dialog-submit").click()
    expect(gary.get_by_test_id("room-bar")).to_contain_text("Room 1")
    room = host.locator("[data-name='Room 1']")
    expect(room).to_contain_text("Gary")
    gary.get_by_test_id("ask-for-help").click()
    expect(room.get_by_test_id("room-help")).to_be_visible()
    accessible(host)
    accessible(gary)
    room.get_by_role("button", name="Go there").click()
    expect(host.get_by_test_id("room-bar")).to_contain_text("Room 1")
    until(lambda: shown(host, colours["Gary"]), 15, "the Host does not see who is in the room")
    until(lambda: shown(gary, colours["Hilda"]), 15, "the room does not see the Host")
    expect(gary.get_by_test_id("ask-for-help")).to_have_text("Ask for help")
    gary.get_by_test_id("show-chat").click()
    gary.get_by_test_id("chat-input").fill("How is this meant?")
    gary.get_by_test_id("chat-send").click()
    expect(host.get_by_test_id("notice").filter(has_text="How is this meant?")).to_be_visible()
    host.get_by_test_id("rooms-message").click()
    host.get_by_test_id("rooms-text").fill("Five more minutes")
    host.get_by_test_id("dialog-submit").click()
    expect(gary.get_by_test_id("chat")).to_contain_text("Five more minutes")
    host.get_by_test_id("leave-room").click()
    expect(host.get_by_test_id("room-bar")).to_have_count(0)
    until(lambda: shown(host, colours["Gloria"]), 15, "the Host does not see the meeting again")
    gary.get_by_test_id("leave-room").click()
    expect(gary.get_by_test_id("room-bar")).to_have_count(0)
    expect(host.get_by_test_id("room-main")).to_contain_text("Gary")
    host.get_by_test_id(f"move-menu-{row_in(host, 'Gloria')}").click()
    host.get_by_role("menuitem", name="Move to Room 1").click()
    expect(gloria.get_by_test_id("room-bar")).to_be_visible()
    host.get_by_test_id("rooms-close").click()
    expect(gloria.get_by_test_id("conference")).to_be_visible()
    expect(gloria.get_by_test_id("room-bar")).to_have_count(0)

    # A presentation in a window of its own, and in picture in picture
    host.get_by_test_id("share").click()
    host.get_by_test_id("share-detail").click()
    until(lambda: near(gary.evaluate(SEEN), SLIDES), 15, "no presentation")
    with gary.expect_popup() as opened:
        gary.get_by_test_id("slides-pop").click()
    until(lambda: opened.value.evaluate("document.querySelector('video')?.videoWidth > 0"), 30, "an empty window")
    gary.get_by_test_id("slides-pop").click()
    until(lambda: near(gary.evaluate(SEEN), SLIDES), 15, "the presentation does not come back")
    host.get_by_test_id("share-stop").click()

    # Streamed, and told so; then somebody is sent next door
    with Recorder(tmp_path / "stream.mkv", free_port()) as recorder:
        pick(host, "open-stream")
        host.get_by_test_id("stream-address").fill(recorder.url)
        host.get_by_test_id("dialog-submit").click()
        expect(gary.get_by_test_id("streaming")).to_be_visible()
        until(lambda: recorder.file.exists() and recorder.file.stat().st_size > 20_000, 20, "nothing is streamed")
        pick(host, "stop-stream")
        expect(gary.get_by_test_id("streaming")).to_have_count(0)
        recorder.wait()
    choose(host, row_of(host, "Gary"), "row-transfer")
    host.get_by_test_id("transfer-alias").fill("next.door")
    host.get_by_test_id("dialog-submit").click()
    expect(gary.get_by_test_id("conference-name")).to_have_text("Next door")
    for someone in people.values():
        someone.page.context.close()


def row_in(page: Page, name: str) -> str:
    """Uuid of somebody in the list of breakout rooms."""
    row = page.get_by_test_id("rooms").locator("li", has_text=name)
    expect(row).to_have_count(1)
    return (row.get_attribute("data-testid") or "").removeprefix("in-room-")


@pytest.mark.spec("CONF-038", "CONF-043")
def test_a_branding_reaches_the_web_app_and_goes(platform: Platform, browser: Browser) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("brand.css", ":root { --teal: #a0208c; } .brand-background { background: #eef; }")
        archive.writestr("settings.js", 'var settings = { applicationName: "Example Meetings" };')
        archive.writestr("locales/en.json", '{"home.title": "Come in"}')
    root = "/api/admin/configuration/v1"
    page = browser.new_context(ignore_https_errors=True, locale="en").new_page()
    with platform.api() as api:
        created = api.post(
            f"{root}/webapp_branding/",
            data={"name": "Example", "webapp_type": "webapp3"},
            files={"branding_file": ("brand.zip", package.getvalue(), "application/zip")},
        )
        assert created.status_code == 201, created.text
        branding = api.get(created.headers["location"]).json()
        (path,) = api.get(f"{root}/webapp_alias/?is_default=true").json()["objects"]
        changed = api.patch(path["resource_uri"], json={"branding": branding["resource_uri"]})
        assert changed.status_code == 202, changed.text
        heading = page.get_by_role("heading", name="Come in")
        for _ in range(40):
            page.goto(platform.web)
            page.get_by_test_id("home-continue").wait_for()
            if heading.is_visible():
                break
            page.wait_for_timeout(250)
        expect(heading).to_be_visible()
        expect(page.get_by_text("Example Meetings")).to_be_visible()
        expect(page.get_by_test_id("home-continue")).to_have_css("background-color", "rgb(160, 32, 140)")
        api.patch(path["resource_uri"], json={"branding": None})
        own = {"slug": "staff", "webapp_type": "webapp3", "is_enabled": True, "branding": branding["resource_uri"]}
        api.post(f"{root}/webapp_alias/", json=own).raise_for_status()
        for _ in range(40):
            if page.goto(f"{platform.web}/staff/").status == 200:  # type: ignore[union-attr]
                break
            page.wait_for_timeout(250)
        expect(heading).to_be_visible()
        page.goto(platform.web)
        expect(page.get_by_role("heading", name="Join a meeting")).to_be_visible()
    page.context.close()
