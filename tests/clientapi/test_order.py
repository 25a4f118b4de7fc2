"""What streams of one conference show while much happens at once, on a real switchboard (API-015, API-045)."""

from __future__ import annotations

import asyncio
import random

import pytest

from rostra.clientapi.pins import WRONG_PINS

from .driver import Api, Event, User
from .test_breakouts import team, watching  # noqa: F401 (team is a fixture)


def roster_of(events: list[Event]) -> dict[str, dict[str, object]]:
    """The roster a client has after these events, as clients keep it."""
    known: dict[str, dict[str, object]] = {}
    for one in events:
        match one.event:
            case "participant_sync_begin":
                known.clear()
            case "participant_create" | "participant_update":
                assert (one.data["uuid"] in known) == (one.event == "participant_update"), one
                known[one.data["uuid"]] = one.data
            case "participant_delete":
                del known[one.data["uuid"]]
            case _:
                pass
    return known


async def stir(users: list[User], times: int, seed: int) -> None:
    """Act on everybody, several requests at once, from several clients."""
    chance = random.Random(seed)
    for _ in range(times):
        acts = [
            chance.choice(users).post(f"participants/{chance.choice(users).uuid}/{path}", body)
            for path, body in (
                ("mute", None), ("unmute", None), ("overlaytext", {"text": str(chance.random())}), ("buzz", None),
                ("clearbuzz", None), ("spotlighton", None), ("spotlightoff", None),
            )
        ]  # fmt: skip
        for answer in await asyncio.gather(*acts):
            assert answer.status_code in (200, 403), answer.text


@pytest.mark.spec("API-015", "API-045", "API-046")
async def test_all_see_one_order_and_no_change_is_lost(team: Api) -> None:  # noqa: F811
    users = [await team.join("plain", name) for name in ("Ada", "Bob", "Cleo")]
    async with watching(*users[:2]) as streams:
        stirring = asyncio.create_task(stir(users, 12, seed=7))
        late: list[Event] = []
        for _ in range(4):  # snapshots in the middle of it all
            async with users[2].events() as own:
                while (event := await own.next()).event != "participant_sync_end":
                    late.append(event)
                begun = next(index for index, one in enumerate(own.seen) if one.event == "participant_sync_begin")
                assert {one.event for one in own.seen[begun + 1 : -1]} == {"participant_create"}
        async with users[2].events() as own:
            await own.until("layout")
            await stirring
            await users[0].post("message", {"type": "text/plain", "payload": "the end"})
            await users[2].post("message", {"type": "text/plain", "payload": "the end"})
            for stream in (*streams, own):
                await stream.until("message_received", payload="the end")
            seen = [
                [(one.event, one.data) for one in stream.seen if one.event == "participant_update"]
                for stream in streams
            ]
            assert seen[0] == seen[1]
            assert len(seen[0]) > 20
            told = {one["uuid"]: one for one in (await users[0].get("participants")).json()["result"]}
            for stream in (*streams, own):
                assert roster_of(stream.seen) == told


@pytest.mark.spec("API-002")
async def test_any_name_of_the_node_is_good(team: Api) -> None:  # noqa: F811
    for host in ("conf.example.com", "10.44.99.2", "proxy.example.org:8443"):
        answer = await team.http.get("/api/client/v2/status", headers={"host": host})
        assert answer.json() == {"status": "success", "result": "OK"}
        joined = await team.http.post(
            "/api/client/v2/conferences/plain/request_token", json={"display_name": "Ada"}, headers={"host": host}
        )
        assert joined.status_code == 200


@pytest.mark.spec("API-131", "API-133")
async def test_who_is_sent_on_waits_or_is_asked_as_usual(team: Api) -> None:  # noqa: F811
    ada, host = await team.join("plain", "Ada"), await team.join("plain", "Host")
    waiting = {"conference_alias": "team", "role": "guest"}
    async with ada.events() as own:
        await own.until("layout")
        assert (await host.post(f"participants/{ada.uuid}/transfer", waiting)).json()["result"] is True
        told = (await own.until("refer")).data
    granted = (await team.request_token("team", token=told["token"])).json()["result"]
    assert (granted["role"], granted["current_service_type"]) == ("GUEST", "waiting_room")
    again = await team.request_token("team", token=told["token"])
    assert (again.status_code, again.json()["result"]) == (403, "Invalid token")
    bob = await team.join("plain", "Bob")
    async with bob.events() as own:
        await own.until("layout")
        await host.post(f"participants/{bob.uuid}/transfer", {"conference_alias": "team"})
        told = (await own.until("refer")).data
    asked = await team.request_token("team", token=told["token"])
    assert (asked.status_code, asked.json()["result"]["pin"]) == (403, "required")
    granted = (await team.request_token("team", "1234", token=told["token"])).json()["result"]
    assert granted["role"] == "HOST"


@pytest.mark.spec("API-129", "API-030")
async def test_a_transfer_is_no_way_around_a_pin(team: Api) -> None:  # noqa: F811
    """Everybody is a Host where there is no PIN: that opens nothing elsewhere, and PINs are not guessed so either."""
    ada = await team.join("plain", "Ada")
    async with ada.events() as own:
        await own.until("layout")
        assert await ada.act("transfer", {"conference_alias": "team", "role": "host"}) is True
        told = (await own.until("refer")).data
    asked = (await team.request_token("team", token=told["token"])).json()["result"]
    assert asked["pin"] == "required"
    eve = await team.join("plain", "Eve")
    for _ in range(WRONG_PINS):
        assert await eve.act("transfer", {"conference_alias": "team", "role": "host", "pin": "0000"}) is False
    assert await eve.act("transfer", {"conference_alias": "team", "role": "host", "pin": "1234"}) is False
    refused = await team.request_token("team", "1234")
    assert refused.json()["result"] == "Participant exceeded PIN entry retries", "the same count as of who joins"
