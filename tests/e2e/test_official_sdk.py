"""The unmodified official SDK in Chromium against the whole platform, media included (section 19 of the sheet)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import BrowserContext, Route

from rostra.bfcp.association import status_of
from rostra.bfcp.message import Attribute, Kind, Primitive, Status
from tests.clientapi.test_sdk import Sdk, browser, bundle, eventually
from tests.e2e.phone import colours
from tests.e2e.platform import Platform, wait_until
from tests.e2e.room import SLIDES, Room

__all__ = ["browser", "bundle"]  # fixtures of the same pages

pytestmark = pytest.mark.e2e
PAGE = "/sdk-test.html"


@pytest.fixture
async def context(browser: object, bundle: bytes, platform: Platform) -> AsyncIterator[BrowserContext]:
    """Pages of the node's own origin that hold the SDK instead of the web app."""
    opened: BrowserContext = await browser.new_context(ignore_https_errors=True)  # type: ignore[attr-defined]

    async def page(route: Route) -> None:
        await route.fulfill(body='<!doctype html><body><script src="/sdk-test.js"></script>', content_type="text/html")

    async def script(route: Route) -> None:
        await route.fulfill(body=bundle, content_type="text/javascript")

    await opened.route(f"**{PAGE}", page)
    await opened.route("**/sdk-test.js", script)
    yield opened
    await opened.close()


async def person(context: BrowserContext, platform: Platform) -> Sdk:
    page = await context.new_page()
    await page.goto(platform.web + PAGE)
    return Sdk(page)


async def updates(sdk: Sdk) -> int:
    return len([path for path, _ in await sdk.requests() if path.endswith("/update")])


@pytest.mark.spec("API-163", "API-165", "API-166", "API-167", "API-093")
async def test_two_sdk_clients_see_each_other_and_stay_calm(context: BrowserContext, platform: Platform) -> None:
    ada, bob = await person(context, platform), await person(context, platform)
    await ada.join("meet.demo", "Ada", media=True)
    await ada.until("onCallConnected", within=20)
    await bob.join("meet.demo", "Bob", media=True)
    await bob.until("onCallConnected", within=20)
    for sdk in (ada, bob):
        await sdk.until("onMe", lambda me: me["participant"]["hasMedia"] is True)

        async def pictures(sdk: Sdk = sdk) -> bool:
            return await sdk.page.evaluate("frames_seen()") > 20

        await eventually(pictures, within=20)
    settled = await updates(ada)
    await asyncio.sleep(6)  # the SDK restarts ICE whenever a second passes without a packet: none may
    assert await updates(ada) == settled
    for sdk in (ada, bob):
        assert all(status in (200, 204) for _, status in await sdk.requests()), await sdk.requests()
        assert await sdk.signals("onReconnecting") == []
        assert await sdk.signals("onFailedRequest") == []
    roster = await ada.until("onParticipants")
    await ada.act("kick", {"participantUuid": (await bob.signals("onMe"))[-1]["participant"]["uuid"]})
    await bob.until("onDisconnected")
    await ada.until("onParticipantLeft")
    assert roster
    await ada.act("disconnect", {"reason": "User initiated disconnect"})


async def test_media_comes_back_after_its_worker_was_killed(context: BrowserContext, platform: Platform) -> None:
    """The SDK notices the missing packets and restarts ICE by `update` on the same call."""
    ada = await person(context, platform)
    await ada.join("meet.demo", "Ada", media=True)
    await ada.until("onCallConnected", within=20)

    async def frames() -> int:
        return await ada.page.evaluate("frames_seen()")

    async def pictures() -> bool:
        return await frames() > 20

    await eventually(pictures, within=20)
    for pid in platform.find("rostra.media.engine"):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    before = await frames()

    async def again() -> bool:
        return await frames() > before + 20

    await eventually(again, within=20)
    assert await ada.signals("onDisconnected") == []
    await ada.act("disconnect", {"reason": "User initiated disconnect"})


def near(seen: Any, wanted: int, slack: int = 40) -> bool:
    return all(abs(one - (wanted >> shift & 255)) < slack for one, shift in zip(seen, (16, 8, 0), strict=True))


async def watches(sdk: Sdk, wanted: int) -> None:
    """Until the presentation that a client receives has this colour."""

    async def shown() -> bool:
        seen = await sdk.page.evaluate("slides_seen()")
        return bool(seen) and near(seen[2:], wanted)

    await eventually(shown, within=20)


async def fetch_still(platform: Platform, directory: Path) -> tuple[int, list[int]]:
    """What somebody without media sees of the presentation: the size of the picture, and its colour."""
    root = f"{platform.web}/api/client/v2/conferences/meet.demo"
    async with httpx.AsyncClient(verify=False) as client:
        joined = (await client.post(f"{root}/request_token", json={"display_name": "Stills"})).json()["result"]
        token = {"token": joined["token"]}
        answer = await client.get(f"{root}/presentation_high.jpeg", headers=token)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        small = await client.get(f"{root}/presentation.jpeg", params=token)
        await client.post(f"{root}/release_token", headers=token)
    picture = directory / "still.jpg"
    picture.write_bytes(answer.content)
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=width", "-of", "csv=p=0", "-"]
    probed = await asyncio.to_thread(
        subprocess.run, probe, input=small.content, capture_output=True, check=True, timeout=20
    )
    assert int(probed.stdout) == 640
    return len(answer.content), list(colours(picture, (640, 360))[0])


RED = 0xD02020


