"""Breakout rooms by the client API on a real switchboard, without media (section 17)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve
from rostra.environment import Environment
from rostra.tls import context_of
from tests.calls.network import Network, Node
from tests.calls.people import PINS, service

from .driver import ROOT, Api, Event, Events, User
from .test_validators import verdicts

SERVICES = {
    "team": service("Team", PINS, breakout_rooms=True, has_host_pin=True, allow_guests=True),
    "plain": service("Plain"),
}
OFFER = {"call_type": "WEBRTC", "sdp": "v=0\r\n"}


@pytest.fixture
async def team(environment: Environment, certificate: tuple[Path, Path], tmp_path: Path) -> AsyncIterator[Api]:
    """A node with a service that has breakout rooms, over HTTPS."""
    node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower())).start()
    server = serve(create_app(node.exchange, environment, tmp_path), environment, context_of(*certificate))
    await server.start()
    async with httpx.AsyncClient(verify=False, base_url=f"https://localhost:{environment.node_https_port}") as http:
        yield Api(http)
    await server.stop()
    await node.exchange.close()


def of_room(room: str, event: str, **members: Any) -> Callable[[Event], bool]:
    """An event of a room, wrapped."""

    def fits(one: Event) -> bool:
        if one.event != "breakout_event" or one.data["breakout_uuid"] != room or one.data["event"] != event:
            return False
        inside = one.data["data"]
        return all(inside.get(key) == value for key, value in members.items())

    return fits


async def until(events: Events, fits: Callable[[Event], bool]) -> Event:
    while True:
        event = await events.next()
        if fits(event):
            return event


async def open_room(host: User, name: str = "Red", **more: Any) -> str:
    answer = await host.post("breakouts", {"name": name, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["breakout_uuid"]


@pytest.fixture
async def people(team: Api) -> tuple[User, User]:
    host = await team.join("team", "Host", "1234")
    await host.post("start_conference")
    return host, await team.join("team", "Guest", "none")


async def refer(api: Api, told: Event) -> User:
    """Follow a `refer` as clients do."""
    answer = await api.request_token(told.data["alias"], token=told.data["token"], display_name="Guest")
    assert answer.status_code == 200, answer.text
    granted = answer.json()["result"]
    return User(api.http, told.data["alias"], granted["token"], granted["participant_uuid"], granted)


@contextlib.asynccontextmanager
async def watching(*users: User) -> AsyncIterator[list[Events]]:
    async with contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(user.events()) for user in users]
        for stream in streams:
            await stream.until("layout")
        yield streams


@pytest.mark.spec("API-152", "API-153", "API-154", "POL-038")
async def test_a_room_is_opened_and_a_guest_goes_there_and_back(team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    async with watching(host, guest) as (hosts, guests):
        room = await open_room(host, participants={"main": [guest.uuid]}, duration=600, description="By colour")
        begun = await hosts.until("breakout_begin")
        assert begun.data["breakout_uuid"] == room
        told = await hosts.next()
        seen = []
        while not of_room(room, "participant_sync_end")(told):
            if told.event == "breakout_event":
                seen.append(told.data["event"])
            told = await hosts.next()
        assert told.data["data"] is None
        assert seen == ["conference_update", "participant_sync_begin", "participant_create"]
        state = next(one for one in hosts.seen if one.event == "breakout_event").data["data"]
        assert (state["breakout"], state["breakout_name"], state["started"]) == (True, "Red", True)
        assert state["end_time"] > 0
        sent = await guests.until("refer")
        assert (sent.data["target"], sent.data["breakout_name"]) == ("breakout", "Red")
        inside = await refer(team, sent)
        assert inside.granted["role"] == "GUEST"
        await guest.post("release_token", {"reason": "Transfer"})
        await until(hosts, of_room(room, "participant_create", uuid=inside.uuid))
        async with inside.events() as own:
            state = (await own.until("conference_update")).data
            assert state["breakout_name"] == "Red"
            await own.until("participant_create", uuid=inside.uuid)
            roster = (await inside.get("participants")).json()["result"]
            assert [one["uuid"] for one in roster] == [inside.uuid]  # a Host who only follows is not seen
            moved = await host.post(
                f"breakouts/{room}/participants/breakout", {"breakout_uuid": "main", "participants": [inside.uuid]}
            )
            assert moved.json()["result"] is True
            back = await own.until("refer")
            assert (back.data["target"], back.data["alias"]) == ("main", "team")
            again = await refer(team, back)
            assert again.granted["current_service_type"] == "conference"
            await inside.post("release_token")
        gone = await until(hosts, of_room(room, "participant_delete"))
        assert gone.data["data"] == {"uuid": inside.uuid}
    async with host.events() as anew:
        assert (await anew.until("breakout_begin")).data == begun.data
        assert await until(anew, of_room(room, "participant_sync_end"))


@pytest.mark.spec("API-155", "API-157", "API-156")
async def test_a_host_moves_its_media_itself(team: Api, people: tuple[User, User]) -> None:
    host, other = people
    await host.post(f"participants/{other.uuid}/role", {"role": "chair"})
    async with watching(host, other) as (hosts, others):
        room = await open_room(host)
        mine = (await hosts.until("breakout_begin")).data["participant_uuid"]
        theirs = (await others.until("breakout_begin")).data["participant_uuid"]
        assert mine != theirs
        await host.post("participants/breakout", {"breakout_uuid": room, "participants": [other.uuid]})
        told = await others.until("breakout_refer")
        assert told.data == {"breakout_uuid": room, "breakout_name": "Red", "requester_uuid": host.uuid}
        place = f"breakouts/{room}/participants/{theirs}"
        call = (await other.post(f"{place}/calls", OFFER)).json()["result"]["call_uuid"]
        assert (await other.post(f"{place}/calls/{call}/ack")).json()["result"] is True
        await hosts.until("participant_update", uuid=other.uuid, is_conjoined=True)
        await until(hosts, of_room(room, "participant_create", uuid=theirs, has_media=True))
        foreign = await host.post(f"{place}/calls", OFFER)
        assert (foreign.status_code, foreign.json()["result"]) == (403, "Invalid role")
        assert (await other.post("lock")).status_code == 200  # main-room functions go on with the same token
        assert (await host.post(f"breakouts/{room}/disconnect")).json()["result"] is True
        ended = await others.until("call_disconnected")
        assert ended.data["call_uuid"] == call
        assert (await others.until("breakout_end")).data == {"breakout_uuid": room, "participant_uuid": theirs}
        await hosts.until("breakout_end", breakout_uuid=room)
        await hosts.until("participant_update", uuid=other.uuid, is_conjoined=False)
    assert (await other.post(f"{place}/mute")).status_code == 404


@pytest.mark.spec("API-156")
@pytest.mark.parametrize("action", ["transfer", "disconnect"])
async def test_guests_of_a_closed_room(action: str, team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    async with watching(host, guest) as (hosts, guests):
        room = await open_room(host, participants={"main": [guest.uuid]}, end_action=action)
        inside = await refer(team, await guests.until("refer"))
        await hosts.until("breakout_begin")
        async with inside.events() as own:
            await own.until("participant_sync_end")
            assert (await host.post("breakouts/disconnect")).json() == {"status": "success", "result": None}
            if action == "transfer":
                assert (await own.until("refer")).data["target"] == "main"
            else:
                ended = await own.until("disconnect")
                assert ended.data == {"reason": "Conference terminated by another participant"}
        await hosts.until("breakout_end", breakout_uuid=room)


@pytest.mark.spec("API-132")
async def test_who_has_not_gone_yet_stays_when_the_room_closes(team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    async with watching(host, guest) as (hosts, guests):
        room = await open_room(host, participants={"main": [guest.uuid]})
        sent = await guests.until("refer")
        await hosts.until("participant_update", uuid=guest.uuid, is_transferring=True)
        assert (await host.post(f"breakouts/{room}/disconnect")).json()["result"] is True
        assert (await guests.until("cancel_refer")).data == {}
        await hosts.until("participant_update", uuid=guest.uuid, is_transferring=False)
        refused = await team.request_token("team", token=sent.data["token"])
        assert (refused.status_code, refused.json()["result"]) == (403, "Invalid token")
        again = await open_room(host, participants={"main": [guest.uuid]})
        await guests.until("refer", breakout_name="Red")
        assert again != room


async def test_a_room_closes_when_its_time_is_over(team: Api, people: tuple[User, User]) -> None:
    host, _ = people
    async with watching(host) as (hosts,):
        room = await open_room(host, duration=0.3)
        await hosts.until("breakout_begin")
        await hosts.until("breakout_end", breakout_uuid=room)


async def test_help_leaving_and_messages(team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    async with watching(host, guest) as (hosts, guests):
        room = await open_room(host, participants={"main": [guest.uuid]}, guests_allowed_to_leave=True)
        inside = await refer(team, await guests.until("refer"))
        async with inside.events() as own:
            await own.until("participant_sync_end")
            assert (await inside.post("breakoutbuzz")).json()["result"] is True
            asked = await until(hosts, of_room(room, "conference_update"))
            while not asked.data["data"]["breakoutbuzz"]["value"]:
                asked = await until(hosts, of_room(room, "conference_update"))
            assert (await host.post(f"breakouts/{room}/clearbreakoutbuzz")).json()["result"] is True
            assert (await host.post("breakouts/message", {"type": "text/plain", "payload": "5 minutes"})).json()[
                "result"
            ]
            said = await own.until("message_received")
            assert (said.data["payload"], said.data["origin"]) == ("5 minutes", "Host")
            await inside.post("message", {"type": "text/plain", "payload": "ok"})
            await until(hosts, of_room(room, "message_received", payload="ok"))
            assert (await host.post("breakouts/empty")).json()["result"] is True
            assert (await own.until("refer")).data["target"] == "main"
        token = (await host.post(f"breakouts/{room}/request_guest_token")).json()["result"]
        joined = (await team.request_token("team", token=token)).json()["result"]
        second = User(team.http, "team", joined["token"], joined["participant_uuid"], joined)
        await until(hosts, of_room(room, "participant_create", uuid=second.uuid))
        async with second.events() as own:
            await own.until("participant_sync_end")
            assert (await second.post("leavebreakout")).json()["result"] is True
            await own.until("refer", target="main")


async def test_who_may_and_what_is_refused(team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    for path in ("breakouts", "breakouts/disconnect", "breakouts/empty", "breakouts/x/lock"):
        answer = await guest.post(path, {"name": "x"})
        assert (answer.status_code, answer.json()["result"]) == (403, "Invalid role"), path
    assert (await guest.post("leavebreakout")).status_code == 403
    assert (await host.post("breakouts/00000000-0000-0000-0000-000000000000/lock")).status_code == 404
    plain = await team.join("plain", "Ada")
    assert (await plain.post("breakouts", {"name": "x"})).json()["result"] == "Disabled"
    room = await open_room(host)
    for alias in (f"breakout!{room}", room):
        assert (await team.request_token(alias, "1234")).status_code == 404
    async with watching(host) as (hosts,):
        await hosts.until("breakout_begin")
        await guest.post("release_token")
        await host.post("release_token")
    status = await team.http.get(f"{ROOT}/status")
    assert status.status_code == 200


ROOM_FUNCTIONS: dict[str, tuple[str, Any]] = {
    "muteguests": ("BreakoutMuteguests", None),
    "unmuteguests": ("BreakoutUnmuteguests", None),
    "lock": ("BreakoutLock", None),
    "unlock": ("BreakoutUnlock", None),
    "clearallbuzz": ("BreakoutClearAllBuzz", None),
    "message": ("BreakoutMessageConference", {"type": "text/plain", "payload": "x"}),
    "transform_layout": ("BreakoutTransformLayout", {"transforms": {"layout": "4:0"}}),
    "video_mixes/create": ("BreakoutVideoMixesCreate", {"mix_name": "main.!personal"}),
    "video_mixes/main.!personal/configure": ("BreakoutVideoMixesConfigure", {"transform_layout": {"layout": "4:0"}}),
    "video_mixes/main.!personal/delete": ("BreakoutVideoMixesDelete", None),
    "breakoutbuzz": ("HostBreakoutBuzz", None),
    "clearbreakoutbuzz": ("HostClearBreakoutBuzz", None),
    "request_guest_token": ("BreakoutRequestGuestToken", None),
}
ATTENDANT_FUNCTIONS: dict[str, tuple[str, Any]] = {
    "mute": ("BreakoutMuteParticipant", None),
    "unmute": ("BreakoutUnmuteParticipant", None),
    "client_mute": ("BreakoutClientMuteParticipant", None),
    "client_unmute": ("BreakoutClientUnmuteParticipant", None),
    "video_muted": ("BreakoutVideoMuteParticipant", None),
    "video_unmuted": ("BreakoutVideoUnmuteParticipant", None),
    "overlaytext": ("BreakoutOverlaytextParticipant", {"text": "x"}),
    "take_floor": ("BreakoutTakeFloor", None),
    "release_floor": ("BreakoutReleaseFloor", None),
    "show_live_captions": ("BreakoutShowLiveCaptions", None),
    "hide_live_captions": ("BreakoutHideLiveCaptions", None),
    "unlock": ("BreakoutUnlockParticipant", None),
    "buzz": ("BreakoutBuzzParticipant", None),
    "clearbuzz": ("BreakoutClearbuzzParticipant", None),
    "spotlighton": ("BreakoutSpotlightonParticipant", None),
    "spotlightoff": ("BreakoutSpotlightoffParticipant", None),
    "dtmf": ("BreakoutDtmfParticipant", {"digits": "1"}),
    "fecc": ("BreakoutFeccParticipant", {"action": "stop", "movement": []}),
    "transfer": ("BreakoutTransferParticipant", {"conference_alias": "nowhere"}),
    "disconnect": ("BreakoutDisconnectParticipant", None),
}
CALL_FUNCTIONS: dict[str, tuple[str, Any]] = {
    "ack": ("BreakoutAck", {}),
    "new_candidate": ("BreakoutNewCandidate", {"candidate": "", "mid": "0"}),
    "update": ("BreakoutUpdate", {"sdp": "v=0\r\n"}),
    "disconnect": ("BreakoutDisconnectCall", {}),
}


@pytest.mark.spec("API-177")
async def test_official_validators_accept_the_answers_of_rooms(team: Api, people: tuple[User, User]) -> None:
    host, guest = people
    async with watching(host) as (hosts,):
        answers = [("breakout/Breakouts200", await host.post("breakouts", {"name": "Red"}))]
        begun = (await hosts.until("breakout_begin")).data
        room, me = begun["breakout_uuid"], begun["participant_uuid"]
        nobody = {"breakout_uuid": room, "participants": []}
        answers += [
            ("breakout/BreakoutMoveParticipantsFromMain200", await host.post("participants/breakout", nobody)),
            ("breakout/BreakoutMoveParticipantsFromMain403", await guest.post("participants/breakout", nobody)),
        ]
        path = f"breakouts/{room}/participants/breakout"
        answers += [
            ("breakout/BreakoutMoveParticipants200", await host.post(path, nobody)),
            ("breakout/BreakoutMoveParticipants403", await guest.post(path, nobody)),
            ("breakout/BreakoutsMessage200", await host.post("breakouts/message", ROOM_FUNCTIONS["message"][1])),
            ("breakout/BreakoutsEmpty200", await host.post("breakouts/empty")),
        ]
        for end, (name, body) in ROOM_FUNCTIONS.items():
            answers.append((f"breakout/{name}200", await host.post(f"breakouts/{room}/{end}", body)))
        place = f"breakouts/{room}/participants/{me}"
        begun_call = await host.post(f"{place}/calls", OFFER)
        call = begun_call.json()["result"]["call_uuid"]
        answers.append(("breakout/BreakoutCallsWebrtcParticipant200", begun_call))
        for end, (name, body) in CALL_FUNCTIONS.items():
            answer = await host.post(f"{place}/calls/{call}/{end}", body)
            answers.append((f"breakout/{name}{answer.status_code}", answer))
            assert answer.status_code == 200, (end, answer.text)
        for end, (name, body) in ATTENDANT_FUNCTIONS.items():
            for user in (guest, host):
                answer = await user.post(f"{place}/{end}", body)
                answers.append((f"breakout/{name}{answer.status_code}", answer))
        answers.append(("breakout/BreakoutsDisconnect200", await host.post("breakouts/disconnect")))
    answers.append(("conference/GuestBreakoutBuzz403", await guest.post("breakoutbuzz")))
    answers = [one for one in answers if not one[0].startswith("conference/")]
    assert await verdicts(answers) == {}
