"""Commands of the API that act on conferences and participants: who is told what, and what the client hears."""

from __future__ import annotations

import base64
import urllib.parse
from typing import Any

import pytest
from django.test import Client

from rostra.configuration.models import Conference, SystemLocation, WorkerVM
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.fabric.membership import node_name
from rostra.fabric.status import (
    ConferenceStatus,
    Dialling,
    DialOut,
    NodeStatus,
    NotHere,
    OnConference,
    OnParticipant,
    ParticipantStatus,
    Refused,
)
from rostra.fabric.survey import Snapshot
from rostra.management import status
from rostra.management.audit.models import AdministratorLog

from . import people
from .conftest import Api
from .test_status_pages import Made

BASE = "/api/admin/command/v1/"
MEETING, ADA, BEN = "11111111-aaaa-1111-1111-111111111111", "a-ada", "b-ben"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """One conference on two nodes: Ada on the first, Ben (muted) on the second."""
    found = Made()
    monkeypatch.setattr(status._Current, "value", found)
    found.shown = Snapshot(
        time=1_700_000_100.0,
        statuses={
            node: NodeStatus(
                node=node,
                conferences=(
                    ConferenceStatus(
                        id=MEETING,
                        name="Board",
                        is_locked=node == "n2",
                        participants=(ParticipantStatus(uuid=who, is_muted=who == BEN),),
                    ),
                ),
            )
            for node, who in (("n1", ADA), ("n2", BEN))
        },
    )
    return found


def basic(name: str, password: str = "") -> str:
    """Credentials; without a password those of an account made by `people`."""
    return "Basic " + base64.b64encode(f"{name}:{password or name * 2}".encode()).decode()


def give(api: Api, command: str, body: Any, status: int = 202, **headers: str) -> Any:
    response = api("POST", f"{BASE}{command}/", body, **headers)
    assert response.status_code == status, response.content
    return response.json()


DONE = {"status": "success", "data": None}


@pytest.mark.parametrize("action", ["disconnect", "lock", "unlock", "mute_guests", "unmute_guests"])
def test_every_node_of_a_conference_is_told(api: Api, made: Made, action: str) -> None:
    assert give(api, f"conference/{action}", {"conference_id": MEETING.upper()}) == DONE
    assert made.told == [(node, OnConference(conference=MEETING, action=action)) for node in ("n1", "n2")]


@pytest.mark.parametrize("action", ["disconnect", "mute", "unmute", "unlock"])
def test_the_node_that_signals_a_participant_is_told(api: Api, made: Made, action: str) -> None:
    assert give(api, f"participant/{action}", {"participant_id": BEN}) == DONE
    assert made.told == [("n2", OnParticipant(participant=BEN, action=action))]


def test_a_role_is_given_and_has_to_be_one(api: Api, made: Made) -> None:
    assert give(api, "participant/role", {"participant_id": ADA, "role": "guest"}) == DONE
    assert made.told == [("n1", OnParticipant(participant=ADA, action="role", role="guest"))]
    for role, message in (("emperor", "Value 'emperor' is not a valid choice."), (None, "This field is required.")):
        body = give(api, "participant/role", {"participant_id": ADA, "role": role}, 400)
        assert body == {"role": {"role": [message]}}
    assert len(made.told) == 1


def test_what_is_not_there_is_said_by_parameter(api: Api, made: Made) -> None:
    missing = {"participant_id": ["Failed to find participant."]}
    assert give(api, "participant/mute", {"participant_id": "nobody"}, 400) == {"mute": missing}
    assert give(api, "conference/lock", {"conference_id": "none"}, 400) == {
        "lock": {"conference_id": ["Failed to find conference."]}
    }
    assert made.told == []
    made.replies = {"n1": NotHere(), "n2": NotHere()}  # it has ended in the meantime
    assert give(api, "participant/mute", {"participant_id": ADA}, 400) == {"mute": missing}
    assert give(api, "conference/lock", {"conference_id": MEETING}, 400)["lock"]
    for wrong in ("x" * 201, True, None, ["a"], {}):
        assert set(give(api, "participant/mute", {"participant_id": wrong}, 400)["mute"]) == {"participant_id"}


