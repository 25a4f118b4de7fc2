"""Conference and participant functions: who may, what happens, who is told (sections 6, 7, 10, 16)."""

from __future__ import annotations

from typing import Any

import pytest

from rostra import themefiles
from rostra.clientapi.endpoints import Endpoint, Who
from rostra.clientapi.table import TABLE

from .driver import Api, User
from .fakes import FakeSwitchboard

BODIES: dict[str, Any] = {
    "transform_layout": {"transforms": {"layout": "1:7"}},
    "override_layout": {"layouts": []},
    "message": {"type": "text/plain", "payload": "x"},
    "dtmf": {"digits": "1"},
    "overlaytext": {"text": "x"},
    "pres_in_mix": {"state": True},
    "role": {"role": "guest"},
    "transfer": {"conference_alias": "both"},
    "fecc": {"action": "stop", "movement": []},
    "preferred_aspect_ratio": {"aspect_ratio": 1.0},
    "set_guests_can_unmute": {"setting": True},
    "set_guests_can_present": {"setting": True},
    "silent_video_detection": {"config": {}},
    "breakouts": {"name": "Room"},
    "breakout": {"breakout_uuid": "main", "participants": []},
    "create": {"mix_name": "main.!personal"},
    "configure": {"transform_layout": {"layout": "1:7"}},
    "calls": {"call_type": "WEBRTC", "sdp": "v=0\r\n"},
    "update": {"sdp": "v=0\r\n"},
    "new_candidate": {"candidate": "", "mid": "0"},
    "dial": {"destination": "sip:x@example.com"},
}
OUTSIDE = [e for e in TABLE.endpoints if not e.inside_room]
"""The rows of breakout rooms are those of the conference, seen through a participant there (test_breakouts)."""
HELD = [e for e in OUTSIDE if e.who is not Who.ANYBODY and not e.path.endswith(("/events", "/refresh_token"))]
REFUSED = (403, "Invalid role")


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


async def use(endpoint: Endpoint, user: User, about: User) -> tuple[int, Any]:
    """Status and result of an endpoint as `user`, on `about`."""
    path = endpoint.path.removeprefix("conferences/{alias}/").replace("{participant}", about.uuid)
    call = "00000000-0000-0000-0000-000000000000"
    for part in ("call", "path", "mix", "breakout"):
        path = path.replace(f"{{{part}}}", call)
    if endpoint.method == "GET":
        answer = await user.get(path)
    else:
        answer = await user.post(path, BODIES.get(path.rpartition("/")[2]))
    result = answer.json().get("result") if answer.content else None
    return answer.status_code, result


@pytest.fixture
async def room(api: Api) -> tuple[User, User]:
    """A Host and a Guest, both in the started conference."""
    host = await api.join("guests", "Host", "1234")
    await host.post("start_conference")
    return host, await api.join("guests", "Guest", "none")


@pytest.mark.spec("API-061", "API-066")
@pytest.mark.parametrize("endpoint", HELD, ids=name)
async def test_roles(endpoint: Endpoint, room: tuple[User, User]) -> None:
    host, guest = room
    outcome = await use(endpoint, guest, host)
    refused = endpoint.who in (Who.HOST, Who.HOST_OR_SELF, Who.SELF, Who.HOST_IF_ANY)
    assert (outcome == REFUSED) is refused, outcome
    outcome = await use(endpoint, host, guest)
    assert (outcome == REFUSED) is (endpoint.who is Who.SELF), outcome


@pytest.mark.spec("API-062", "API-146")
@pytest.mark.parametrize("endpoint", HELD, ids=name)
async def test_the_waiting_room(endpoint: Endpoint, api: Api) -> None:
    guest = await api.join("guests", "Guest", "none")
    assert guest.granted["current_service_type"] == "waiting_room"
    assert guest.granted["service_type"] == "conference"
    outcome = await use(endpoint, guest, guest)
    assert (outcome == REFUSED) is not endpoint.waiting, outcome


@pytest.mark.parametrize("endpoint", HELD, ids=name)
async def test_without_a_token(endpoint: Endpoint, api: Api) -> None:
    ada = await api.join()
    ada.token = "AAAA"
    assert await use(endpoint, ada, ada) == (403, "Invalid token")


@pytest.mark.spec("API-005")
@pytest.mark.parametrize("endpoint", OUTSIDE, ids=name)
async def test_other_methods(endpoint: Endpoint, api: Api) -> None:
    path = f"/api/client/v2/{endpoint.path}".replace("{", "").replace("}", "")
    for method in ("PUT", "DELETE", "PATCH"):
        answer = await api.http.request(method, path)
        assert answer.status_code == 405
        assert answer.json()["status"] == "failed"
        assert endpoint.method in answer.headers["allow"]
    assert (await api.http.request("OPTIONS", path)).status_code == 204


