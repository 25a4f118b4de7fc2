"""Diagnostic snapshots: everything somebody needs who looks for a fault, and no secret."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from rostra.configuration.models import (
    AutomaticParticipant,
    Conference,
    ConferenceAlias,
    Device,
    SipCredential,
    SystemLocation,
)
from rostra.management import status
from rostra.management.audit.noting import note
from rostra.management.history.receiving import moment
from rostra.management.snapshots import contents, keeping

from . import people
from .conftest import Api
from .contract.lively import START, Lively, remember

COMMAND = "/api/admin/command/v1/platform/snapshot/"
SECRETS = ("hidden-pin-1", "884422", "stream-key-77", "hidden-word-2", "hidden-word-3")


def opened(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/gzip"
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer["Content-Length"])
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


@pytest.fixture
def lively(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    remember()
    monkeypatch.setattr(status._Current, "value", Lively())
    room = Conference.objects.create(name="Board", service_type="conference", pin="884422", description="seen")
    ConferenceAlias.objects.create(alias="board", conference=room)
    AutomaticParticipant.objects.create(alias="rtmp://live.test/app/stream-key-77", protocol="rtmp")
    Device.objects.create(alias="ivy@acme.test", username="ivy", password="hidden-word-2")
    SipCredential.objects.create(realm="acme.test", username="us", password="hidden-word-3")
    note("Seen long ago", name="administrator.test", time=moment(START))
    note("Seen just now", {"URL": "rtmps://live.test/app/stream-key-77"}, name="administrator.test")


@pytest.mark.spec("NODE-167", "NODE-169")
def test_a_snapshot_has_all_but_secrets(api: Api, lively: None) -> None:
    found = opened(api("POST", COMMAND, {}))
    rooms = json.loads(found["configuration/conference.json"])
    assert (rooms["total_count"], rooms["objects"][0]["name"]) == (Conference.objects.count(), "Board")
    assert rooms["objects"][0]["pin"] == contents.HIDDEN
    assert json.loads(found["configuration/conference_alias.json"])["objects"][0]["alias"] == "board"
    assert len(json.loads(found["status/conference.json"])["objects"]) == 2
    assert b"Seen just now" in found["logs/administrator.log"]
    about = json.loads(found["snapshot.json"])
    assert (about["not_readable"], bool(about["version"])) == ({}, True)
    everything = b"".join(found.values())
    assert not [secret for secret in SECRETS if secret.encode() in everything]
    assert not [name for name in found if "role" in name or "authentication" in name or "oauth2" in name]
    assert "metrics/load.json" not in found
    assert "metrics/load.json" in opened(api("POST", COMMAND, {"include_diagnostic_metrics": True}))


def test_only_the_wanted_hours(api: Api, lively: None) -> None:
    found = opened(api("POST", COMMAND, {"limit": 2}))
    assert b"Seen just now" in found["logs/administrator.log"]
    assert b"Seen long ago" not in found["logs/administrator.log"]
    assert json.loads(found["history/participant.json"])["objects"] == []
    before = opened(api("POST", COMMAND, {"limit": 5, "end_limit": 1}))
    assert b"Seen just now" not in before["logs/administrator.log"]
    for wrong, named in (({"limit": 0}, "limit"), ({"limit": 10**12}, "limit"), ({"limit": 2, "end_limit": 2}, "end")):
        refused = api("POST", COMMAND, wrong)
        assert refused.status_code == 400
        assert named in str(refused.json())


def test_it_stays_small(api: Api, lively: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_ROWS", 3)
    monkeypatch.setattr(contents, "MOST_LOG", 400)
    SystemLocation.objects.bulk_create(SystemLocation(name=f"L{number}") for number in range(9))
    found = opened(api("POST", COMMAND, {}))
    locations = json.loads(found["configuration/system_location.json"])
    assert (len(locations["objects"]), locations["objects"][0]["name"], locations["total_count"] > 9) == (3, "L8", True)
    assert len(found["logs/administrator.log"]) <= 400
    for _ in range(3):
        opened(api("POST", COMMAND, {"limit": 1}))
    assert len(list(keeping._directory().iterdir())) == keeping.KEPT


def test_what_cannot_be_read_is_named(api: Api, lively: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(Lively, "snapshot", broken)
    found = opened(api("POST", COMMAND, {}))
    about = json.loads(found["snapshot.json"])
    assert about["not_readable"]["status/conference.json"] == "RuntimeError: cut off"
    assert "configuration/conference.json" in found


def test_logs_of_the_machine(api: Api, lively: None) -> None:
    """Each as far as it can be read, and without what addresses give away."""
    logs = settings.ROSTRA.home / "log"
    logs.mkdir(exist_ok=True)
    (logs / "node.log").write_text(
        'to="rtmp://live.test/app/stream-key-77" by=https://us:hidden-word-2@policy.test/a\n'
    )
    (logs / "gone.log").symlink_to(logs / "nowhere")
    found = opened(api("POST", COMMAND, {}))
    hidden = contents.HIDDEN
    assert found["logs/log-node.log"].decode() == (
        f'to="rtmp://live.test/{hidden}" by=https://us:{hidden}@policy.test/a\n'
    )
    assert "FileNotFoundError" in json.loads(found["snapshot.json"])["not_readable"]["logs/log-gone.log"]
    assert "configuration/conference.json" in found


def test_it_is_made_meanwhile(api: Api, lively: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = threading.Event()
    monkeypatch.setattr(keeping.JOBS, "_carry_out", _noticed(keeping.JOBS._carry_out, made))
    address = api("POST", COMMAND, {"request": True}).json()["data"]["resource_uri"]
    assert made.wait(20)
    asked = api.read(address)
    assert asked["state"] == "completed", asked
    assert "snapshot.json" in opened(api("GET", asked["download_uri"]))
    assert api("GET", asked["download_uri"].replace("snapshot_2", "snapshot_1")).status_code == 404
    assert api("GET", asked["download_uri"].replace("diagnostic", "..%2f")).status_code == 404
    assert api("GET", asked["download_uri"], Authorization="").status_code == 401


def _noticed(work: Any, done: threading.Event) -> Any:
    def run(*arguments: Any) -> None:
        work(*arguments)
        done.set()

    return run


def test_one_at_a_time(api: Api, database: Any) -> None:
    with keeping.JOBS.alone():
        answer = api("POST", COMMAND, {})
    assert (answer.status_code, answer.json()["status"]) == (202, "failed")
    assert "A snapshot is being made" in answer.json()["message"]


@pytest.mark.spec("NODE-166", "NODE-167")
def test_the_page(browser: Client, lively: None) -> None:
    page = browser.get("/admin/utilities/snapshot/").content.decode()
    assert "It is sensitive all the same" in page
    wrong = browser.post("/admin/utilities/snapshot/", {"hours": "25"})
    assert wrong.status_code == 400
    assert "24" in wrong.content.decode()
    limited = opened(browser.post("/admin/utilities/snapshot/", {"hours": "2"}))
    assert b"Seen long ago" not in limited["logs/administrator.log"]
    full = opened(browser.post("/admin/utilities/snapshot/", {"full": "1"}))
    assert b"Seen just now" in full["logs/administrator.log"]


def test_who_may_only_look_makes_none(database: Any) -> None:
    reader = Client()
    reader.force_login(people.account("reader", "use_web", "view_utilities", "view_logs"))
    assert "Download full snapshot" not in reader.get("/admin/utilities/snapshot/").content.decode()
    assert reader.post("/admin/utilities/snapshot/", {"full": "1"}).status_code == 403
