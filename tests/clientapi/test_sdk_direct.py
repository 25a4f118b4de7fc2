"""Direct media between two pages with the unmodified official SDK, real pictures and sound (section 18)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve
from rostra.environment import Environment
from rostra.tls import context_of
from tests.calls.network import Network, Node

from .test_direct import SERVICES
from .test_sdk import Open, Sdk, browser, bundle, eventually

__all__ = ["browser", "bundle"]  # fixtures


@pytest.fixture
async def pages(
    browser: Browser, environment: Environment, certificate: tuple[Path, Path], tmp_path: Path, bundle: bytes
) -> AsyncIterator[Open]:
    """Pages at a node that has no media."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "sdk.js").write_bytes(bundle)
    (tmp_path / "index.html").write_text('<!doctype html><script src="/assets/sdk.js"></script>')
    node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower())).start()
    server = serve(create_app(node.exchange, environment, tmp_path), environment, context_of(*certificate))
    await server.start()
    context = await browser.new_context(ignore_https_errors=True)

    async def opened() -> Sdk:
        page = await context.new_page()
        await page.goto(f"https://localhost:{environment.node_https_port}/")
        return Sdk(page)

    yield opened
    await context.close()
    await server.stop()
    await node.exchange.close()


@pytest.mark.spec("API-118", "API-158", "API-159", "API-161", "API-162")
async def test_two_official_clients_see_each_other_past_the_platform(pages: Open) -> None:
    ada, bob = await pages(), await pages()
    await ada.join("pair", "Ada", media=True)
    await ada.until("onParticipants")
    await bob.join("pair", "Bob", media=True)
    for sdk in (ada, bob):
        await sdk.until("onRemoteStream")

        async def watches(page: Sdk = sdk) -> bool:
            return await page.page.evaluate("frames_seen()") > 10

        await eventually(watches, 20)
    await bob.act("sendMessage", {"payload": "past the platform"})
    said = await ada.until("onMessage")
    assert said["message"] == "past the platform"
    assert not [path for path, _ in await bob.requests() if path.endswith("/message")], "by the data channel"
    cy = await pages()
    await cy.join("pair", "Cy")
    for sdk in (ada, bob):
        told = await sdk.until("onTransfer")
        assert told["target"] == "transcoded"
        assert await sdk.signals("onFailedRequest") == []