@pytest.mark.spec("API-014")
@pytest.mark.parametrize("path", ["lock", "unlock", "start_conference", "muteguests", "unmuteguests"])
async def test_functions_may_be_repeated(path: str, api: Api) -> None:
    ada = await api.join()
    for _ in range(2):
        assert (await ada.post(path)).json() == {"status": "success", "result": True}


@pytest.mark.spec("API-014")
async def test_repeating_moves_nobody(api: Api, switchboard: FakeSwitchboard) -> None:
    ada = await api.join()
    for path, member in (("spotlighton", "spotlight"), ("buzz", "buzz_time")):
        await ada.act(path)
        first = getattr(switchboard.conference("Demo").roster[ada.uuid], member)
        await ada.act(path)
        assert getattr(switchboard.conference("Demo").roster[ada.uuid], member) == first > 0


EFFECTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("mute", None, {"is_muted": "YES"}),
    ("unmute", None, {"is_muted": "NO"}),
    ("client_mute", None, {"is_client_muted": True}),
    ("client_unmute", None, {"is_client_muted": False}),
    ("video_muted", None, {"is_video_muted": True}),
    ("video_unmuted", None, {"is_video_muted": False}),
    ("overlaytext", {"text": "Countess"}, {"overlay_text": "Countess"}),
    ("overlaytext", {"text": ""}, {"overlay_text": "Ada"}),
    ("clearbuzz", None, {"buzz_time": 0.0}),
    ("spotlightoff", None, {"spotlight": 0.0}),
]


@pytest.mark.spec("API-063", "API-047")
async def test_effects_are_told_with_the_whole_participant(live: Api) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    await ada.act("buzz")
    await ada.act("spotlighton")
    async with bob.events() as events:
        await events.until("layout")
        for path, body, members in EFFECTS:
            assert await ada.act(path, body) is True
            event = await events.until("participant_update", uuid=ada.uuid, **members)
            assert len(event.data) > 40


async def test_muting_guests_reaches_everybody(live: Api) -> None:
    host = await live.join("guests", "Host", "1234")
    await host.post("start_conference")
    guest = await live.join("guests", "Guest", "none")
    async with guest.events() as events:
        await events.until("layout")
        await host.post("muteguests")
        await events.until("conference_update", guests_muted=True)
        await events.until("participant_update", uuid=guest.uuid, is_muted="YES")


@pytest.mark.spec("API-065")
async def test_a_host_removes_somebody(live: Api) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    async with ada.events() as seen, bob.events() as own:
        await seen.until("layout")
        await own.until("layout")
        assert (await ada.post(f"participants/{bob.uuid}/disconnect")).json()["result"] is True
        await seen.until("participant_delete", uuid=bob.uuid)
        rest = await own.end()
    assert [(e.event, e.data) for e in rest] == [("disconnect", {"reason": "Disconnected by another participant"})]
    assert (await bob.get("conference_status")).status_code == 403
    assert (await bob.post("release_token")).status_code in (200, 403)


async def test_leaving_by_participant_function(live: Api) -> None:
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
        assert await ada.act("disconnect") is True
        assert (await events.end())[-1].data == {"reason": "API initiated participant disconnect"}


async def test_ending_the_conference(live: Api) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    async with ada.events() as own, bob.events() as other:
        await own.until("layout")
        await other.until("layout")
        assert (await ada.post("disconnect")).json()["result"] is True
        for events in (own, other):
            assert (await events.end())[-1].data == {"reason": "API initiated conference termination"}


@pytest.mark.spec("API-061")
async def test_roles_change_at_once(live: Api) -> None:
    host = await live.join("guests", "Host", "1234")
    await host.post("start_conference")
    guest = await live.join("guests", "Guest", "none")
    async with guest.events() as events:
        await events.until("layout")
        assert (await guest.post("lock")).status_code == 403
        await host.post(f"participants/{guest.uuid}/role", {"role": "chair"})
        await events.until("participant_update", uuid=guest.uuid, role="chair")
        assert (await events.until("refresh_token")).data is None
        assert (await guest.post("lock")).status_code == 200
    refused = await host.post(f"participants/{host.uuid}/role", {"role": "guest"})
    assert (refused.status_code, refused.json()["result"]) == REFUSED
    for wrong in ({"role": "unknown"}, {"role": 1}, {}):
        assert (await host.post(f"participants/{guest.uuid}/role", wrong)).status_code == 400


