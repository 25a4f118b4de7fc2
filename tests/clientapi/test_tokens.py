"""Tokens and their challenges: sections 1 to 3 of the sheet."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest

from rostra.calls.switchboard import Refusal
from rostra.clientapi import clients, pins
from rostra.clientapi.handlers import tokens

from .driver import ROOT, Api
from .fakes import FakeSwitchboard


@pytest.mark.spec("API-019", "API-028", "API-094")
async def test_the_token_answer_has_every_field(api: Api) -> None:
    granted = (await api.join(call_tag="tag-1")).granted
    assert granted.pop("token")
    assert granted.pop("participant_uuid")
    version = granted.pop("version")
    assert version["version_id"] >= "29"
    assert isinstance(version["pseudo_version"], str)
    assert granted == {
        "expires": "120",
        "role": "HOST",
        "display_name": "Ada",
        "current_service_type": "conference",
        "service_type": "conference",
        "conference_name": "Demo",
        "service_name": "Demo",
        "call_type": "video",
        "chat_enabled": True,
        "fecc_enabled": True,
        "rtmp_enabled": True,
        "rtsp_enabled": False,
        "analytics_enabled": False,
        "guests_can_present": True,
        "allow_1080p": False,
        "vp9_enabled": False,
        "trickle_ice_enabled": True,
        "direct_media": False,
        "breakout_rooms": False,
        "call_tag": "tag-1",
        "idp_uuid": "",
        "node_urls": ["https://192.0.2.9:8443"],
    }


async def test_limits_are_told_from_the_clients_side_in_kbps(api: Api) -> None:
    granted = (await api.join("narrow")).granted
    assert granted["bandwidth_in"] == 1264
    assert granted["bandwidth_out"] == 576
    assert granted["call_type"] == "audio"


CHALLENGES = [
    ("guests", None, "required/none"),
    ("both", None, "required/required"),
    ("closed", None, "required/required"),
    ("closed", "none", "Invalid PIN"),
    ("closed", "9", "Invalid PIN"),
    ("guests", "9", "Invalid PIN"),
    ("both", "none", "Invalid PIN"),
    ("both", "12345", "Invalid PIN"),
    ("meet.demo", None, "HOST"),
    ("meet.demo", "anything", "HOST"),
    ("guests", "1234", "HOST"),
    ("guests", "1234#", "HOST"),
    ("guests", "none", "GUEST"),
    ("both", "1234", "HOST"),
    ("both", "5678", "GUEST"),
    ("closed", "1234", "HOST"),
]


@pytest.mark.spec("API-031", "API-032", "API-033", "API-008")
@pytest.mark.parametrize(("alias", "pin", "outcome"), CHALLENGES)
async def test_pins(api: Api, alias: str, pin: str | None, outcome: str) -> None:
    answer = await api.request_token(alias, pin)
    content = answer.json()
    if outcome in ("HOST", "GUEST"):
        assert answer.status_code == 200
        assert content["result"]["role"] == outcome
    elif outcome == "Invalid PIN":
        assert answer.status_code == 403
        assert content == {"status": "failed", "result": "Invalid PIN"}
    else:
        assert answer.status_code == 403
        assert content["status"] == "success"
        challenge = content["result"]
        assert f"{challenge['pin']}/{challenge['guest_pin']}" == outcome
        assert set(challenge["version"]) == {"version_id", "pseudo_version"}


@pytest.mark.spec("API-034", "API-008")
@pytest.mark.parametrize(("alias", "type"), [("ivr", "standard"), ("ivr.mssip", "mssip")])
@pytest.mark.parametrize("given", [None, "", "none"])
async def test_a_reception_asks_for_a_number(api: Api, alias: str, type: str, given: str | None) -> None:
    answer = await api.request_token(alias, **({} if given is None else {"conference_extension": given}))
    assert answer.status_code == 403
    assert answer.json() == {
        "status": "success",
        "result": {"conference_extension": "required", "conference_extension_type": type},
    }


@pytest.mark.spec("API-035")
async def test_through_a_reception_into_its_target(api: Api) -> None:
    answer = await api.request_token("ivr", conference_extension="nobody")
    assert (answer.status_code, answer.json()["result"]) == (404, "Neither conference nor gateway found")
    challenge = (await api.request_token("ivr", conference_extension="both")).json()["result"]
    assert challenge.pop("version")
    assert challenge == {"pin": "required", "guest_pin": "required", "conference_extension": "standard"}
    wrong = await api.request_token("ivr", "9", conference_extension="both")
    assert wrong.json() == {"status": "failed", "result": "Invalid PIN"}
    user = await api.join("ivr", pin="1234", conference_extension="both")
    assert (user.granted["service_type"], user.granted["conference_name"]) == ("conference", "Both")
    assert (await user.post("lock")).json()["result"] is True  # further requests keep the reception's alias


@pytest.mark.spec("API-030")
async def test_too_many_wrong_pins_stop_even_the_right_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(pins.WRONG_PINS):
        assert (await api.request_token("closed", "9")).json()["result"] == "Invalid PIN"
    refused = await api.request_token("CLOSED", "1234")
    assert refused.status_code == 403
    assert refused.json() == {"status": "failed", "result": "Participant exceeded PIN entry retries"}
    assert (await api.request_token("both", "1234")).status_code == 200
    later = time.monotonic() + pins.WINDOW
    monkeypatch.setattr(tokens.time, "monotonic", lambda: later)
    assert (await api.request_token("closed", "1234")).status_code == 200


def test_old_wrong_pins_are_forgotten() -> None:
    guard = pins.PinGuard()
    for second in range(pins.WRONG_PINS):
        guard.wrong("192.0.2.1", "a", second * 10.0)
    assert not guard.blocked("192.0.2.1", "a", 91.0)
    for number in range(pins.MAX_PAIRS + 5):
        guard.wrong(f"host-{number}", "a", 100.0)
    assert guard.debug_state() == {"pairs": pins.MAX_PAIRS}


REFUSALS = [
    (Refusal.PARTICIPANT_LIMIT, 403, "Participant limit reached"),
    (Refusal.MAINTENANCE, 503, "System in maintenance mode"),
    (Refusal.OUT_OF_RESOURCE, 503, "Out of resource"),
    (Refusal.DISABLED, 403, "Disabled"),
]


@pytest.mark.spec("API-017", "API-145")
@pytest.mark.parametrize(("refusal", "status", "text"), REFUSALS)
async def test_refusals(api: Api, switchboard: FakeSwitchboard, refusal: Refusal, status: int, text: str) -> None:
    switchboard.refusal = refusal
    answer = await api.request_token("meet.demo")
    assert (answer.status_code, answer.json()) == (status, {"status": "failed", "result": text})


@pytest.mark.spec("API-038")
async def test_unknown_alias(api: Api) -> None:
    answer = await api.request_token("nowhere")
    assert answer.status_code == 404
    assert answer.json() == {"status": "failed", "result": "Neither conference nor gateway found"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.spec("API-016")
async def test_a_bug_is_no_500_to_request_token(api: Api, switchboard: FakeSwitchboard) -> None:
    switchboard.failure = RuntimeError("a bug")
    answer = await api.request_token("meet.demo")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failed"
    assert "bug" not in answer.text


@pytest.mark.spec("API-029")
async def test_none_means_not_given(api: Api) -> None:
    body = {"chosen_idp": "none", "sso_token": "none", "direct_media": True, "node": "x", "token": "none"}
    assert (await api.request_token("meet.demo", **body)).status_code == 200


@pytest.mark.parametrize("place", ["body", "header"])
async def test_unknown_one_time_tokens_are_refused(api: Api, place: str) -> None:
    body = {"display_name": "Ada"} | ({"token": "abc"} if place == "body" else {})
    headers = {"token": "abc"} if place == "header" else {}
    answer = await api.http.post(f"{ROOT}/conferences/meet.demo/request_token", json=body, headers=headers)
    assert (answer.status_code, answer.json()["result"]) == (403, "Invalid token")


async def test_the_caller_is_described_to_the_switchboard(api: Api, switchboard: FakeSwitchboard) -> None:
    path = f"{ROOT}/conferences/meet.demo/request_token"
    await api.http.post(path, json={"display_name": "  A\x00da\n" + "x" * 999}, headers={"user-agent": "Phone/1"})
    request = switchboard.requests[0]
    assert request.display_name == "Ada" + "x" * 247
    assert request.vendor == "Phone/1"
    assert request.remote_address == "127.0.0.1"
    assert request.encrypted


@pytest.mark.spec("API-006")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"display_name":false}', b'{"display_name":"Ada","future":[1]}'])
async def test_bodies_clients_send(api: Api, body: bytes) -> None:
    answer = await api.http.post(f"{ROOT}/conferences/meet.demo/request_token", content=body)
    assert answer.status_code == 200


@pytest.mark.spec("API-011")
async def test_token_alphabet(api: Api) -> None:
    ada = await api.join()
    texts = [ada.token] + [(await ada.post("refresh_token")).json()["result"]["token"] for _ in range(50)]
    assert all(re.fullmatch(r"[A-Za-z0-9\-_=.]+", text) for text in texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.spec("API-010")
async def test_token_by_header_and_by_query(api: Api) -> None:
    ada = await api.join()
    assert (await api.http.get(f"{ada.base}/conference_status?token={ada.token}")).status_code == 200
    assert (await api.http.get(f"{ada.base}/conference_status", headers={"token": ada.token})).status_code == 200
    refused = await api.http.get(f"{ada.base}/conference_status", headers={"authorization": f"Bearer {ada.token}"})
    assert (refused.status_code, refused.json()["result"]) == (403, "Invalid token")


@pytest.mark.parametrize("forge", ["", "AAAA", "é", "%", "a" * 4000, "{token}x", "x{token}"])
async def test_forged_tokens(api: Api, forge: str) -> None:
    ada = await api.join()
    answer = await api.http.get(f"{ada.base}/participants", params={"token": forge.replace("{token}", ada.token)})
    assert (answer.status_code, answer.json()) == (403, {"status": "failed", "result": "Invalid token"})


@pytest.mark.spec("API-004")
async def test_a_token_belongs_to_one_service(api: Api) -> None:
    ada = await api.join("meet.demo")
    headers = {"token": ada.token}
    for alias, status in (("DEMO@example.com", 200), ("demo%40example.com", 200), ("quiet", 403), ("nowhere", 404)):
        answer = await api.http.get(f"{ROOT}/conferences/{alias}/conference_status", headers=headers)
        assert answer.status_code == status, alias


@pytest.mark.spec("API-023")
async def test_refresh_tells_the_present_role(api: Api, switchboard: FakeSwitchboard) -> None:
    host, guest = await api.join("guests", pin="1234"), await api.join("guests", pin="none")
    assert (await guest.post("refresh_token")).json()["result"]["role"] == "GUEST"
    await host.post("start_conference")
    await host.post(f"participants/{guest.uuid}/role", {"role": "chair"})
    answer = (await guest.post("refresh_token")).json()["result"]
    assert answer["role"] == "HOST"
    assert answer["expires"] == "120"


@pytest.mark.spec("API-022")
async def test_a_refused_refresh_is_held_back(api: Api) -> None:
    begun = time.monotonic()
    answer = await api.http.post(f"{ROOT}/conferences/meet.demo/refresh_token", headers={"token": "x"})
    assert (answer.status_code, answer.json()["result"]) == (403, "Invalid token")
    assert time.monotonic() - begun > 0.9


BEACONS = [
    ({"content-type": "application/json"}, b'{"reason":"Browser closed"}'),
    ({"content-type": "text/plain;charset=UTF-8"}, b"{}"),
    ({"content-type": "text/plain;charset=UTF-8"}, b"\xff not json"),
    ({}, b""),
    ({}, b"[1,2]"),
]


@pytest.mark.spec("API-025", "API-026")
@pytest.mark.parametrize(("headers", "body"), BEACONS)
async def test_releasing(api: Api, switchboard: FakeSwitchboard, headers: dict[str, str], body: bytes) -> None:
    ada = await api.join()
    call = await ada.call()
    path = f"{ada.base}/release_token?token={ada.token}"
    answer = await api.http.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "result": True})
    session = switchboard.session(ada.uuid)
    assert session
    assert session.left is not None
    assert (await api.http.post(path)).status_code in (200, 403)
    assert (await ada.get("conference_status")).status_code == 403
    assert (await ada.post(f"participants/{ada.uuid}/calls/{call}/ack")).status_code == 403


@pytest.mark.spec("API-024")
async def test_without_refresh_the_participant_ends(
    live: Api, switchboard: FakeSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = await live.join(name="Watcher")
    monkeypatch.setattr(clients, "LIFETIME", 0.3)
    ada = await live.join(name="Ada")
    async with watcher.events() as seen, ada.events() as own:
        await seen.until("layout")
        await seen.until("participant_delete", uuid=ada.uuid)
        last = (await own.end())[-1]
        assert (last.event, last.data) == ("disconnect", {"reason": "Timer expired awaiting token refresh"})
    session = switchboard.session(ada.uuid)
    assert session
    assert session.left == "Timer expired awaiting token refresh"
    answer = await ada.get("conference_status")
    assert (answer.status_code, answer.json()["result"]) == (403, "Invalid token")


@pytest.mark.spec("API-021", "API-024")
async def test_refreshing_keeps_alive_and_each_token_has_its_own_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "LIFETIME", 0.6)
    ada = await api.join()
    first, begun = ada.token, time.monotonic()
    while time.monotonic() - begun < 1.0:
        ada.token = (await ada.post("refresh_token")).json()["result"]["token"]
        await asyncio.sleep(0.1)
    assert (await ada.get("conference_status")).status_code == 200
    ada.token = first
    assert (await ada.get("conference_status")).status_code == 403


@pytest.mark.spec("API-020")
async def test_a_token_is_a_participant(api: Api) -> None:
    ada = await api.join(name="Ada")
    await api.join(name="Bob")
    roster = (await ada.get("participants")).json()["result"]
    assert [(p["display_name"], p["protocol"], p["has_media"]) for p in roster] == [
        ("Ada", "api", False),
        ("Bob", "api", False),
    ]


async def test_leaving_does_not_wait_for_stuck_media(
    api: Api, switchboard: FakeSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "LEAVING", 0.05)
    ada = await api.join()
    session = switchboard.session(ada.uuid)
    assert session
    stuck = asyncio.Event()

    async def leave(reason: str = "") -> None:
        await stuck.wait()

    monkeypatch.setattr(session, "leave", leave)
    assert (await ada.post("release_token")).json()["result"] is True
    stuck.set()


async def test_a_token_under_another_alias_releases_nobody(api: Api, switchboard: FakeSwitchboard) -> None:
    ada = await api.join()
    answer = await api.http.post(f"{ROOT}/conferences/quiet/release_token", headers={"token": ada.token})
    assert answer.status_code == 403
    assert ada.uuid in switchboard.conference("Demo").roster


@pytest.mark.spec("SYS-167")
async def test_servers_for_media_are_told(api: Api, switches: dict[str, Any]) -> None:
    granted = (await api.request_token("meet.demo")).json()["result"]
    assert not {"stun", "turn"} & set(granted), "an empty list would be handed to the browser"
    turn = {"urls": ["turn:192.0.2.9:3478"], "username": "a", "credential": "b"}
    given: list[Any] = []
    switches |= {"stun": lambda: ["stun:192.0.2.8:3478"], "turn": lambda: given.append(turn) or [turn]}
    granted = (await api.request_token("meet.demo")).json()["result"]
    assert (granted["stun"], granted["turn"]) == ([{"url": "stun:192.0.2.8:3478"}], [turn])
    ada = await api.join()
    told = len(given)
    assert (await ada.post("release_token")).status_code == 200
    assert len(given) == told, "credentials are made for who is told them"


@pytest.mark.parametrize("jump", [7200.0, -7200.0])
async def test_tokens_outlive_a_jump_of_the_clock(api: Api, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    """As when the machine's clock is set, or it was suspended."""
    user = await api.join("both", pin="1234")
    wall = time.time() + jump
    monkeypatch.setattr(time, "time", lambda: wall)
    assert (await user.post("refresh_token")).status_code == 200
    assert (await user.get("participants")).status_code == 200
