"""The API reference in the site."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from rostra.configuration.resources import register
from rostra.management.declared import commands, tables


def test_it_names_everything_that_is_served(browser: Any) -> None:
    page = browser.get("/admin/platform/schema/").content.decode()
    for one in register:
        assert f'href="/admin/platform/schema/configuration/{one.name}/"' in page
    for one in tables():
        assert f'href="/admin/platform/schema/{one.api}/{one.name}/"' in page
    for one in commands():
        assert f"<code>{one.scope}/{one.name}/</code>" in page
    assert "/api/admin/openapi.json" in page
    assert not re.search(r'(?:src|href)="https?://', page), "works without a way out"
    assert '"/admin/platform/schema/"' in browser.get("/admin/status/live/").content.decode()


def test_a_resource_is_told_with_fields_limits_and_choices(browser: Any) -> None:
    page = browser.get("/admin/platform/schema/configuration/conference/").content.decode()
    row = page[page.index('<tr id="participant_limit">') :]
    assert "0–1000000" in row[: row.index("</tr>")]
    row = page[page.index('<tr id="host_view">') :]
    assert "<code>one_main_zero_pips</code>" in row[: row.index("</tr>")]
    row = page[page.index('<tr id="ivr_theme">') :]
    assert "/admin/platform/schema/configuration/ivr_theme/" in row[: row.index("</tr>")]
    assert "required" in page[page.index('<tr id="name">') :][:400]
    assert "<code>aliases</code>" in page[page.index("Filter by") :]


def test_every_page_of_it_opens(browser: Any) -> None:
    for name in [one.name for one in register][::6]:
        assert browser.get(f"/admin/platform/schema/configuration/{name}/").status_code == 200
    for one in tables():
        assert browser.get(f"/admin/platform/schema/{one.api}/{one.name}/").status_code == 200
    for path in ("configuration/nothing/", "status/nothing/", "nothing/conference/"):
        assert browser.get(f"/admin/platform/schema/{path}").status_code == 404
    assert Client().get("/admin/platform/schema/").status_code == 302
