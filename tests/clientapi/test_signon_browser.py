"""Signing on from the web app in Chromium: in a window of its own (OIDC) and by leaving the page (SAML)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from playwright.async_api import BrowserContext, Route, expect

from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.signon.fetching import Fetcher
from rostra.domain.signon import SignOnRules
from rostra.environment import Environment
from tests.clientapi.fakes import FakeSwitchboard, service
from tests.clientapi.providers import OIDC, SAML, Oidc, saml_answer
from tests.clientapi.test_webapp import browser, context

__all__ = ["browser", "context"]


@pytest.fixture
def web_root() -> Path:
    return Path(__file__).parents[2] / "web" / "dist"


@pytest.fixture
def base(environment: Environment) -> str:
    return f"https://localhost:{environment.node_https_port}"


@pytest.fixture
def oidc(base: str) -> Oidc:
    return Oidc(msgspec.structs.replace(OIDC, redirects=(f"{base}/api/v1/oidcconsumer/oidc-1",)))


@pytest.fixture
def desk(base: str, oidc: Oidc) -> SignOnDesk:
    saml = msgspec.structs.replace(SAML, popup=False, redirects=(f"{base}/api/v1/samlconsumer/saml-1",))
    providers = {"oidc-1": oidc.provider, "saml-1": saml}
    return SignOnDesk(providers.get, lambda: b"k" * 32, Fetcher(transport=oidc.transport))


@pytest.fixture
def switchboard() -> FakeSwitchboard:
    board = service(1, "Board", "board")
    board.sign_on = SignOnRules(hosts=("oidc-1", "saml-1"))
    return FakeSwitchboard(board)


@pytest.mark.usefixtures("server")
@pytest.mark.spec("API-036", "API-037")
async def test_signed_on_people_join_by_the_name_their_provider_gives(
    context: BrowserContext, base: str, oidc: Oidc, switchboard: FakeSwitchboard
) -> None:
    async def ask(route: Route) -> None:
        """OIDC: a page with a button."""
        back = f"{base}/api/v1/oidcconsumer/oidc-1?{urlencode(oidc.authorize(route.request.url))}"
        await route.fulfill(content_type="text/html", body=f"<button onclick=\"location='{back}'\">I am Ada</button>")

    async def vouch(route: Route) -> None:
        """SAML: a form that posts itself."""
        fields = "".join(
            f'<input type=hidden name={name} value="{value}">' for name, value in saml_answer(route.request.url).items()
        )
        form = f'<form method=post action="{base}/api/v1/samlconsumer/saml-1">{fields}</form>'
        await route.fulfill(content_type="text/html", body=f"{form}<script>document.forms[0].submit()</script>")

    await context.route("https://idp.test/**", ask)
    await context.route("https://saml.test/**", vouch)
    page = await context.new_page()
    await page.goto(f"{base}/webapp/conference/board?name=Nobody&join=1")
    await expect(page.get_by_test_id("provider")).to_have_count(2)
    await page.get_by_test_id("provider").first.click()
    async with context.expect_page() as opened:
        await page.get_by_test_id("sign-on-go").click()
    await (await opened.value).get_by_role("button").click()
    await expect(page.get_by_test_id("leave")).to_be_visible()
    assert switchboard.requests[-1].display_name == "Ada Lovelace"

    second = await context.new_page()
    await second.goto(f"{base}/webapp/conference/board?name=Nobody&join=1")
    await second.get_by_test_id("provider").nth(1).click()
    await expect(second.get_by_test_id("leave")).to_be_visible()
    assert switchboard.requests[-1].display_name == "Grace Hopper"
    assert "sso" not in second.url, "the token stays in the address"
