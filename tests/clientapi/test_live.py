"""The API over real HTTPS: joining, the event stream, calls."""

from __future__ import annotations

import asyncio
import time

import pytest

from .driver import Api
from .fakes import FakeSwitchboard


@pytest.mark.spec("API-040", "API-041", "API-042", "API-044")
async def test_stream_starts_with_the_snapshot_in_order(live: Api) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    async with ada.events() as events:
        first = [await events.next() for _ in range(8)]
    assert [event.event for event in first] == [
        "hello",
        "conference_update",
        "participant_sync_begin",
        "participant_create",
        "participant_create",
        "participant_sync_end",
        "stage",
        "layout",
    ]
    assert {event.data["uuid"] for event in first[3:5]} == {ada.uuid, bob.uuid}
    assert first[0].data is None
    counters = [event.counter for event in first]
    assert counters == sorted(set(counters))


@pytest.mark.spec("API-039")
async def test_stream_headers_come_at_once(live: Api) -> None:
    ada = await live.join()
    begun = time.monotonic()
    async with ada.events() as events:
        assert time.monotonic() - begun < 1.0
        headers = events.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers
    assert "content-encoding" not in headers


async def test_a_call_from_offer_to_disconnect(live: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    async with bob.events() as events:
        await events.until("layout")
        call = await ada.call()
        assert await ada.act(f"calls/{call}/ack", {}) is True
        await events.until("participant_update", uuid=ada.uuid, has_media=True, is_video_call="YES")
        assert await ada.act(f"calls/{call}/disconnect") is None
        await events.until("participant_update", uuid=ada.uuid, has_media=False)
    session = switchboard.session(ada.uuid)
    assert session is not None
    assert session.confirmed == [call]
    assert session.closed == [call]


@pytest.mark.spec("API-049", "API-053")
async def test_a_new_stream_takes_over(live: Api) -> None:
    ada = await live.join()
    async with ada.events() as old:
        await old.until("layout")
        async with ada.events() as new:
            await new.until("layout")
            assert [event.event for event in await old.end()] == ["bye"]
            assert (await ada.post("lock")).status_code == 200
            await new.until("conference_update", locked=True)


@pytest.mark.spec("API-048", "API-021")
async def test_refreshing_leaves_stream_and_old_token_alone(live: Api) -> None:
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
        answers = await asyncio.gather(ada.post("refresh_token"), ada.post("refresh_token"))
        assert [answer.status_code for answer in answers] == [200, 200]
        tokens = {answer.json()["result"]["token"] for answer in answers}
        assert len(tokens | {ada.token}) == 3
        assert await ada.act("mute") is True
        await events.until("participant_update", is_muted="YES")
        ada.token = tokens.pop()
        assert await ada.act("unmute") is True
        await events.until("participant_update", is_muted="NO")
