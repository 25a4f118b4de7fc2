"""Every page of the site in a browser, as an administrator and as somebody who may only look.

Pages that the menu leads to, and of each list the form of its first object, or of a new one. Nothing may fail, nothing
may be wider than the window, and what axe-core calls serious fails. ROSTRA_SCREENSHOTS: a directory for pictures of
them all.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.async_api import BrowserContext, Page, async_playwright

from rostra.configuration.models import Conference
from rostra.management import menu, status
from tests.e2e.browser import ARGUMENTS, CHROMIUM

from . import people
from .conftest import Api
from .contract.lively import Lively, remember
from .contract.test_contract import suites
from .test_live_view import settings_without_tls, site

__all__ = ["settings_without_tls", "site"]

WIDTH, HEIGHT = 1280, 800
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
PICTURES = os.environ.get("ROSTRA_SCREENSHOTS", "")
MORE = (
    *("/admin/", "/admin/csv/import/configuration/conference/", "/admin/status/conference/c-1/"),
    *("/admin/manual/admin/site.md", "/admin/manual/search/?q=pin", "/admin/configuration/gatewayroutingrule/add/"),
    *("/admin/configuration/conference/add/", "/admin/accounts/role/add/", "/admin/configuration/tlscertificate/add/"),
)
_EXAMINED = (
    *("/admin/", "/admin/configuration/conference/", "/admin/configuration/conference/add/"),
    *("/admin/management/virtualauditorium/", "/admin/status/live/", "/admin/status/worker_vm/"),
    *("/admin/configuration/globalsettings/1/change/", "/admin/log/administrator/", "/admin/utilities/backup/"),
    *("/admin/csv/import/configuration/conference/", "/admin/configuration/workervm/", "/admin/status/alarm/"),
    *("/admin/manual/admin/site.md", "/admin/configuration/gatewayroutingrule/add/"),
)
"""Pages of each sort, which axe-core looks at."""
_RULES = """{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
             rules: {'label-content-name-mismatch': {enabled: false}}}"""
"""Without what axe-core itself calls an experiment."""


@pytest.fixture
def made(database: Any, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object of every resource, and a platform on which something goes on."""
    remember()
    monkeypatch.setattr(status._Current, "value", Lively())
    for suite in suites().values():
        given = suite()
        if not given.resource.singleton and "post" in api.read(f"{given.name}/schema/")["allowed_list_http_methods"]:
            api("POST", f"{given.name}/", {**given.example, **given.prepare(api)})
    for kind in ("lecture", "two_stage_dialing"):
        Conference.objects.create(name=f"A {kind}", service_type=kind)


@pytest.fixture
def nodes() -> list[Any]:
    """Asked for by `site`."""
    return []


