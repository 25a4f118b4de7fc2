"""The web app in Chromium against the real client API on a fake switchboard; media is answered by a second page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from rostra.calls.switchboard import MediaRefused
from rostra.clientapi.serving import Server
from rostra.environment import Environment

from .driver import Api, break_streams
from .fakes import FakeConference, FakeSession, FakeSwitchboard
from .test_sdk import ARGUMENTS, CHROMIUM, eventually

expect.set_options(timeout=20_000)
DEVICES = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

FAR_SIDE = """
const canvas = document.createElement('canvas');
const paint = canvas.getContext('2d');
setInterval(() => {
  paint.fillStyle = `hsl(${Date.now() / 20}, 80%, 50%)`;
  paint.fillRect(0, 0, canvas.width, canvas.height);
}, 50);
let peers = [];
window.kill = () => { peers.forEach(peer => peer.close()); peers = []; };
window.sending = () => peers.some(peer => peer.connectionState === 'connected');
window.answer = async offer => {
  const peer = new RTCPeerConnection();
  peers.push(peer);
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  const main = peer.getTransceivers().find(one => one.receiver.track.kind === 'video');
  await main.sender.replaceTrack(canvas.captureStream(15).getVideoTracks()[0]);
  main.direction = 'sendrecv';
  await peer.setLocalDescription();
  if (peer.iceGatheringState !== 'complete') {
    await new Promise(done => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
    });
  }
  return peer.localDescription.sdp;
};
"""

FRAMES = "document.querySelector('[data-testid=main-video]')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"


@pytest.fixture
def web_root() -> Path:
    """The built app (`make web`)."""
    root = Path(__file__).parents[2] / "web" / "dist"
    assert (root / "index.html").is_file(), "run `make web` first"
    return root


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *DEVICES])
        yield running
        await running.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(ignore_https_errors=True, permissions=["camera", "microphone"])
    made.set_default_timeout(20_000)
    yield made
    await made.close()


@pytest.fixture
async def far(context: BrowserContext, switchboard: FakeSwitchboard) -> Page:
    """The page that plays the media engine."""
    page = await context.new_page()
    await page.add_script_tag(content=FAR_SIDE)

    async def answer(call: str, offer: str) -> str:
        return await page.evaluate("offer => answer(offer)", offer)

    switchboard.answerer = answer
    return page


Visit = Callable[[str], Awaitable[Page]]


@pytest.fixture
async def visit(context: BrowserContext, server: Server, environment: Environment) -> Visit:
    async def opened(path: str) -> Page:
        page = await context.new_page()
        await page.goto(f"https://localhost:{environment.node_https_port}{path}")
        return page

    return opened


async def picture_flows(page: Page, within: float) -> None:
    """Ten more decoded frames within so many seconds."""
    await page.wait_for_function(
        f"target => {FRAMES} >= target", arg=10 + await page.evaluate(FRAMES), timeout=within * 1000
    )


def only(conference: FakeConference) -> FakeSession:
    (session,) = conference.sessions.values()
    return session


async def joined(visit: Visit, switchboard: FakeSwitchboard) -> tuple[Page, FakeSession]:
    page = await visit("/webapp/conference/meet.demo?name=Ada&join=1")
    await picture_flows(page, 20)
    return page, only(switchboard.conference("Demo"))


async def test_from_the_start_page_into_the_conference_and_out(
    visit: Visit, far: Page, switchboard: FakeSwitchboard
) -> None:
    page = await visit("/")
    await page.get_by_test_id("home-alias").fill("meet.demo")
    await page.get_by_test_id("home-name").fill("Ada")
    await page.get_by_test_id("home-continue").click()
    meter = page.get_by_test_id("level-meter")
    await expect(meter).not_to_have_attribute("aria-valuenow", "0")
    await expect(page.get_by_test_id("self-video")).to_be_visible()
    await page.get_by_test_id("join").click()
    await picture_flows(page, 20)
    session = only(switchboard.conference("Demo"))
    row = page.get_by_test_id(f"participant-{session.participant.uuid}")
    await expect(row).to_contain_text("Ada")
    await expect(row).to_have_attribute("data-role", "chair")
    offer = session.opened[0][1]
    contents = [line for line in offer.splitlines() if line.startswith(("m=", "a=content", "a=inactive"))]
    assert [line.split()[0] for line in contents] == [
        "m=audio",
        "a=content:main",
        "m=video",
        "a=content:main",
        "m=video",
        "a=inactive",
        "a=content:slides",
    ]
    await page.get_by_test_id("leave").click()
    await expect(page.get_by_test_id("ended")).to_be_visible()
    assert session.left is not None


async def test_pin_and_waiting_room(visit: Visit, far: Page, switchboard: FakeSwitchboard) -> None:
    guest = await visit("/conference/guests?name=Guest&join=1")
    await guest.get_by_test_id("pin-input").fill("9999")
    await guest.get_by_test_id("pin-submit").click()
    await expect(guest.get_by_role("alert")).to_be_visible()
    await guest.get_by_test_id("pin-input").fill("")
    await guest.get_by_test_id("pin-submit").click()
    await expect(guest.get_by_test_id("waiting-room")).to_be_visible()
    host = await visit("/conference/guests?name=Host&join=1&pin=1234")
    await expect(host.get_by_test_id("roster")).to_contain_text("Guest")
    await expect(guest.get_by_test_id("waiting-room")).not_to_be_visible()
    await expect(guest.get_by_test_id("roster")).to_contain_text("Host")


async def test_an_unknown_alias_is_explained(visit: Visit) -> None:
    page = await visit("/conference/nowhere?name=Ada&join=1")
    reason = page.get_by_test_id("ended-reason")
    await expect(reason).to_have_attribute("data-reason", "Neither conference nor gateway found")


async def test_hosts_mute_remove_and_lock(visit: Visit, far: Page, switchboard: FakeSwitchboard, live: Api) -> None:
    page, session = await joined(visit, switchboard)
    bob = await live.join(name="Bob")
    row = page.get_by_test_id(f"participant-{bob.uuid}")
    await page.get_by_test_id(f"mute-{bob.uuid}").click()
    await expect(row).to_have_attribute("data-muted", "true")
    await page.get_by_test_id("lock").click()
    await expect(page.get_by_test_id("locked")).to_be_visible()
    await bob.post(f"participants/{session.participant.uuid}/mute")
    await expect(page.get_by_test_id("muted-by-host")).to_be_visible()
    await page.get_by_test_id(f"menu-{bob.uuid}").click()
    await page.get_by_test_id(f"remove-{bob.uuid}").click()
    await expect(row).to_have_count(0)


async def test_being_removed_is_said(visit: Visit, far: Page, switchboard: FakeSwitchboard, live: Api) -> None:
    page, session = await joined(visit, switchboard)
    bob = await live.join(name="Bob")
    await bob.post(f"participants/{session.participant.uuid}/disconnect")
    reason = page.get_by_test_id("ended-reason")
    await expect(reason).to_have_attribute("data-reason", "Disconnected by another participant")


async def test_own_mutes_are_told_to_the_others(visit: Visit, far: Page, switchboard: FakeSwitchboard) -> None:
    page, session = await joined(visit, switchboard)
    await page.keyboard.press("m")
    await page.keyboard.press("v")
    await expect(page.get_by_test_id("mute-mic")).to_have_attribute("data-off", "true")
    await expect(page.get_by_test_id("self-video")).to_have_count(0)
    await eventually(lambda: session.participant.is_client_muted and session.participant.is_video_muted)
    await page.get_by_test_id("mute-camera").click()
    await expect(page.get_by_test_id("self-video")).to_be_visible()


async def test_joining_without_devices(visit: Visit, far: Page, context: BrowserContext) -> None:
    await context.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') }"
    )
    page = await visit("/conference/meet.demo?name=Ada")
    await expect(page.get_by_test_id("device-faults")).to_be_visible()
    await page.get_by_test_id("join").click()
    await picture_flows(page, 20)


@pytest.mark.parametrize("told", [True, False], ids=["told", "silently"])
async def test_media_returns_in_five_seconds_after_its_process_died(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, told: bool
) -> None:
    page, session = await joined(visit, switchboard)
    await far.evaluate("kill()")
    if told:
        session.listener.media_lost(session.opened[0][0])
    await far.wait_for_function("sending()", timeout=5000)
    await picture_flows(page, 2)
    assert {call for call, _, _ in session.opened} == {session.opened[0][0]}


async def test_a_call_that_cannot_be_revived_is_replaced(visit: Visit, far: Page, switchboard: FakeSwitchboard) -> None:
    page, session = await joined(visit, switchboard)
    first = session.opened[0][0]
    answer = session.answerer
    assert answer

    async def refuse_updates(call: str, offer: str) -> str:
        if call == first:
            raise MediaRefused("gone")
        return await answer(call, offer)

    session.answerer = refuse_updates
    await far.evaluate("kill()")
    session.listener.media_lost(first)
    await far.wait_for_function("sending()", timeout=5000)
    await picture_flows(page, 2)
    assert session.opened[-1][0] != first


@pytest.mark.spec("API-050")
async def test_a_broken_stream_is_opened_again(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, live: Api
) -> None:
    page, _ = await joined(visit, switchboard)
    break_streams(server)
    await live.join(name="Bob")
    await expect(page.get_by_test_id("roster")).to_contain_text("Bob")
    await expect(page.get_by_test_id("reconnecting")).to_have_count(0)


@pytest.mark.spec("API-026")
async def test_closing_the_tab_leaves(visit: Visit, far: Page, switchboard: FakeSwitchboard) -> None:
    page, session = await joined(visit, switchboard)
    await page.close(run_before_unload=False)
    await eventually(lambda: session.left is not None, within=2)
