"""The form of a Call Routing Rule in a browser: what plays no part is not asked, as soon as it plays none."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.test import Client
from playwright.async_api import Page

from .test_live_view import made, nodes, settings_without_tls, site
from .test_site_walk import opened

__all__ = ["made", "nodes", "settings_without_tls", "site"]

_PICTURES = os.environ.get("ROSTRA_SCREENSHOTS", "")


async def shown(page: Page, *names: str) -> dict[str, bool]:
    return {name: await page.locator(f".field-{name}").first.is_visible() for name in names}


@pytest.mark.spec("SVC-091", "SVC-112")
async def test_fields_follow_what_is_chosen(site: str, browser: Client, database: Any) -> None:
    places = ("outgoing_location", "outgoing_protocol", "sip_proxy", "h323_gatekeeper", "mssip_proxy")
    async with opened(site, browser) as context:
        page = await context.new_page()
        await page.goto("/admin/configuration/gatewayroutingrule/add/")
        assert await shown(page, *places) == dict(zip(places, (True, True, True, False, False), strict=True))
        for target, protocol, expected in (
            ("external", "h323", (True, True, False, True, False)),
            ("external", "mssip", (True, True, False, False, True)),
            ("registration", "", (False, False, False, False, False)),
            ("mssip_conference_id", "", (True, False, False, False, True)),
            ("external", "sip", (True, True, True, False, False)),
        ):
            await page.select_option("#id_called_device_type", target)
            if protocol:
                await page.select_option("#id_outgoing_protocol", protocol)
            await page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
            assert await shown(page, *places) == dict(zip(places, expected, strict=True)), (target, protocol)
            if _PICTURES:
                await page.screenshot(path=f"{_PICTURES}/rule-{target}-{protocol}.png", full_page=True)
        sources = ("match_incoming_only_if_registered", "match_incoming_mssip")
        assert await shown(page, *sources) == dict.fromkeys(sources, True)
        await page.locator("#id_match_incoming_only_if_registered").check(force=True)
        await page.locator(".field-match_incoming_mssip").first.wait_for(state="hidden")
        await page.locator("#id_match_incoming_calls").uncheck(force=True)
        await page.locator(".field-match_incoming_only_if_registered").first.wait_for(state="hidden")