def test_one_node_that_does_it_is_enough_and_none_is_a_failure(api: Api, made: Made) -> None:
    made.replies = {"n1": Refused(reason="The node does not answer.")}
    assert give(api, "conference/lock", {"conference_id": MEETING}) == DONE
    made.replies["n2"] = NotHere()
    assert give(api, "conference/lock", {"conference_id": MEETING}) == {
        "status": "failed",
        "message": "The node does not answer.",
        "data": None,
    }


def test_forms_are_taken_as_well(api: Api, made: Made) -> None:
    form = urllib.parse.urlencode({"participant_id": ADA, "role": "chair"})
    kind, user = "application/x-www-form-urlencoded", basic("admin", "secret")
    response = Client().post(f"{BASE}participant/role/", form, kind, headers={"Authorization": user})
    assert (response.status_code, response.json()) == (202, DONE)
    assert made.told == [("n1", OnParticipant(participant=ADA, action="role", role="chair"))]


def test_names_and_settings_of_other_clients(api: Api, made: Made) -> None:
    """What the official Go client sends (sheet 10, 6)."""
    number = Conference.objects.create(name="Board", service_type="conference").pk
    idle = Conference.objects.create(name="Idle", service_type="conference").pk
    for body, command in (
        ({"conference_id": number, "setting": "toggle"}, OnConference(conference=MEETING, action="unlock")),
        ({"conference_id": number, "setting": "lock"}, OnConference(conference=MEETING, action="lock")),
    ):
        made.told.clear()
        give(api, "conference/lock", body)
        assert {told for _, told in made.told} == {command}
    give(api, "conference/lock", {"conference_id": idle}, 400)
    made.told.clear()
    for who, setting, action in ((ADA, "toggle", "mute"), (BEN, "toggle", "unmute"), (ADA, "unmute", "unmute")):
        give(api, "participant/mute", {"participant_uuid": who, "setting": setting})
        assert made.told.pop()[1] == OnParticipant(participant=who, action=action)
    give(api, "participant/mute", {"participant_id": ADA, "setting": "perhaps"}, 400)
    assert give(api, "backup/restore", {}, 400).keys() == {"backup_restore"}
    assert give(api, "upgrade", {}, 400).keys() == {"upgrade"}
    assert api("GET", f"{BASE}upgrade/").status_code == 404
    assert api("POST", f"{BASE}participant/", {}).status_code == 405
    assert api("POST", f"{BASE}participant/spotlight/", {}).status_code == 404


