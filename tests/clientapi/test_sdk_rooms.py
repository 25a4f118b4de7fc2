"""Breakout rooms, one's own layout and silent video with the unmodified official SDK against a real switchboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from rostra.environment import Environment

from .driver import Api
from .test_breakouts import team  # noqa: F401 (a fixture)
from .test_sdk import Open, Sdk, browser, bundle, eventually

__all__ = ["browser", "bundle"]  # fixtures


@pytest.fixture
async def pages(
    browser: Browser,
    team: Api,  # noqa: F811
    tmp_path: Path,
    environment: Environment,
    bundle: bytes,
) -> AsyncIterator[Open]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "sdk.js").write_bytes(bundle)
    (tmp_path / "index.html").write_text('<!doctype html><script src="/assets/sdk.js"></script>')
    context = await browser.new_context(ignore_https_errors=True)

    async def opened() -> Sdk:
        page = await context.new_page()
        await page.goto(f"https://localhost:{environment.node_https_port}/")
        return Sdk(page)

    yield opened
    await context.close()


async def members(sdk: Sdk, room: str) -> list[str]:
    """Names in a room as the SDK has them now."""
    return await sdk.page.evaluate(
        "async r => (await act('getParticipants', r) ?? []).map(one => one.displayName).sort()", room
    )


@pytest.mark.spec("API-173", "API-152", "API-153", "API-154", "API-156", "API-126")
async def test_the_official_sdk_opens_a_room_and_a_guest_goes_there_and_back(pages: Open) -> None:
    host, guest = await pages(), await pages()
    await host.join("team", "Host", pin="1234")
    await host.until("onParticipants")
    await host.act("startConference", {})
    await guest.join("team", "Guest", pin="none")
    await guest.until("onParticipants")
    await host.until("onParticipantJoined")
    await host.until("onConferenceStatus", lambda told: told["status"]["breakoutRooms"] is True)
    them = {one["displayName"]: one["uuid"] for one in await host.act("getParticipants", "main")}
    room = (await host.act("breakout", {"name": "Red", "participants": {"main": [them["Guest"]]}}))["breakout_uuid"]
    begun = await host.until("onBreakoutBegin")
    assert begun["breakout_uuid"] == room
    sent = await guest.until("onTransfer")
    assert (sent["target"], sent["breakoutName"]) == ("breakout", "Red")
    await follow(guest, sent)

    async def there() -> bool:
        return await members(host, room) == ["Guest", "Host"]

    await eventually(there)
    status = await host.until("onConferenceStatus", lambda told: told["id"] == room)
    assert (status["status"]["breakout"], status["status"]["breakoutName"]) == (True, "Red")
    await guest.act("breakoutAskForHelp", {})
    await host.until(
        "onConferenceStatus", lambda told: told["id"] == room and told["status"]["breakoutbuzz"]["value"] is True
    )
    await host.act("setPersonalLayout", {"transforms": {"layout": "4:0"}})
    await host.until("onMe", lambda me: me["participant"]["receiveFromVideoMix"]["mix_name"] == "main.!personal")
    await host.act("deleteVideoMix", {})
    inside = next(one for one in await host.act("getParticipants", room) if one["displayName"] == "Guest")
    moving = {"fromBreakoutUuid": room, "toRoomUuid": "main", "participants": [inside["uuid"]]}
    await host.act("breakoutMoveParticipants", moving)
    back = await guest.until("onTransfer", lambda told: told["target"] == "main")
    await follow(guest, back)

    async def home() -> bool:
        return await members(host, "main") == ["Guest", "Host"] and await members(host, room) == ["Host"]

    await eventually(home)
    await host.act("closeBreakouts", {})
    await host.until("onBreakoutEnd")
    for sdk in (host, guest):
        assert await sdk.signals("onFailedRequest") == []
        assert {code for path, code in await sdk.requests() if not path.endswith("request_token")} <= {200, 204}


async def follow(sdk: Sdk, told: dict[str, Any]) -> None:
    """Go where one is sent, as the official app does."""
    await sdk.act("disconnect", {"reason": "Transfer"})
    synced = len(await sdk.signals("onParticipants"))
    where = {"conferenceAlias": told["alias"], "token": told["token"], "displayName": "Guest"}
    await sdk.page.evaluate("where => void act('call', {...where, bandwidth: 0, callType: 0})", where)

    async def again() -> bool:
        return len(await sdk.signals("onParticipants")) > synced

    await eventually(again)