@pytest.mark.spec("API-055", "API-147", "API-148", "API-151")
async def test_waiting_and_being_let_in(live: Api) -> None:
    host = await live.join("guests", "Host", "1234")
    await host.post("start_conference")
    inside = await live.join("guests", "Inside", "none")
    await host.post("lock")
    async with host.events() as hosts, inside.events() as guests:
        await hosts.until("layout")
        await guests.until("layout")
        waiting = await live.join("guests", "Waiting", "none")
        await hosts.until("participant_create", uuid=waiting.uuid, service_type="waiting_room")
        assert [p["uuid"] for p in (await waiting.get("participants")).json()["result"]] == [waiting.uuid]
        inside_sees = (await inside.get("participants")).json()["result"]
        assert waiting.uuid not in [p["uuid"] for p in inside_sees]
        async with waiting.events() as own:
            first = [await own.next() for _ in range(5)]
            assert [e.data["uuid"] for e in first if e.event == "participant_create"] == [waiting.uuid]
            assert first[1].data["locked"] is True
            await host.post(f"participants/{waiting.uuid}/unlock")
            await own.until("participant_update", uuid=waiting.uuid, service_type="conference")
            await own.until("participant_sync_begin")
            created = [await own.next() for _ in range(3)]
            assert [e.data["display_name"] for e in created] == ["Host", "Inside", "Waiting"]
        await hosts.until("participant_update", uuid=waiting.uuid, service_type="conference")
        await guests.until("participant_create", uuid=waiting.uuid)
    assert all(e.event != "participant_create" or e.data["uuid"] != waiting.uuid for e in guests.seen[:-1])


@pytest.mark.spec("API-147")
async def test_a_new_host_sees_who_waits(live: Api) -> None:
    host = await live.join("guests", "Host", "1234")
    await host.post("start_conference")
    guest = await live.join("guests", "Guest", "none")
    await host.post("lock")
    waiting = await live.join("guests", "Waiting", "none")
    async with guest.events() as events:
        await events.until("layout")
        assert waiting.uuid not in str(events.seen)
        await host.post(f"participants/{guest.uuid}/role", {"role": "chair"})
        await events.until("participant_create", uuid=waiting.uuid)


@pytest.mark.spec("API-056")
async def test_guests_learn_no_addresses(api: Api, room: tuple[User, User]) -> None:
    host, guest = room
    seen = {p["uuid"]: p for p in (await guest.get("participants")).json()["result"]}
    assert [seen[host.uuid][member] for member in ("uri", "vendor", "protocol")] == ["", "", ""]
    assert seen[guest.uuid]["protocol"] == "api"
    seen = {p["uuid"]: p for p in (await host.get("participants")).json()["result"]}
    assert seen[guest.uuid]["uri"] == "Guest"


@pytest.mark.spec("API-115")
async def test_chat_reaches_the_others(live: Api) -> None:
    ada, bob = await live.join(name="Ada"), await live.join(name="Bob")
    async with ada.events() as own, bob.events() as other:
        await own.until("layout")
        await other.until("layout")
        sent = {"type": "text/plain; charset=utf-8", "payload": "hé\nllo"}
        assert (await ada.post("message", sent)).json()["result"] is True
        got = await other.until("message_received")
        assert got.data == {"origin": "Ada", "uuid": ada.uuid, **sent, "direct": False}
        await bob.post("message", {"type": "application/json", "payload": '{"a": 1}'})
        assert (await own.until("message_received")).data["uuid"] == bob.uuid


BAD_MESSAGES = [
    {"type": "text/html", "payload": "x"},
    {"type": "application/json", "payload": "{"},
    {"type": "application/json", "payload": "[" * 100_000},
    {"type": "text/plain", "payload": {"a": 1}},
    {"payload": "x"},
]


@pytest.mark.spec("API-116")
async def test_chat_that_is_refused(api: Api) -> None:
    ada, quiet = await api.join(), await api.join("quiet")
    for body in BAD_MESSAGES:
        assert (await ada.post("message", body)).status_code == 400
    answer = await quiet.post("message", {"type": "text/plain", "payload": "x"})
    assert (answer.status_code, answer.json()["result"]) == (200, False)


@pytest.mark.spec("API-117")
async def test_direct_messages(live: Api) -> None:
    ada = await live.join(name="Ada")
    deaf, able = await live.join(name="Deaf"), await live.join(name="Able", supports_direct_chat=True)
    body = {"type": "text/plain", "payload": "psst"}
    assert (await ada.post(f"participants/{deaf.uuid}/message", body)).json()["result"] is False
    async with able.events() as events:
        await events.until("layout")
        assert (await ada.post(f"participants/{able.uuid}/message", body)).json()["result"] is True
        assert (await events.until("message_received")).data["direct"] is True
    roster = {p["uuid"]: p["supports_direct_chat"] for p in (await ada.get("participants")).json()["result"]}
    assert roster == {ada.uuid: False, deaf.uuid: False, able.uuid: True}


