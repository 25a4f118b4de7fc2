"""What administrators do with conferences and participants in the site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from rostra.configuration.models import Conference, WorkerVM
from rostra.fabric.membership import node_name
from rostra.fabric.status import (
    Command,
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
from rostra.management.audit.models import AdministratorLog

from . import people
from .test_status_pages import Made, made  # noqa: F401 - a fixture

BOARD, ADA = "/admin/status/conference/c-1/", "/admin/status/participant/p-1/"


@pytest.fixture
def meeting(made: Made) -> Made:  # noqa: F811
    """Board with Ada in it, on one node."""
    show(made)
    return made


def show(made: Made, *, locked: bool = False, muted: bool = False, **more: Any) -> None:  # noqa: F811
    person = ParticipantStatus(uuid="p-1", display_name="Ada <b>", is_muted=muted, **{"role": "guest", **more})
    part = ConferenceStatus(
        id="c-1", name="Board", is_locked=locked, guests_muted=muted, start_time=1.7e9, participants=(person,)
    )
    made.shown = Snapshot(time=1.7e9 + 90, statuses={"n1": NodeStatus(node="n1", conferences=(part,))})


def labels(page: str) -> list[str]:
    return re.findall(r'class="rs-act[^>]*>([^<]+)<', page)


@pytest.mark.spec("DIAG-018", "DIAG-023", "DIAG-037", "CONF-131")
def test_pages_offer_what_can_be_done_now(browser: Any, meeting: Made) -> None:
    page = browser.get(BOARD).content.decode()
    of_participant = ["Mute", "Make Host", "Disconnect"]
    assert labels(page) == ["Lock", "Mute Guests", "Disconnect all", *of_participant]
    page = browser.get("/admin/status/conference/").content.decode()
    assert labels(page) == ["Lock", "Mute Guests", "Disconnect all"]
    assert "0:01:30" in page
    assert labels(browser.get("/admin/status/participant/").content.decode()) == of_participant
    assert labels(browser.get("/admin/status/worker_vm/").content.decode()) == []
    assert labels(browser.get(ADA).content.decode()) == of_participant
    show(meeting, locked=True, muted=True, role="unknown", service_type="waiting_room")
    page = browser.get(BOARD).content.decode()
    assert labels(page)[:3] == ["Unlock", "Unmute Guests", "Disconnect all"]
    assert labels(page)[3:] == ["Let in", "Unmute", "Make Host", "Make Guest", "Disconnect"]
    show(meeting, is_disconnect_supported=False)
    assert "Disconnect" not in labels(browser.get(ADA).content.decode())


@pytest.mark.parametrize(
    ("path", "command", "told"),
    [
        (f"{BOARD}lock/", OnConference(conference="c-1", action="lock"), "Board is locked."),
        (f"{BOARD}unmute_guests/", OnConference(conference="c-1", action="unmute_guests"), "Guests of Board may be"),
        (f"{ADA}mute/", OnParticipant(participant="p-1", action="mute"), "Ada &lt;b&gt; is muted."),
        (f"{ADA}host/", OnParticipant(participant="p-1", action="role", role="chair"), "Ada &lt;b&gt; is a Host."),
        (f"{ADA}unlock/", OnParticipant(participant="p-1", action="unlock"), "Ada &lt;b&gt; is let in."),
    ],
)
def test_a_button_does_it_and_comes_back(browser: Any, meeting: Made, path: str, command: Command, told: str) -> None:
    response = browser.post(path, {"back": BOARD}, follow=True)
    assert response.redirect_chain == [(BOARD, 302)]
    assert told in response.content.decode()
    assert meeting.told == [("n1", command)]


@pytest.mark.parametrize(
    ("path", "question", "command"),
    [
        (BOARD, "All participants of Board will be", OnConference(conference="c-1", action="disconnect")),
        (ADA, "Ada &lt;b&gt; will be disconnected.", OnParticipant(participant="p-1", action="disconnect")),
    ],
)
def test_what_is_lost_is_asked_first(browser: Any, meeting: Made, path: str, question: str, command: Command) -> None:
    page = browser.post(f"{path}disconnect/", {"back": BOARD}).content.decode()
    assert question in page
    assert f'value="{BOARD}"' in page
    assert meeting.told == []
    response = browser.post(f"{path}disconnect/", {"back": BOARD, "confirmed": "yes"})
    assert response["Location"] == BOARD
    assert meeting.told == [("n1", command)]
    assert "disconnect" in AdministratorLog.objects.latest("id").line


def test_what_fails_is_said(browser: Any, meeting: Made) -> None:
    for reply, message in ((Refused(reason="No answer."), "No answer."), (NotHere(), "Failed to find participant.")):
        meeting.replies = {"n1": reply}
        assert message in browser.post(f"{ADA}mute/", {"back": BOARD}, follow=True).content.decode()
    page = browser.post("/admin/status/participant/p-9/mute/", follow=True)
    assert page.redirect_chain == [("/admin/status/participant/", 302)]
    assert "It has ended in the meantime." in page.content.decode()


def test_nothing_leads_astray(browser: Any, meeting: Made) -> None:
    for back in ("https://evil.example/", "//evil.example/admin/", "javascript:alert(1)", "/logout/"):
        assert browser.post(f"{BOARD}lock/", {"back": back})["Location"] == "/admin/status/conference/"
    assert browser.get(f"{BOARD}lock/").status_code == 405
    for path in (f"{BOARD}explode/", "/admin/status/worker_vm/1/lock/", "/admin/status/nothing/1/lock/"):
        assert browser.post(path).status_code == 404


def test_who_may_only_look_is_offered_nothing_and_can_do_nothing(browser: Any, meeting: Made) -> None:
    reader = Client()
    reader.force_login(people.account("reader", "use_web", "view_status"))
    page = reader.get(BOARD)
    assert page.status_code == 200
    assert labels(page.content.decode()) == []
    assert reader.post(f"{BOARD}disconnect/", {"confirmed": "yes"}).status_code == 403
    assert meeting.told == []


@pytest.mark.spec("CONF-110", "CONF-111")
def test_somebody_is_called_from_a_page(browser: Any, meeting: Made) -> None:
    service = Conference.objects.create(name="Board", service_type="conference")
    service.aliases.create(alias="board")
    meeting.shown = Snapshot(time=1.7e9, statuses={node_name(WorkerVM.objects.get().pk): NodeStatus(node="n1")})
    meeting.replies = {node_name(WorkerVM.objects.get().pk): Dialling(participants=("p-2",))}
    page = browser.get(f"/admin/configuration/conference/{service.pk}/change/").content.decode()
    assert "Dial out to participant" in page
    form = f"/admin/services/{service.pk}/dial/"
    assert 'name="destination"' in browser.get(form).content.decode()
    given = {
        "send": "yes", "destination": "sip:ann@example.test", "conference_alias": "board", "routing": "manual",
        "protocol": "sip", "call_type": "audio", "role": "chair", "dtmf_sequence": "1#",
        "keep_conference_alive": "keep_conference_alive",
    }  # fmt: skip
    page = browser.post(form, given, follow=True)
    assert page.redirect_chain == [("/admin/status/participant/", 302)]
    assert "Initiated dial out to participant" in page.content.decode()
    ((_, command),) = meeting.told
    assert isinstance(command, DialOut)
    assert (command.alias, command.wanted.call_type, command.wanted.role) == ("board", "audio", "chair")
    page = browser.post(form, {**given, "dtmf_sequence": "x"}).content.decode()
    assert "Invalid DTMF sequence" in page
    meeting.replies = {node: Refused(reason="Disabled") for node in meeting.replies}
    assert "Disabled" in browser.post(form, given).content.decode()
    assert browser.get(f"/admin/services/{service.pk + 1}/dial/").status_code == 404


@pytest.mark.spec("CONF-110", "CONF-118")
def test_running_conferences_and_participants_have_forms(browser: Any, meeting: Made) -> None:
    service = Conference.objects.create(name="Board", service_type="conference")
    service.aliases.create(alias="board")
    show(meeting, is_transfer_supported=True)
    assert "Transfer" in labels(browser.get(ADA).content.decode())
    assert 'name="destination"' in browser.post(f"{BOARD}dial/", {"back": BOARD}).content.decode()
    assert 'name="conference_alias"' in browser.post(f"{ADA}transfer/", {"back": BOARD}).content.decode()
    page = browser.post(f"{ADA}transfer/", {"send": "yes", "conference_alias": "other", "role": "guest"}, follow=True)
    assert "Ada &lt;b&gt; is sent on." in page.content.decode()
    told = OnParticipant(participant="p-1", action="transfer", role="guest", alias="other")
    assert meeting.told == [("n1", told)]
    page = browser.get("/admin/status/participant/p-9/transfer/", follow=True)
    assert "It has ended in the meantime." in page.content.decode()
