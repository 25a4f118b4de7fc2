"""Aliases that are tried, and floods of who has no token: counted by source."""

from __future__ import annotations

import pytest

from rostra.clientapi import visitors
from rostra.clientapi.visitors import Visitors
from rostra.domain.abuse import Shield

from .driver import ROOT, Api
from .fakes import FakeSwitchboard


async def test_who_tries_aliases_learns_nothing_any_more(api: Api, switchboard: FakeSwitchboard) -> None:
    ada = await api.join(name="Ada")
    guess = [await api.request_token(f"room{number}") for number in range(25)]
    codes = [answer.status_code for answer in guess]
    assert codes[:20] == [404] * 20
    assert codes[20:] == [403] * 5
    there = await api.request_token("meet.demo", display_name="Mallory")
    assert (there.status_code, there.json()["result"]) == (403, guess[-1].json()["result"])
    for alias in ("ann@example.com", "meet.demo"):
        refused = await api.http.post(f"{ROOT}/registrations/{alias}/request_token")
        assert (refused.status_code, refused.json()["result"]) == (403, guess[-1].json()["result"])
    assert (await ada.get("conference_status")).status_code == 200, "who is in goes on"
    assert (await ada.post("refresh_token")).status_code == 200


def test_a_company_comes_all_together_a_flood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "RATE", 50.0)
    met = Visitors(Shield())
    delays = [met.delay("192.0.2.1") for _ in range(2000)]
    assert delays[: visitors.BURST - 1] == [0] * (visitors.BURST - 1)
    assert delays[-1] is None
    assert met.delay("192.0.2.2") == 0
    for number in range(visitors.MOST_SOURCES + 5):
        met.delay(f"2001:db8:0:{number:x}::1")
    assert len(met._paces) == visitors.MOST_SOURCES
