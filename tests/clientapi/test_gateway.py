"""Gateway calls of clients of the API: connected at once, told whom they call and why nobody is there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rostra.dialplan.rules import Rule
from rostra.domain.vocabulary import ServiceType
from tests.calls.people import until

from .driver import ROOT, Events
from .test_registrations import ANN, Desk
from .test_registrations import desk as desk

CALLED = f"conferences/{ANN}"


@contextlib.asynccontextmanager
async def calling(desk: Desk) -> AsyncIterator[tuple[dict[str, Any], Events]]:
    """Somebody who calls a device through the gateway: what it is granted, and its events."""
    desk.node.exchange.outgoing._plan.given = [Rule(id=1, name="Out", priority=1, match=".*@example.com")]  # type: ignore[union-attr]
    joined = await desk.post(f"{CALLED}/request_token", body={"display_name": "Ben"})
    assert joined.status_code == 200, joined.text
    granted = joined.json()["result"]
    async with desk.http.stream("GET", f"{ROOT}/{CALLED}/events?token={granted['token']}") as response:
        media = f"{CALLED}/participants/{granted['participant_uuid']}/calls"
        made = await desk.post(media, granted["token"], {"call_type": "WEBRTC", "sdp": "v=0"})
        assert made.status_code == 200, made.text
        call = made.json()["result"]["call_uuid"]
        assert (await desk.post(f"{media}/{call}/ack", granted["token"])).status_code == 200
        yield granted, Events(response)


@pytest.mark.spec("API-079", "SVC-077", "SVC-105", "API-138", "API-120")
async def test_a_client_calls_a_client(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as ringing, calling(desk) as (granted, events):
        assert (granted["service_type"], granted["current_service_type"]) == ("gateway", "gateway")
        assert (granted["conference_name"], granted["service_name"]) == (ANN, ANN)
        far = (await events.until("participant_create", service_type="connecting")).data
        assert (far["uri"], far["call_direction"]) == (ANN, "out")
        call = (await ringing.until("incoming")).data
        assert (call["service_type"], call["remote_display_name"]) == ("gateway", "Ben")
        body = {"display_name": "Ann", "token": call["token"], "registration_token": registered["token"]}
        taken = await desk.post(f"conferences/{call['conference_alias']}/request_token", body=body)
        assert taken.status_code == 200, taken.text
        assert taken.json()["result"]["participant_uuid"] == far["uuid"]
        await events.until("participant_update", uuid=far["uuid"], service_type="gateway")
        assert [where for _, where in desk.roster] == [ServiceType.GATEWAY] * 2
        other = taken.json()["result"]["token"]
        await _moves_the_other_camera(desk, granted, call["conference_alias"], taken.json()["result"])
        await desk.post(f"conferences/{call['conference_alias']}/release_token", other)
        assert (await events.until("disconnect")).data["reason"] == "Call disconnected"
    await until(lambda: desk.roster == [])


async def _moves_the_other_camera(desk: Desk, me: dict[str, Any], alias: str, other: dict[str, Any]) -> None:
    own = desk.node.exchange.session(me["participant_uuid"])
    assert own is not None
    (call,) = own._calls
    path = f"{CALLED}/participants/{me['participant_uuid']}/calls/{call}/fecc"
    move = {"action": "start", "movement": [{"axis": "pan", "direction": "left"}]}
    assert (await desk.post(path, me["token"], move)).json()["result"] is False
    media = f"conferences/{alias}/participants/{other['participant_uuid']}/calls"
    offer = {"call_type": "WEBRTC", "sdp": "v=0", "fecc_supported": True}
    assert (await desk.post(media, other["token"], offer)).status_code == 200
    assert (await desk.post(path, me["token"], move)).json()["result"] is True


@pytest.mark.spec("API-079")
async def test_a_call_that_is_rejected(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as ringing, calling(desk) as (_, events):
        call = (await ringing.until("incoming")).data
        await desk.post(f"conferences/{call['conference_alias']}/release_token?token={call['token']}")
        assert (await events.until("disconnect")).data["reason"] == "Call rejected"


@pytest.mark.spec("API-038", "SVC-078")
async def test_nothing_takes_the_call(desk: Desk) -> None:
    refused = await desk.post(f"{CALLED}/request_token", body={"display_name": "Ben"})
    assert (refused.status_code, refused.json()["result"]) == (404, "Neither conference nor gateway found")
