"""Control of others and of one's own picture: hold, cameras, compositions, rules for Guests, switches, log lines."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from .driver import Api, User
from .fakes import FakeSwitchboard
from .test_validators import verdicts

OFFER = {"call_type": "WEBRTC", "sdp": "v=0\r\n"}
MOVE = {"action": "start", "movement": [{"axis": "pan", "direction": "left"}]}


@pytest.fixture
async def room(live: Api) -> tuple[User, User]:
    host = await live.join("guests", "Host", "1234")
    await host.post("start_conference")
    return host, await live.join("guests", "Guest", "none")


async def test_hold_and_resume_are_told_to_the_one_concerned(room: tuple[User, User]) -> None:
    host, guest = room
    async with host.events() as seen, guest.events() as own:
        await seen.until("layout")
        await own.until("layout")
        for path, held in (("hold", True), ("resume", False)):
            assert (await host.post(f"participants/{guest.uuid}/{path}")).json()["result"] is True
            assert (await own.until("on_hold")).data == {"setting": held}
            await seen.until("participant_update", uuid=guest.uuid, is_on_hold=held)
        assert not [one for one in seen.seen if one.event == "on_hold"]


@pytest.mark.spec("API-120")
async def test_cameras_of_clients_are_moved_by_an_event(room: tuple[User, User]) -> None:
    host, guest = room
    path = f"participants/{guest.uuid}/fecc"
    assert (await host.post(path, MOVE)).json()["result"] is False  # it did not say that it can
    call = (await guest.act("calls", {**OFFER, "fecc_supported": True}))["call_uuid"]
    async with guest.events() as own:
        await own.until("participant_create", uuid=guest.uuid, fecc_supported="YES")
        for body, timeout in ((MOVE, 1000), ({**MOVE, "action": "continue"}, 200), ({**MOVE, "timeout": 40}, 40)):
            assert (await host.post(path, body)).json()["result"] is True
            assert (await own.until("fecc")).data == {**body, "timeout": timeout}
        await guest.act(f"calls/{call}/update", {"sdp": "v=0\r\n", "fecc_supported": False})
        await own.until("participant_update", uuid=guest.uuid, fecc_supported="NO")
    assert (await host.post(path, MOVE)).json()["result"] is False
    wrong = {"action": "start", "movement": [{"axis": "roll", "direction": "left"}]}
    assert (await host.post(path, wrong)).status_code == 400


@pytest.mark.spec("API-126")
async def test_a_layout_of_ones_own(room: tuple[User, User]) -> None:
    _, guest = room
    async with guest.events() as own:
        await own.until("participant_create", uuid=guest.uuid, can_receive_personal_mix=True)
        assert (await guest.post("video_mixes/main.!personal/configure", {"transform_layout": {}})).status_code == 404
        assert (await guest.post("video_mixes/create", {"mix_name": "main.!personal"})).json()["result"] is True
        mix = (await own.until("participant_update", uuid=guest.uuid)).data["receive_from_video_mix"]
        assert mix["mix_name"] == "main.!personal"
        assert mix["timestamp"] > 0
        configure = "video_mixes/main.%21personal/configure"  # clients encode the name
        assert (await guest.post(configure, {"transform_layout": {"layout": "4:0"}})).json()["result"] is True
        mix = (await own.until("participant_update", uuid=guest.uuid)).data["receive_from_video_mix"]
        assert mix["mix_config"] == {"transform_layout": {"layout": "4:0"}}
        refused = await guest.post(configure, {"transform_layout": {"layout": "nonsense"}})
        assert (refused.status_code, refused.json()["result"]) == (400, "Illegal value")
        for _ in range(2):
            assert (await guest.post("video_mixes/main.!personal/delete")).json()["result"] is True
        mix = (await own.until("participant_update", uuid=guest.uuid)).data["receive_from_video_mix"]
        assert mix == {"mix_name": "main", "timestamp": 0}


@pytest.mark.spec("CONF-168")
async def test_guests_end_their_own_mute_where_hosts_let_them(room: tuple[User, User]) -> None:
    host, guest = room
    assert await guest.act("mute") is True
    assert (await guest.post(f"participants/{host.uuid}/mute")).status_code == 403
    assert (await guest.post(f"participants/{guest.uuid}/unmute")).json()["result"] == "Invalid role"
    async with guest.events() as own:
        await own.until("layout")
        assert (await host.post("set_guests_can_unmute", {"setting": True})).json()["result"] is True
        await own.until("conference_update", guests_can_unmute=True)
        assert await guest.act("unmute") is True
        assert (await host.post("set_guests_can_present", {"setting": False})).json()["result"] is True
        await own.until("conference_update", guests_can_present=False)


async def test_silent_video_detection_takes_its_limits(room: tuple[User, User], switchboard: FakeSwitchboard) -> None:
    host, _ = room
    limits = {"enable": True, "silent_after": 30, "require_no_faces": False, "reactivate_after": 3}
    assert (await host.post("silent_video_detection", {"config": limits})).json()["result"] is True
    assert switchboard.conference("Guests").silence.value == ("30.0", "3.0", "")  # type: ignore[attr-defined]
    for wrong in ({"silent_after": 0}, {"silent_after": 121}, {"reactivate_after": 6}, {"enable": "yes"}):
        assert (await host.post("silent_video_detection", {"config": wrong})).status_code == 400, wrong
    await host.post("silent_video_detection", {"config": {"enable": False}})
    assert switchboard.conference("Guests").silence is None


@pytest.mark.spec("API-001", "SYS-108")
async def test_switches_of_the_platform(api: Api, switches: dict[str, bool]) -> None:
    ada = await api.join()
    switches["enable_webrtc"] = False
    refused = await ada.post(f"participants/{ada.uuid}/calls", OFFER)
    assert (refused.status_code, refused.json()["result"]) == (403, "Disabled")
    switches |= {"enable_fecc": False, "enable_rtmp": False}
    granted = (await api.request_token("meet.demo")).json()["result"]
    assert (granted["fecc_enabled"], granted["rtmp_enabled"]) == (False, False)
    switches["enable_application_api"] = False
    for answer in (await api.request_token("meet.demo"), await ada.get("participants"), await ada.post("lock")):
        assert (answer.status_code, answer.json()) == (403, {"status": "failed", "result": "Disabled"})
    assert (await api.http.get("/api/client/v2/status")).status_code == 200


LINES: dict[str, tuple[str, Any]] = {
    "hold": ("Participant hold requested by API.", None),
    "resume": ("Participant resume requested by API.", None),
    "mute": ("Participant mute requested by API.", None),
    "unmute": ("Participant unmute requested by API.", None),
    "allowrxpresentation": ("Participant presentation receipt enabled by API.", None),
    "denyrxpresentation": ("Participant presentation receipt disabled by API.", None),
    "dtmf": ("Sending DTMF to participant.", {"digits": "12"}),
    "message": ("", {"type": "text/plain", "payload": "between us"}),
    "disconnect": ("Participant disconnect requested by API.", None),
}


@pytest.mark.spec("API-018")
async def test_actions_are_logged_and_chat_is_not(api: Api) -> None:
    ada, bob = await api.join(name="Ada"), await api.join(name="Bob", supports_direct_chat=True)
    for path, (line, body) in LINES.items():
        with capture_logs() as logs:
            assert (await ada.post(f"participants/{bob.uuid}/{path}", body)).status_code == 200
        assert "between us" not in str(logs)
        found = [entry for entry in logs if entry["event"] == line]
        assert [entry["participant"] for entry in found] == ([bob.uuid] if line else [])
        assert [entry.get("digits") for entry in found] == ([body["digits"]] if path == "dtmf" else [None] * len(found))
    with capture_logs() as logs:
        await ada.post("dial", {"destination": "sip:x@example.com"})
    assert "Outgoing call requested" in [entry["event"] for entry in logs]


@pytest.mark.spec("API-177")
async def test_official_validators_accept_these_answers(api: Api) -> None:
    ada = await api.join()
    personal = "video_mixes/main.!personal"
    answers = [
        ("conference/SilentVideoDetection200", await ada.post("silent_video_detection", {"config": {}})),
        ("conference/SetGuestsCanUnmute200", await ada.post("set_guests_can_unmute", {"setting": True})),
        ("conference/VideoMixesCreate200", await ada.post("video_mixes/create", {"mix_name": "main.!personal"})),
        ("conference/VideoMixesConfigure200", await ada.post(f"{personal}/configure", {"transform_layout": {}})),
        ("conference/Participants200", await ada.get("participants")),
        ("conference/VideoMixesDelete200", await ada.post(f"{personal}/delete")),
        (
            "participant/PreferredAspectRatio200",
            await ada.post(f"participants/{ada.uuid}/preferred_aspect_ratio", {"aspect_ratio": 0.5}),
        ),
    ]
    for name, answer in answers:
        assert name.endswith(str(answer.status_code)), (name, answer.text)
    assert await verdicts(answers) == {}


@pytest.mark.spec("API-014")
@pytest.mark.parametrize(
    "path", ["mute", "unmute", "hold", "resume", "release_floor", "clearbuzz", "spotlightoff", "denyrxpresentation"]
)
async def test_functions_on_somebody_may_be_repeated(path: str, api: Api) -> None:
    ada = await api.join()
    answers = [(await ada.post(f"participants/{ada.uuid}/{path}")).json() for _ in range(3)]
    assert answers == [{"status": "success", "result": None if path == "release_floor" else True}] * 3


@pytest.mark.spec("API-014")
async def test_calls_end_and_participants_leave_more_than_once(api: Api) -> None:
    ada, bob = await api.join(name="Ada"), await api.join(name="Bob")
    call = await bob.call()
    for path, result in (("ack", True), ("ack", True), ("disconnect", None), ("disconnect", None), ("ack", True)):
        assert await bob.act(f"calls/{call}/{path}", {}) is result
    assert (await ada.post(f"participants/{bob.uuid}/disconnect")).json()["result"] is True
    assert (await bob.post("release_token")).status_code in (200, 403)
    assert (await bob.post("release_token")).status_code in (200, 403)
