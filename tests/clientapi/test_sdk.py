"""The unmodified official SDK in Chromium against the API: the state flow of section 19 as far as it needs no media
engine. Media is answered by a second page."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from rostra.clientapi.serving import Server
from rostra.environment import Environment

from .driver import Api, break_streams
from .fakes import FakeSwitchboard
from .packages import installed

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The SDK and our page around it as one script."""
    out = tmp_path_factory.mktemp("sdk") / "sdk.js"
    folder = installed()
    command = ["node_modules/.bin/esbuild", "sdk.mjs", "--bundle", "--format=iife", f"--outfile={out}"]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)
    return out.read_bytes()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        await running.close()


class Sdk:
    """One page with one SDK client."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen = 0

    async def join(self, alias: str, name: str, **options: Any) -> None:
        await self.page.evaluate("([a, n, o]) => join(a, n, o)", [alias, name, options])

    async def act(self, name: str, *args: Any) -> Any:
        return await self.page.evaluate("([n, a]) => act(n, ...a)", [name, list(args)])

    async def signals(self, name: str) -> list[Any]:
        return [value for signal, value in await self.page.evaluate("log") if signal == name]

    async def requests(self) -> list[tuple[str, int]]:
        return [(path, status) for path, status in await self.page.evaluate("requests")]

    async def until(self, name: str, fits: Callable[[Any], bool] = lambda _: True, within: float = 10) -> Any:
        """The first signal called `name` that fits; fails with everything seen."""
        try:
            async with asyncio.timeout(within):
                while True:
                    for value in await self.signals(name):
                        if fits(value):
                            return value
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"no {name}: {await self.page.evaluate('log')}, {await self.requests()}") from None


Open = Callable[[], Awaitable[Sdk]]


@pytest.fixture
async def open_page(
    browser: Browser, server: Server, web_root: Path, environment: Environment, bundle: bytes
) -> AsyncIterator[Open]:
    (web_root / "assets" / "sdk.js").write_bytes(bundle)
    (web_root / "index.html").write_text('<!doctype html><script src="/assets/sdk.js"></script>')
    context = await browser.new_context(ignore_https_errors=True)

    async def opened() -> Sdk:
        page = await context.new_page()
        await page.goto(f"https://localhost:{environment.node_https_port}/")
        return Sdk(page)

    yield opened
    await context.close()


async def eventually(true: Callable[[], Any], within: float = 10) -> None:
    """Wait until a condition holds; fails at the deadline."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        outcome = true()
        if inspect.isawaitable(outcome):
            outcome = await outcome
        if outcome:
            return
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


@pytest.mark.spec("API-163", "API-165", "API-166")
async def test_joining(open_page: Open) -> None:
    ada = await open_page()
    await ada.join("meet.demo", "Ada")
    assert await ada.until("onServiceType") == "conference"
    await ada.until("onConnected")
    authenticated = await ada.until("onAuthenticatedWithConference")
    assert authenticated["conferenceAlias"] == "meet.demo"
    roster = await ada.until("onParticipants")
    assert [participant["displayName"] for participant in roster["participants"]] == ["Ada"]
    assert len(await ada.signals("onParticipants")) == 1
    status = await ada.until("onConferenceStatus")
    assert status["status"]["locked"] is False
    paths = [path.rpartition("/")[2] or "theme" for path, _ in await ada.requests()]
    assert paths[:2] == ["request_token", "theme"]
    assert all(code in (200, 204) for _, code in await ada.requests())


@pytest.mark.spec("API-003")
async def test_an_alias_with_an_at_sign_in_both_spellings(open_page: Open) -> None:
    ada = await open_page()
    await ada.join("demo@example.com", "Ada")
    await ada.until("onParticipants")
    assert (await ada.requests())[0][0] == "/conferences/demo%40example.com/request_token"


@pytest.mark.spec("API-164", "API-031", "API-033")
async def test_pins(open_page: Open) -> None:
    ada = await open_page()
    await ada.join("guests", "Ada")
    assert await ada.until("onPinRequired") == {"hasHostPin": True, "hasGuestPin": False}
    await ada.join("guests", "Ada", pin="9")
    assert await ada.until("onError") == {"error": "Invalid PIN", "errorCode": "#pex101"}
    await ada.join("guests", "Ada", pin="1234")
    await ada.until("onParticipants")
    nobody = await open_page()
    await nobody.join("nowhere", "Bob")
    error = await nobody.until("onError")
    assert error == {"error": "Neither conference nor gateway found", "errorCode": "#pex154"}