@pytest.mark.spec("API-119")
@pytest.mark.parametrize(("digits", "status"), [("0123456789ABCD*#,", 200), ("x", 400), ("", 400), (5, 400)])
async def test_digits(api: Api, switchboard: FakeSwitchboard, digits: Any, status: int) -> None:
    ada = await api.join()
    call = await ada.call()
    assert (await ada.post(f"participants/{ada.uuid}/dtmf", {"digits": digits})).status_code == status
    assert (await ada.post(f"participants/{ada.uuid}/calls/{call}/dtmf", {"digits": digits})).status_code == status
    session = switchboard.session(ada.uuid)
    assert session
    assert session.digits == ([(call, digits)] if status == 200 else [])
    assert switchboard.conference("Demo").tones == ([(ada.uuid, digits)] if status == 200 else [])


async def test_unknown_participants_are_404(api: Api) -> None:
    ada = await api.join()
    answer = await ada.post("participants/00000000-0000-0000-0000-000000000000/mute")
    assert (answer.status_code, answer.json()) == (404, {"status": "failed", "result": "404 Not Found"})


@pytest.mark.spec("API-101")
@pytest.mark.spec("API-142")
async def test_no_avatar(api: Api) -> None:
    ada = await api.join()
    answer = await ada.get(f"participants/{ada.uuid}/avatar.jpg?width=50")
    assert (answer.status_code, answer.json()) == (404, {"status": "failed", "result": "No image available"})


@pytest.mark.spec("API-143")
async def test_no_theme(api: Api) -> None:
    ada = await api.join()
    for path in ("theme/", "theme"):
        answer = await ada.get(path)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await ada.get("theme/background.jpg")).status_code == 404


@pytest.mark.spec("REF-057")
async def test_images_of_the_theme(api: Api) -> None:
    ada = await api.join()
    for name, kind in (("presence_avatar_image.jpg", "image/jpeg"), ("watermark_icon.png", "image/png")):
        answer = await ada.get(f"theme/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.content == (themefiles.BASE / name).read_bytes()
    for name in ("themeconfig.json", "conf-getpin_48kHz_mono.wav", "..%2fthemeconfig.json"):
        assert (await ada.get(f"theme/{name}")).status_code == 404


@pytest.mark.spec("API-144")
async def test_node_status(api: Api, switchboard: FakeSwitchboard) -> None:
    answer = await api.http.get("/api/client/v2/status")
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "result": "OK"})
    switchboard.ready = False
    answer = await api.http.get("/api/client/v2/status")
    assert (answer.status_code, answer.json()) == (503, {"status": "failed", "result": "Maintenance mode"})


@pytest.mark.spec("POL-145", "API-121", "API-125")
async def test_layouts_are_listed_and_drawn(live: Api) -> None:
    ada = await live.join(name="Ada")
    names = (await ada.get("available_layouts")).json()["result"]
    assert {"1:0", "1:7", "1:21", "2:21", "4:0", "9:0", "16:0", "25:0", "ac"} <= set(names)
    assert (await ada.get("available_layouts?annotate=false")).json()["result"] == names
    annotated = (await ada.get("available_layouts?annotate=true")).json()["result"]
    assert [one["name"] for one in annotated] == names
    assert {"name": "9:0", "tags": ["equal"]} in annotated
    drawings = (await ada.get("layout_svgs")).json()["result"]
    assert list(drawings) == names
    assert all("currentColor" in svg for svg in drawings.values())


@pytest.mark.spec("API-122", "API-123", "API-124", "POL-163")
async def test_hosts_change_the_layout(live: Api) -> None:
    ada = await live.join(name="Ada")
    async with ada.events() as events:
        await events.until("layout")
        changed = await ada.post("transform_layout", {"transforms": {"layout": "2x2", "enable_overlay_text": True}})
        assert changed.json()["result"] is True
        chosen = {"primary_screen": {"chair_layout": "4:0", "guest_layout": "4:0"}}
        await events.until("layout", view="4:0", requested_layout=chosen, overlay_text_enabled=True)
        refused = await ada.post("transform_layout", {"transforms": {"layout": "7:7"}})
        assert (refused.status_code, refused.json()["result"]) == (400, "Illegal value")
        assert (await ada.post("transform_layout", {"transforms": {}})).json()["result"] is True
        await events.until("layout", view="1:7", overlay_text_enabled=False)