@pytest.mark.spec("CONF-107", "CONF-110", "CONF-111", "CONF-112")
def test_somebody_is_called(api: Api, made: Made) -> None:
    board = Conference.objects.create(name="Board", service_type="conference")
    board.aliases.create(alias="board")
    location = SystemLocation.objects.create(name="Oslo")
    row = WorkerVM.objects.create(
        name="one",
        hostname="one",
        domain="test",
        address="10.0.0.1",
        netmask="255.0.0.0",
        gateway="10.0.0.2",
        system_location=location,
    )
    node = node_name(row.pk)
    made.shown = Snapshot(time=made.shown.time, statuses={node: NodeStatus(node=node)})
    made.replies = {node: Dialling(participants=("u1",))}
    body = {"conference_alias": "Board", "destination": "sip:ann@example.test", "system_location": "Oslo"}
    answer = give(api, "participant/dial", body)
    assert answer["data"] == {"participant_id": "u1", "participant_ids": ["u1"]}
    wanted = Wanted(destination="sip:ann@example.test", source_alias="Board", location=location.pk)
    assert made.told == [(node, DialOut(alias="Board", wanted=wanted))]

    made.told.clear()
    more = {
        "destination": "rtmp://host/live/x", "protocol": "rtmp", "role": "chair", "streaming": True, "node": "10.0.0.1",
        "dtmf_sequence": "1,#", "presentation_url": "rtmp://host/live/y", "remote_display_name": "Tape",
        "keep_conference_alive": "keep_conference_alive_never", "local_display_name": "We", "call_type": "audio",
    }  # fmt: skip
    give(api, "participant/dial", {"conference_alias": "board", **more})
    assert made.told[0][1] == DialOut(
        alias="board",
        wanted=Wanted(
            destination="rtmp://host/live/x", protocol=CallProtocol.RTMP, role=Role.HOST, streaming=True,
            dtmf_sequence="1,#", presentation_url="rtmp://host/live/y", display_name="Tape",
            keep_alive=KeepAlive.NEVER, source_name="We", source_alias="board", call_type="audio",
        ),
    )  # fmt: skip
    made.told.clear()
    headers = "P-Asserted-Identity: <sip:board@example.test>"
    give(
        api, "participant/dial", {**body, "routing": "routing_rule", "protocol": "h323", "custom_sip_headers": headers}
    )
    assert made.told[0][1].wanted.protocol is None
    assert made.told[0][1].wanted.headers == (("P-Asserted-Identity", "<sip:board@example.test>"),)

    for wrong, blamed in (
        ({"conference_alias": "nobody"}, "conference_alias"),
        ({"system_location": "Bergen"}, "system_location"),
        ({"custom_sip_headers": "Via: elsewhere"}, "custom_sip_headers"),
        ({"node": "10.0.0.9"}, "node"),
        ({"dtmf_sequence": "a"}, "dtmf_sequence"),
        ({"protocol": "rtmp"}, "destination"),
        ({"presentation_url": "http://x"}, "presentation_url"),
        ({"protocol": "teams"}, "protocol"),
        ({"keep_conference_alive": "perhaps"}, "keep_conference_alive"),
        ({"destination": ""}, "destination"),
    ):
        made.told.clear()
        (messages,) = give(api, "participant/dial", {**body, **wrong}, 400).values()
        assert (list(messages), made.told) == ([blamed], [])
    made.replies = {node: Refused(reason="Disabled")}
    assert give(api, "participant/dial", body) == {"status": "failed", "message": "Disabled", "data": None}


@pytest.mark.spec("CONF-117", "CONF-118")
def test_somebody_is_sent_to_another_conference(api: Api, made: Made) -> None:
    give(api, "participant/transfer", {"participant_id": ADA, "conference_alias": "other", "role": "chair"})
    assert made.told == [("n1", OnParticipant(participant=ADA, action="transfer", role="chair", alias="other"))]
    made.told.clear()
    give(api, "participant/transfer", {"participant_id": ADA}, 400)
    give(api, "participant/transfer", {"participant_id": "nobody", "conference_alias": "other"}, 400)
    assert made.told == []


def test_only_who_may_control_conferences(api: Api, made: Made) -> None:
    people.account("viewer", "use_api", "view_status", "view_service")
    people.account("operator", "use_api", "control_conferences")
    body = {"conference_id": MEETING}
    give(api, "conference/disconnect", body, 403, Authorization=basic("viewer"))
    assert made.told == []
    assert give(api, "conference/disconnect", body, Authorization=basic("operator")) == DONE


def test_the_log_says_who_did_what_to_whom(api: Api, made: Made) -> None:
    give(api, "participant/role", {"participant_id": ADA, "role": "guest"})
    entry = AdministratorLog.objects.latest("id")
    line = str(entry.line)
    for part in ("Command given", "participant/role", ADA, "guest"):
        assert part in line
    assert entry.user == "admin"


@pytest.mark.spec("POL-162")
def test_the_layout_of_a_running_conference_is_changed(api: Api, made: Made) -> None:
    body = {"conference_id": MEETING, "layout": "4:0", "plus_n_pip_enabled": False, "free_form_overlay_text": "a\nb"}
    assert give(api, "conference/transform_layout", body) == DONE
    transforms = (("layout", "4:0"), ("plus_n_pip_enabled", False), ("free_form_overlay_text", ("a", "b")))
    told = OnConference(conference=MEETING, action="transform_layout", transforms=transforms)
    assert made.told == [(node, told) for node in ("n1", "n2")]
    refused = give(api, "conference/transform_layout", {"conference_id": MEETING, "host_layout": "7:7"}, 400)
    assert refused == {"transform_layout": {"host_layout": ["Illegal value."]}}
