"""The web app when its node is lost: it gets back in by another node, or by the same one, and says what it does.

Two nodes in this process, on one fake switchboard that stands for the platform.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from rostra.calls.switchboard import Refusal
from rostra.clientapi.app import create_app
from rostra.clientapi.serving import Server
from rostra.environment import Environment
from rostra.tls import context_of

from . import test_webapp
from .driver import Api, break_streams
from .fakes import FakeSession, FakeSwitchboard
from .test_sdk import eventually
from .test_webapp import Visit, joined, picture_flows

browser, context, far, web_root = test_webapp.browser, test_webapp.context, test_webapp.far, test_webapp.web_root
visit = test_webapp.visit


class Freezer:
    """An application that can stop answering, as a node does whose network is cut."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.frozen = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.frozen:
            await asyncio.Event().wait()

        async def unless_frozen(message: dict[str, object]) -> None:
            if self.frozen:
                await asyncio.Event().wait()
            await send(message)

        await self.app(scope, receive, unless_frozen)


StartNode = Callable[[int], Awaitable[Server]]


@pytest.fixture
async def start_node(
    switchboard: FakeSwitchboard, environment: Environment, certificate: tuple[Path, Path], web_root: Path
) -> AsyncIterator[StartNode]:
    """Starts another node of the platform on a port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(port: int) -> Server:
            app = create_app(switchboard, environment, web_root)
            server = Server(app, port, context_of(*certificate))
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
def second_port(environment: Environment) -> int:
    return environment.management_https_port


@pytest.fixture
def alternatives(second_port: int) -> list[str]:
    return [f"https://localhost:{second_port}"]


@pytest.fixture
async def second(start_node: StartNode, second_port: int) -> Server:
    """The node that clients of the first one are told of."""
    return await start_node(second_port)


class Connections(set[Any]):
    """The connections of a server that can die: those still being made when it does die too."""

    dead = False

    def add(self, connection: Any) -> None:
        super().add(connection)
        if self.dead:
            asyncio.get_running_loop().call_soon(lambda: connection.transport.abort())

    def die(self) -> None:
        self.dead = True
        for connection in list(self):
            connection.transport.abort()


@pytest.fixture(autouse=True)
def connections(server: Server) -> Connections:
    made = server._server.server_state.connections = Connections()
    return made


def kill(server: Server) -> None:
    """As SIGKILL would: nothing is said, every connection breaks, none can be made."""
    for listener in server._server.servers:
        listener.close()
    server._server.server_state.connections.die()


async def die(server: Server, far: Page, session: FakeSession) -> None:
    """The node dies, its media with it; the others drop its participants from the roster."""
    kill(server)
    await far.evaluate("kill()")
    session.conference.discard(session.participant.uuid, "Signaling node disconnected")


def others(switchboard: FakeSwitchboard, known: FakeSession) -> list[FakeSession]:
    present = {participant.uuid for participant in switchboard.conference("Demo").participants}
    sessions = switchboard.conference("Demo").sessions.values()
    return [session for session in sessions if session is not known and session.participant.uuid in present]


async def test_a_killed_node_is_replaced_by_another(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server, live: Api
) -> None:
    page, session = await joined(visit, switchboard)
    bob = await live.join(name="Bob")
    await page.get_by_test_id("show-chat").click()
    await bob.post("message", {"type": "text/plain", "payload": "before"})
    await expect(page.get_by_test_id("chat")).to_contain_text("before")
    await page.get_by_test_id("mute-mic").click()
    await eventually(lambda: session.participant.is_client_muted)
    begun = time.monotonic()
    await die(server, far, session)
    banner = page.get_by_test_id("reconnecting")
    await expect(banner).to_contain_text("Connection lost", timeout=1500)
    await eventually(lambda: len(others(switchboard, session)) == 2)
    assert 1.5 < time.monotonic() - begun < 5, "lost too early or too late"
    await far.wait_for_function("sending()", timeout=5000)
    await picture_flows(page, 3)
    print(f"picture by another node {time.monotonic() - begun:.1f} s after the kill")
    assert time.monotonic() - begun < 8
    (again,) = [one for one in others(switchboard, session) if one.participant.display_name == "Ada"]
    await eventually(lambda: second._api.clients.get(again.participant.uuid))
    await eventually(lambda: again.participant.is_client_muted)
    await expect(page.get_by_test_id("mute-mic")).to_have_attribute("data-off", "true")
    await expect(page.get_by_test_id("chat")).to_contain_text("before")
    await expect(page.get_by_test_id("reconnecting")).to_have_count(0)
    await page.get_by_test_id("leave").click()
    await eventually(lambda: again.left is not None)


async def test_a_node_that_stops_is_left_at_once(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server
) -> None:
    page, session = await joined(visit, switchboard)
    begun = time.monotonic()
    stopping = asyncio.ensure_future(server.stop())
    await eventually(lambda: others(switchboard, session), within=2)
    print(f"joined another node {time.monotonic() - begun:.2f} s after the stop began")
    await stopping
    await expect(page.get_by_test_id("ended")).to_have_count(0)
    (again,) = others(switchboard, session)
    await eventually(lambda: second._api.clients.get(again.participant.uuid))
    await eventually(lambda: again.confirmed)


@pytest.mark.parametrize("alternatives", [[]], ids=["alone"])
async def test_a_restarted_node_is_joined_again(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, environment: Environment,
    start_node: StartNode,
) -> None:  # fmt: skip
    page, session = await joined(visit, switchboard)
    await die(server, far, session)
    await expect(page.get_by_test_id("stop-rejoining")).to_be_visible(timeout=4000)
    restarted = await start_node(environment.node_https_port)
    await eventually(lambda: others(switchboard, session), within=15)
    (again,) = others(switchboard, session)
    await eventually(lambda: restarted._api.clients.get(again.participant.uuid))
    await far.wait_for_function("sending()", timeout=5000)
    await picture_flows(page, 3)


async def test_a_node_that_falls_silent_is_noticed_by_its_media(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server
) -> None:
    config = server._server.config
    freezer = config.loaded_app = Freezer(config.loaded_app)
    page, session = await joined(visit, switchboard)
    begun = time.monotonic()
    freezer.frozen = True
    await far.evaluate("kill()")
    await eventually(lambda: others(switchboard, session), within=20)
    print(f"joined another node {time.monotonic() - begun:.1f} s after the first fell silent")
    assert time.monotonic() - begun < 12, "silence alone would have been noticed as soon"
    await far.wait_for_function("sending()", timeout=5000)
    await picture_flows(page, 3)


async def test_a_short_silence_changes_nothing(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, environment: Environment, second: Server
) -> None:
    page, session = await joined(visit, switchboard)
    break_streams(server)
    await expect(page.get_by_test_id("reconnecting")).to_have_count(0)
    await picture_flows(page, 3)
    assert others(switchboard, session) == []
    assert session.left is None


@pytest.mark.parametrize("alternatives", [[]], ids=["alone"])
async def test_one_may_stop_it(visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server) -> None:
    page, session = await joined(visit, switchboard)
    await die(server, far, session)
    await page.get_by_test_id("stop-rejoining").click(timeout=5000)
    await expect(page.get_by_test_id("ended")).to_be_visible()


async def test_where_the_browser_forbids_it_a_link_leads_to_the_other_node(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server, second_port: int,
    context: BrowserContext,
) -> None:  # fmt: skip
    """A certificate the browser does not know makes requests to another origin fail without a word."""
    other = f"https://localhost:{second_port}"

    async def forbid(route: Route) -> None:
        cross = not route.request.frame.url.startswith(other)
        await (route.abort("connectionfailed") if cross else route.continue_())

    page, session = await joined(visit, switchboard)
    await page.keyboard.press("m")
    await eventually(lambda: session.participant.is_client_muted)
    await context.route(f"{other}/api/**", forbid)
    await die(server, far, session)
    link = page.get_by_test_id("continue-elsewhere")
    await expect(link).to_have_text(f"Continue on localhost:{second_port}", timeout=5000)
    await link.click()
    await eventually(lambda: others(switchboard, session), within=10)
    await picture_flows(page, 10)
    assert page.url == f"{other}/webapp/conference/meet.demo?name=Ada&join=1"
    (again,) = others(switchboard, session)
    await eventually(lambda: again.participant.is_client_muted)


async def test_who_was_removed_meanwhile_stays_out(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server
) -> None:
    page, session = await joined(visit, switchboard)
    break_streams(server)
    await switchboard.conference("Demo").remove(session.participant.uuid, "Disconnected by another participant")
    reason = page.get_by_test_id("ended-reason")
    await expect(reason).to_have_attribute("data-reason", "Disconnected by another participant")
    assert others(switchboard, session) == []


async def test_a_refusing_node_is_passed_over(
    visit: Visit, far: Page, switchboard: FakeSwitchboard, server: Server, second: Server
) -> None:
    """The other one is full or in maintenance at first; trying goes on."""
    page, session = await joined(visit, switchboard)
    switchboard.refusal = Refusal.MAINTENANCE
    await die(server, far, session)
    asked = len(switchboard.requests)
    await eventually(lambda: len(switchboard.requests) >= asked + 2, within=10)
    switchboard.refusal = None
    await eventually(lambda: others(switchboard, session), within=10)
    await expect(page.get_by_test_id("reconnecting")).to_have_count(0)