@pytest.mark.spec(
    "API-099", "API-100", "API-101", "API-102", "API-106", "API-107", "API-110", "API-111", "API-170", "API-171",
    "PLAT-111", "REF-118", "REF-129",
)  # fmt: skip
async def test_a_presentation_goes_from_the_sdk_to_all_and_from_a_room_system_to_the_sdk(
    context: BrowserContext, platform: Platform, tmp_path: Path
) -> None:
    ada, bob = await person(context, platform), await person(context, platform)
    for sdk, name in ((ada, "Ada"), (bob, "Bob")):
        await sdk.join("meet.demo", name, media=True)
        await sdk.until("onCallConnected", within=20)
    room = Room("meet.demo", platform.environment.sip_port)
    await room.join()
    room.ask(Primitive.FLOOR_QUERY, room.floor)
    await ada.page.evaluate("present('#d02020')")
    await watches(bob, RED)
    await room.slides.until(lambda found: found[2] > 180, 10, "red")
    others = [status_of(one) for one in room.said if one.primitive == Primitive.FLOOR_STATUS]
    assert others[-1] is not None
    assert others[-1][1] == Status.GRANTED
    size, colour = await fetch_still(platform, tmp_path)
    assert size > 2000
    assert near(colour, RED)
    room.ask(Primitive.FLOOR_REQUEST, room.floor)

    def granted() -> list[int]:
        found = [status_of(one) for one in room.said if one.primitive == Primitive.FLOOR_REQUEST_STATUS]
        return [one[0] for one in found if one and one[1] == Status.GRANTED]

    await eventually(granted)
    await watches(ada, SLIDES)
    await watches(bob, SLIDES)
    room.ask(Primitive.FLOOR_RELEASE, Attribute(Kind.FLOOR_REQUEST_ID, granted()[-1]))

    async def over() -> bool:
        streams = await bob.page.evaluate("document.querySelector('#slides').srcObject?.active ?? false")
        return not streams or any(signal.startswith("onPresentation") for signal, _ in await bob.page.evaluate("log"))

    await eventually(over)
    for sdk in (ada, bob):
        assert all(status in (200, 204) for _, status in await sdk.requests()), await sdk.requests()
        assert await sdk.signals("onFailedRequest") == []
        await sdk.act("disconnect", {"reason": "User initiated disconnect"})
    await room.leave()


def with_rooms(platform: Platform) -> None:
    """A service with breakout rooms, `rooms.demo`, known to the node."""
    uri = "/api/admin/configuration/v1"
    with platform.api() as api:
        assert api.patch(f"{uri}/global/1/", json={"enable_breakout_rooms": True}).status_code == 202
        made = {"name": "Rooms", "service_type": "conference", "breakout_rooms": True,
                "aliases": [{"alias": "rooms.demo"}]}  # fmt: skip
        assert api.post(f"{uri}/conference/", json=made).status_code == 201
    with platform.client() as client:

        def known() -> bool:
            answer = client.post("/api/client/v2/conferences/rooms.demo/request_token", json={"display_name": "Look"})
            if answer.status_code != 200:
                return False
            granted = answer.json()["result"]
            client.post("/api/client/v2/conferences/rooms.demo/release_token", headers={"token": granted["token"]})
            return granted["breakout_rooms"]

        wait_until(known, 20, "the node does not know the service")


@pytest.mark.spec("API-152", "API-155", "API-157")
async def test_hosts_meet_in_a_breakout_room_with_their_media(context: BrowserContext, platform: Platform) -> None:
    await asyncio.to_thread(with_rooms, platform)
    ada, bob = await person(context, platform), await person(context, platform)
    for sdk, name in ((ada, "Ada"), (bob, "Bob")):
        await sdk.join("rooms.demo", name, media=True)
        await sdk.until("onCallConnected", within=20)
    room = (await ada.act("breakout", {"name": "Red"}))["breakout_uuid"]
    for sdk in (ada, bob):
        await sdk.until("onBreakoutBegin", lambda begun: begun["breakout_uuid"] == room)
    me = (await bob.until("onMe"))["participant"]["uuid"]
    await ada.act("breakoutMoveParticipants", {"toRoomUuid": room, "participants": [me]})
    told = await bob.until("onBreakoutRefer")
    assert (told["breakoutUuid"], told["breakoutName"]) == (room, "Red")
    for sdk in (ada, bob):
        calls = len(await sdk.signals("onCallConnected"))
        await sdk.act("joinBreakoutRoom", {"breakoutUuid": room})

        async def connected(sdk: Sdk = sdk, calls: int = calls) -> bool:
            return len(await sdk.signals("onCallConnected")) > calls

        await eventually(connected, within=20)
    for sdk in (ada, bob):
        frames = await sdk.page.evaluate("frames_seen()")

        async def moves(sdk: Sdk = sdk, frames: int = frames) -> bool:
            return await sdk.page.evaluate("frames_seen()") > frames + 20

        await eventually(moves, within=20)

        async def together(sdk: Sdk = sdk) -> bool:
            inside = await sdk.page.evaluate("async r => (await act('getParticipants', r)) ?? []", room)
            return sorted(one["displayName"] for one in inside if one["hasMedia"]) == ["Ada", "Bob"]

        await eventually(together)
    main = await ada.act("getParticipants", "main")
    assert {one["displayName"]: one["isConjoined"] for one in main} == {"Ada": True, "Bob": True}
    await ada.act("closeBreakouts", {})
    for sdk in (ada, bob):
        await sdk.until("onBreakoutEnd")
        await sdk.until("onCallDisconnected")
        assert {status for _, status in await sdk.requests()} <= {200, 204}, await sdk.requests()
        assert await sdk.signals("onFailedRequest") == []
        await sdk.act("disconnect", {"reason": "User initiated disconnect"})