@pytest.mark.spec("API-169", "API-064", "API-115", "API-051")
async def test_hosts_act_on_others(open_page: Open, live: Api, switchboard: FakeSwitchboard) -> None:
    ada = await open_page()
    await ada.join("meet.demo", "Ada")
    await ada.until("onParticipants")
    bob = await live.join(name="Bob")
    joined = await ada.until("onParticipantJoined")
    assert "Bob" in str(joined)
    me = (await ada.signals("onParticipants"))[0]["participants"][0]["uuid"]
    assert (await bob.post(f"participants/{me}/mute")).status_code == 200
    await ada.until("onMyselfMuted", lambda muted: muted is True)
    await ada.until("onMe", lambda me: me["participant"]["isMuted"] is True)
    await bob.post("message", {"type": "text/plain", "payload": "good morning"})
    message = await ada.until("onMessage")
    assert message["message"] == "good morning"
    assert message["displayName"] == "Bob"
    for name, argument in (
        ("lock", {"lock": True}),
        ("muteAllGuests", {"mute": True}),
        ("raiseHand", {"raise": True}),
        ("clientMute", {"mute": True}),
        ("muteVideo", {"muteVideo": True}),
        ("spotlight", {"enable": True, "participantUuid": me}),
        ("setRole", {"role": "chair", "participantUuid": me}),
        ("setTextOverlay", {"text": "Countess", "participantUuid": me}),
        ("sendMessage", {"payload": "hello"}),
        ("sendApplicationMessage", {"payload": {"answer": 42}}),
        ("startConference", {}),
        ("requestParticipants", {}),
        ("availableLayouts", {}),
        ("layoutSvgs", {}),
        ("notifyNotAFK", {}),
        ("lowerAllRaisedHands", {}),
    ):
        before = len(await ada.requests())
        await ada.act(name, argument)
        made = (await ada.requests())[before:]
        assert {status for _, status in made} == {200}, (name, made)
    await ada.until("onConferenceStatus", lambda state: state["status"]["locked"] is True)
    await ada.act("kick", {"participantUuid": bob.uuid})
    await ada.until("onParticipantLeft")
    assert await ada.signals("onFailedRequest") == []


@pytest.mark.spec("API-174", "API-052")
async def test_being_removed(open_page: Open, live: Api, switchboard: FakeSwitchboard) -> None:
    ada = await open_page()
    await ada.join("meet.demo", "Ada")
    roster = await ada.until("onParticipants")
    bob = await live.join(name="Bob")
    await bob.post(f"participants/{roster['participants'][0]['uuid']}/disconnect")
    gone = await ada.until("onDisconnected")
    assert gone == {"error": "Disconnected by another participant", "errorCode": "#pex124"}


@pytest.mark.spec("API-175", "API-026")
async def test_closing_the_tab_sends_the_beacon(open_page: Open, live: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await open_page(), await live.join(name="Bob")
    await ada.join("meet.demo", "Ada")
    roster = await ada.until("onParticipants")
    me = next(p["uuid"] for p in roster["participants"] if p["displayName"] == "Ada")
    async with bob.events() as events:
        await events.until("layout")
        await ada.page.evaluate("void act('disconnect', {reason: 'Browser closed'})")
        await events.until("participant_delete", uuid=me, within=2)


@pytest.mark.spec("API-172", "API-050", "API-054")
async def test_a_broken_stream_is_reopened(open_page: Open, live: Api, server: Server) -> None:
    ada = await open_page()
    await ada.join("meet.demo", "Ada")
    await ada.until("onParticipants")
    for client in server._api.clients:
        assert client.stream is not None
        client.stream.tell("of_our_own", {"anything": 1})
    break_streams(server)

    async def synced_again() -> bool:
        return len(await ada.signals("onParticipants")) >= 2

    await eventually(synced_again)
    assert await ada.signals("onDisconnected") == []


@pytest.mark.spec("API-167", "API-075")
async def test_a_call_with_media(open_page: Open, switchboard: FakeSwitchboard) -> None:
    far = await open_page()

    async def answer(call: str, offer: str) -> str:
        return await far.page.evaluate("([c, o]) => answer(c, o)", [call, offer])

    switchboard.answerer = answer
    ada = await open_page()
    await ada.join("meet.demo", "Ada", media=True)
    await ada.until("onAnswer")
    await ada.until("onCallConnected", within=15)
    me = await ada.until("onMe", lambda me: me["participant"]["hasMedia"] is True)
    session = switchboard.session(me["participant"]["uuid"])
    assert session
    assert len(session.confirmed) >= 1
    await eventually(lambda: session.candidates)
    await ada.act("disconnect", {"reason": "User initiated disconnect"})
    await eventually(lambda: session.left is not None)
    assert session.closed == [session.confirmed[0]]
    assert all(status in (200, 204) for _, status in await ada.requests())