@contextlib.asynccontextmanager
async def opened(site: str, person: Client) -> AsyncGenerator[BrowserContext]:
    """A browser in which `person` is signed in."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = await chromium.new_context(base_url=site, viewport={"width": WIDTH, "height": HEIGHT})
        await found.add_cookies([{"name": "sessionid", "value": person.cookies["sessionid"].value, "url": site}])
        yield found
        await chromium.close()


@pytest.fixture
async def context(site: str, browser: Any) -> AsyncIterator[BrowserContext]:
    async with opened(site, browser) as found:
        yield found


class Walk:
    """One tab of the browser, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.seen: list[str] = []
        page.on("pageerror", lambda problem: self._fault(f"script: {problem}"))
        page.on("console", lambda said: self._fault(said.text) if said.type in ("error", "warning") else None)
        page.on(
            "response", lambda answer: self._fault(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        )
        page.on("requestfailed", lambda request: self._failed(request))

    def _fault(self, what: str) -> None:
        self.faults.append(f"{urlsplit(self.page.url).path}: {what}")

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # left before it was answered
            self._fault(f"{request.failure} {request.url}")

    async def visit(self, path: str) -> None:
        await self.page.goto(path)
        self.seen.append(path)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            self._fault(f"{wide} pixels too wide")
        if PICTURES:
            name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
            await self.page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
        if path in _EXAMINED:
            await self._examine()

    async def _examine(self) -> None:
        await self.page.add_script_tag(path=AXE)
        found = await self.page.evaluate(f"axe.run({_RULES})")
        for violation in found["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["html"][:200] for node in violation["nodes"]][:3]
                self._fault(f"{violation['id']}, {len(violation['nodes'])} times: {places}")

    async def further(self) -> list[str]:
        """From a list: the form of a new object, and of the first one."""
        return await self.page.evaluate(
            """() => [document.querySelector('a[href$="/add/"]'), document.querySelector('#result_list tbody a')]
                     .filter(Boolean).map((link) => new URL(link.href).pathname)"""
        )


_EDITING = """() => [...document.querySelectorAll('a, button, input')]
    .filter((one) => /(^|\\/)(add|delete)\\/?$/.test(one.getAttribute('href') ?? '')
        || ['_save', '_continue', '_addanother', 'confirmed'].includes(one.name) || one.matches('.deletelink'))
    .map((one) => one.outerHTML.slice(0, 200))"""
"""What would change something."""


def links() -> list[str]:
    """Pages that the menu leads to."""
    return [one.link for _, lines in menu.entries() for one in lines]


@pytest.mark.spec("SYS-001")
async def test_every_page_opens_without_a_fault(context: BrowserContext) -> None:
    walk = Walk(await context.new_page())
    offered = 0
    for path in (*MORE, *links()):
        await walk.visit(path)
        offered += bool(await walk.page.evaluate(_EDITING))
        for other in (await walk.further())[-1:]:
            if other not in walk.seen:
                await walk.visit(other)
    assert not walk.faults, "\n".join(walk.faults)
    assert len(walk.seen) > 110
    assert offered > 40, "what nobody who may only look is offered"


@pytest.fixture
def reader(database: Any, made: None) -> Client:
    """Somebody who may see all and change nothing."""
    from rostra.management.accounts.permissions import READ_ONLY

    client = Client()
    client.force_login(people.account("reader", *READ_ONLY))
    return client


def test_who_may_only_look_sees_pages_or_that_access_is_denied(reader: Client) -> None:
    statuses: dict[str, int] = {}
    for link in links():
        response = reader.get(link, follow=True)
        statuses[link] = response.status_code
        text = response.content.decode()
        assert response.status_code == 200 or 'id="denied"' in text, link
        assert not re.search(r'href="[^"]*/add/"', text), link
        assert not re.search(
            r'name="(_save|_continue|_addanother|confirmed)"|href="[^"]*/delete/?"|deletelink', text
        ), link
        statuses[f"{link}add/"] = reader.get(f"{link}add/").status_code
    assert {status for link, status in statuses.items() if link.endswith("/add/")} <= {403, 404}
    assert list(statuses.values()).count(200) > 60


async def test_who_may_only_look_is_offered_nothing_else(site: str, reader: Client) -> None:
    refused = ("conference", "workervm", "systemlocation", "ivrtheme")
    async with opened(site, reader) as context:
        walk = Walk(await context.new_page())
        for path in links()[::3]:  # what stands in the others is tested above
            await walk.visit(path)
            assert not await walk.page.evaluate(_EDITING), path
            for other in await walk.further():
                assert not other.endswith("/add/")
                await walk.visit(other)
                assert not await walk.page.evaluate(_EDITING), other
        assert not walk.faults, "\n".join(walk.faults)
        assert len(walk.seen) > 35
        await walk.visit("/admin/")
        token = await walk.page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value")
        given = {"csrfmiddlewaretoken": token, "name": "Mine"}
        for model in refused:
            for page in ("add", "1/change", "1/delete"):
                answer = await context.request.post(f"/admin/configuration/{model}/{page}/", form=given)
                assert answer.status == 403, (model, page)
                assert 'id="denied"' in await answer.text(), "refused for something else"


async def test_the_menu_is_used_by_keys(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/admin/configuration/conference/")
    section = page.locator('button.rs-section-title:has-text("Call Control")')
    await section.focus()
    assert await section.get_attribute("aria-expanded") == "false"
    await page.keyboard.press("Enter")
    assert await section.get_attribute("aria-expanded") == "true"
    await page.locator('a.rs-entry:has-text("H.323")').wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin/configuration/h323gatekeeper/")
    assert await page.locator('[aria-current="page"]').inner_text() != ""


async def test_it_can_be_read_in_the_dark(context: BrowserContext) -> None:
    walk = Walk(await context.new_page())
    await walk.page.emulate_media(color_scheme="dark")
    for path in ("/admin/", "/admin/configuration/conference/add/", "/admin/status/worker_vm/"):
        await walk.visit(path)
        assert "dark" in await walk.page.evaluate("document.documentElement.className")
    assert not walk.faults, "\n".join(walk.faults)


@pytest.mark.spec("PLAT-163", "PLAT-164")
async def test_times_are_in_the_viewers_zone_and_help_can_be_put_away(context: BrowserContext) -> None:
    walk = Walk(await context.new_page())
    console = await context.new_cdp_session(walk.page)
    await console.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    await walk.visit("/admin/status/conference/c-1/")
    begun = walk.page.get_by_text("2023-11-15 07:13:21 (GMT+9)").first
    assert await begun.get_attribute("title") == "2023-11-14 22:13:21 (UTC)"
    await walk.visit("/admin/configuration/sipproxy/add/")
    text, switch = walk.page.get_by_text("A name no other SIP proxy has."), walk.page.locator("#rs-help")
    assert await text.is_visible()
    await switch.click()
    assert not await text.is_visible()
    await walk.page.reload()
    assert not await text.is_visible(), "it stays away"
    await switch.click()
    assert await text.is_visible()
    assert not walk.faults, "\n".join(walk.faults)
