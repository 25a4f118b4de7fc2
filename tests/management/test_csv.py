"""CSV files of services (NODE-179...NODE-197)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rostra.configuration.models import AutomaticParticipant, Conference, ConferenceAlias, Device
from rostra.configuration.resources import Resource, register
from rostra.configuration.secretfield import reveal
from rostra.management import csvfiles
from rostra.management.audit.models import AdministratorLog
from rostra.management.services import kind_of

from . import people
from .conftest import Api

HEADER = (
    "name,description,pin,allow_guests,guest_pin,alias_alias,alias_description,tag,max_callrate_in,max_callrate_out,"
    "call_type,host_view,enable_overlay_text,ivr_theme_name,participant_limit,primary_owner_email_address"
)


@pytest.fixture
def rooms(database: Any) -> Resource:
    found = register.get("conference")
    assert found is not None
    return found


def aliases(name: str) -> list[str]:
    return list(ConferenceAlias.objects.filter(conference__name=name).values_list("alias", flat=True))


def test_examples_of_the_specification(rooms: Resource) -> None:
    text = "alice,,,,,meet.alice\nbob,,,,,meet.bob\nbob,,,,,meet.bobby\ncarol,,1234,True,6789,meet.carol\n"
    assert csvfiles.load(rooms, text.encode()) == 3
    assert aliases("alice") == ["meet.alice"]
    assert aliases("bob") == ["meet.bob", "meet.bobby"]
    carol = Conference.objects.get(name="carol")
    assert (carol.pin, carol.allow_guests, carol.guest_pin, carol.call_type) == ("1234", True, "6789", "video")


def test_header_in_any_order_and_rates_in_bits(rooms: Resource) -> None:
    text = "\ufeffmax_callrate_in,name,allow_guests,pin\r\n384000,Ålesund,TRUE,1234\r\n"
    csvfiles.load(rooms, text.encode())
    row = Conference.objects.get(name="Ålesund")
    assert (row.max_callrate_in, row.allow_guests) == (384, True)


def test_an_existing_service_is_overwritten_and_keeps_its_aliases_rows(rooms: Resource) -> None:
    key = ConferenceAlias.objects.get(alias="meet.demo").pk
    Conference.objects.filter(name="Demo").update(tag="old", pin="1234")
    csvfiles.load(rooms, b"Demo,new,,,,MEET.demo\nDemo,newer,,,,second\n")
    demo = Conference.objects.get(name="Demo")
    assert (demo.description, demo.tag, demo.pin) == ("newer", "", "")
    assert aliases("Demo") == ["MEET.demo", "second"]
    assert ConferenceAlias.objects.get(alias="MEET.demo").pk == key


def test_export_imports_unchanged_elsewhere(rooms: Resource) -> None:
    csvfiles.load(rooms, 'a,"x, ""y""\nz",1234#,true,56#7#\n'.replace("56#7#", "567#").encode())
    csvfiles.load(rooms, b"b,,,,,one\nb,,,,,two,second\n")
    text = csvfiles.export(rooms)
    assert text.splitlines()[0] == HEADER
    assert "Test Call Service" not in text, "other kinds of service have files of their own"
    before = list(
        Conference.objects.filter(service_type="conference").values("name", "description", "pin", "guest_pin")
    )
    Conference.objects.filter(service_type="conference").delete()
    assert csvfiles.load(rooms, text.encode()) == 3
    assert csvfiles.export(rooms) == text
    assert (
        list(Conference.objects.filter(service_type="conference").values("name", "description", "pin", "guest_pin"))
        == before
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"ok\n,,1234", 2, "name"),
        (b"ok\nx,,12", 2, "pin"),
        (b"ok\nx,,,true", 2, "allow_guests"),
        (b"ok\nx,,,perhaps", 2, "allow_guests"),
        (b"ok\nx,,,,,meet.demo", 2, "Alias"),
        (b"ok\nx,,,,,,,,383999", 2, "384000"),
        (b"ok\nx,,,,,,,,,,video-first", 2, "call_type"),
        (b"ok\nx,,,,,,,,,,,,,Theme", 2, "ivr_theme_name"),
        (b"ok\nTest Call Service", 2, "another kind"),
        (b"ok\n" + b"x," * 16 + b"x", 2, "columns"),
        (b"\xff\xfe", 1, "UTF-8"),
        (b'ok\nx,"', 2, "CSV"),
        (b"ok\nx\x00y", 2, "Null"),
        (b"name,pin,service_type\nok,1234,conference", 1, "service_type"),
    ],
)
def test_one_bad_row_and_nothing_is_imported(rooms: Resource, text: bytes, line: int, message: str) -> None:
    with pytest.raises(csvfiles.Rejected) as rejected:
        csvfiles.load(rooms, text)
    assert message in str(rejected.value.problems[0])
    assert rejected.value.problems[0].line == line
    assert not Conference.objects.filter(name__in=["ok", "x"]).exists()


def test_a_new_room_offers_its_first_alias(browser: Any) -> None:
    page = "/admin/configuration/conference/"
    assert b'name="aliases-0-alias"' in browser.get(f"{page}add/").content
    assert b'name="aliases-1-alias"' not in browser.get(f"{page}1/change/").content


UPLOAD = "/admin/csv/import/configuration/conference/"


def send(browser: Any, content: bytes, page: str = UPLOAD) -> Any:
    """Upload a file; returns the page that follows."""
    return browser.post(page, {"file": SimpleUploadedFile("x.csv", content)}, follow=True)


def test_a_file_is_checked_shown_and_then_imported(api: Api, browser: Any) -> None:
    page = "/admin/configuration/conference/"
    response = browser.get(f"{page}export-csv/")
    assert response["Content-Type"].startswith("text/csv")
    assert b"meet.demo" in response.content
    assert browser.get(f"{page}import-csv/").url == UPLOAD
    bad = send(browser, b"ok\nx,,1")
    assert bad.status_code == 400
    assert re.search(rb"<td[^>]*>2</td><td><code>pin</code></td><td>[^<]+</td>", bad.content)
    shown = send(browser, b"x,,,,,meet.x\nDemo,better,,,,meet.demo\n")
    counts = re.findall(rb"<dd>([0-9]+)</dd>", shown.content)
    assert counts == [b"1", b"1", b"0"]
    assert b"better" in shown.content
    assert api.list("conference_alias/?alias=meet.x") == [], "nothing is written before it is confirmed"
    job = shown.redirect_chain[-1][0]
    done = browser.post(job, {"confirm": "yes"}, follow=True)
    assert b"2 imported." in done.content
    assert api.list("conference_alias/?alias=meet.x")
    assert browser.get(job).status_code == 404
    entry = AdministratorLog.objects.get(resource="conference", object_name="x")
    assert (entry.user, entry.way) == ("admin", "CSV")


def test_an_import_is_its_owners_and_can_be_given_up(api: Api, browser: Any) -> None:
    from django.test import Client

    job = send(browser, b"x").redirect_chain[-1][0]
    others = {}
    for name, permissions in (("editor", ("modify_service",)), ("reader", ("view_service",))):
        others[name] = Client()
        others[name].force_login(people.account(name, "use_web", *permissions))
    assert others["editor"].post(job, {"confirm": "yes"}).status_code == 404
    assert send(others["editor"], b"y").status_code == 200
    assert send(others["reader"], b"y").status_code == 403
    assert others["reader"].get("/admin/configuration/conference/export-csv/").status_code == 200
    assert browser.post(job, {"discard": "yes"}).url == "/admin/configuration/conference/"
    assert browser.post(job, {"confirm": "yes"}).status_code == 404
    assert api.list("conference/?name=x") == []
    for path in ("/admin/csv/import/configuration/ivrtheme9/", "/admin/csv/import/management/testcallservice/"):
        assert browser.get(path).status_code == 404


def test_what_has_changed_since_the_preview_is_checked_again(api: Api, browser: Any) -> None:
    job = send(browser, b"x,,,,,meet.x").redirect_chain[-1][0]
    api.create("conference", name="Faster", aliases=[{"alias": "meet.x"}])
    late = browser.post(job, {"confirm": "yes"}, follow=True)
    assert late.status_code == 400
    assert b"already exists" in late.content
    assert api.list("conference/?name=x") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name\nÅ".encode("utf-16"), "UTF-8"),
        (b"x,\xff", "UTF-8"),
        (b"ok\n" + b"," * 1_000_000 + b"x", "1000001 columns"),
        (b'ok\n"' + b"x" * 200_000 + b'"', "field larger"),
        (b'ok\n"never closed\n' + b"y\n" * 1000, "CSV"),
        (b"ok,,,,,a b", "spaces"),
        (b"ok,,,,,a\nother,,,,,A", "already exists"),
    ],
)
def test_hostile_files_say_what_is_wrong(rooms: Resource, content: bytes, message: str) -> None:
    outcome = csvfiles.preview(rooms, content)
    assert message in str(outcome.problems[0])
    with pytest.raises(csvfiles.Rejected):
        csvfiles.load(rooms, content)
    assert Conference.objects.count() == 2


def test_files_have_a_limit(rooms: Resource, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rostra.management import csvreading

    monkeypatch.setattr(csvreading, "LARGEST", 1000)
    assert "larger" in str(csvfiles.preview(rooms, b"x\n" * 501).problems[0])
    assert b"larger than" in send(browser, b"x\n" * 501).content
    monkeypatch.setattr(csvreading, "MOST_ROWS", 10)
    assert "10 rows" in str(csvfiles.preview(rooms, b"".join(b"r%d\n" % n for n in range(20))).problems[0])
    monkeypatch.setattr(csvreading, "MOST_PROBLEMS", 3)
    assert len(csvfiles.preview(rooms, b",,1\n" * 10).problems) == 3


def test_a_preview_tells_what_changes_of_what_is_there(rooms: Resource) -> None:
    csvfiles.load(rooms, b"a,first,,,,one,old\nb,,,,,two\n")
    outcome = csvfiles.preview(rooms, b"a,second,,,,one,new\na,second,,,,three\nb,,,,,two\nc,,,,,four\n")
    assert (outcome.created, outcome.changed, outcome.unchanged) == (1, 1, 1)
    (changed, created) = outcome.samples
    assert (changed.line, changed.name, changed.what) == (2, "a", "changed")
    assert ("Description", "first", "second") in changed.changes
    assert ("Aliases", "one", "one, three") in changed.changes
    assert ("one: Description", "old", "new") in changed.changes
    assert ("Name", "", "c") in created.changes
    assert aliases("a") == ["one"]


def test_an_alias_moves_to_another_room_of_the_file(rooms: Resource) -> None:
    csvfiles.load(rooms, b"a,,,,,one\nb,,,,,two\n")
    csvfiles.load(rooms, b"b,,,,,one\na,,,,,TWO\n")
    assert (aliases("a"), aliases("b")) == (["TWO"], ["one"])


@pytest.mark.spec("NODE-187", "NODE-189", "NODE-196", "PLAT-149")
@pytest.mark.parametrize(("kind", "count"), [("conference", 16), ("lecture", 18), ("two_stage_dialing", 13)])
def test_each_kind_of_service_has_files_of_its_own(rooms: Resource, kind: str, count: int) -> None:
    resource = kind_of(kind).resource
    names = csvfiles.columns(resource)
    assert len(names) == count
    row = {
        "name": "one",
        "alias_alias": "one@example.com",
        "ivr_theme_name": "Rostra theme (English_US)",
        "call_type": "audio",
    }
    csvfiles.load(resource, (",".join(names) + "\n" + ",".join(row.get(name, "") for name in names)).encode())
    made = Conference.objects.get(name="one")
    assert (made.service_type, made.call_type, aliases("one")) == (kind, "audio", ["one@example.com"])
    assert made.guest_view == ("one_main_seven_pips" if kind == "lecture" else None)
    text = csvfiles.export(resource)
    assert "one@example.com" in text
    Conference.objects.all().delete()
    csvfiles.load(resource, text.encode())
    assert csvfiles.export(resource) == text


def test_a_large_file_is_imported_with_few_statements(rooms: Resource) -> None:
    text = "".join(f"Room {n},,1234,,,room{n}@example.com\n" for n in range(1000)).encode()
    with CaptureQueriesContext(connection) as queries:
        assert csvfiles.preview(rooms, text).created == 1000
    assert len(queries) < 12, "batches of names and of aliases"
    with CaptureQueriesContext(connection) as queries:
        csvfiles.load(rooms, text)
    assert len(queries) < 200
    assert ConferenceAlias.objects.filter(alias__startswith="room").count() == 1000
    with CaptureQueriesContext(connection) as queries:
        assert csvfiles.preview(rooms, text).unchanged == 1000
    assert len(queries) < 20


@pytest.fixture
def devices(database: Any) -> Resource:
    found = register.get("device")
    assert found is not None
    return found


@pytest.fixture
def dialled(database: Any) -> Resource:
    """Participants that are dialled, and two rooms and a reception to dial them."""
    found = register.get("automatic_participant")
    assert found is not None
    for name in ("meet Alice", "meet Sales"):
        Conference.objects.create(name=name)
    Conference.objects.create(name="Reception", service_type="two_stage_dialing")
    return found


def pairs() -> list[tuple[str, str, list[str]]]:
    every = AutomaticParticipant.objects.order_by("pk")
    return [(row.alias, row.role, sorted(str(room) for room in row.conference.all())) for row in every]


@pytest.mark.spec("NODE-205", "NODE-207")
def test_devices_keep_their_passwords_which_no_file_shows(devices: Resource) -> None:
    assert csvfiles.load(devices, b"alice@example.com,,,alice,1234\nalice@example.com,tag,,alice,Geheim\n") == 1
    text = csvfiles.export(devices)
    header, row = text.splitlines()
    assert header == "alias,tag,description,username,password,primary_owner_email_address"
    assert row.startswith("alice@example.com,tag,,alice,$~!1")
    assert "Geheim" not in text
    Device.objects.all().delete()
    assert csvfiles.load(devices, text.encode()) == 1
    assert reveal(Device.objects.get(), "password") == "Geheim"
    csvfiles.load(devices, b"sync_tag,alias,username\nx,alice@example.com,other\n")
    changed = Device.objects.get()
    assert (changed.username, changed.sync_tag, changed.tag) == ("other", "", "")


@pytest.mark.spec("NODE-198", "NODE-199", "NODE-204")
def test_a_participant_is_one_thing_to_each_room(dialled: Resource) -> None:
    text = (
        "alice@example.com,Alice Jones,,,,chair,,,,,,,meet Alice\n"
        "alice@example.com,Alice Jones,,,,chair,,,,,,,meet Sales\n"
        "alice@example.com,Alice Jones,,,,guest,,,,,,,meet Sales\n"
        'bob@example.com,,,,"1,,2",,true,,,,,Default,\n'
    )
    assert csvfiles.load(dialled, text.encode()) == 3
    assert pairs() == [
        ("alice@example.com", "chair", ["meet Alice"]),
        ("alice@example.com", "guest", ["meet Sales"]),
        ("bob@example.com", "guest", []),
    ]
    assert AutomaticParticipant.objects.get(alias="bob@example.com").system_location.name == "Default"
    exported = csvfiles.export(dialled)
    assert csvfiles.load(dialled, exported.encode()) == 3
    assert csvfiles.export(dialled) == exported
    csvfiles.load(dialled, b"alice@example.com,Alice Jones,,,,chair,,,,,,,meet Sales\n")
    assert pairs()[0] == ("alice@example.com", "chair", ["meet Alice", "meet Sales"])
    assert len(pairs()) == 2
    csvfiles.load(dialled, b"alice@example.com,Ally,,,,,,,,,,,meet Alice\n")
    assert pairs() == [
        ("alice@example.com", "chair", ["meet Sales"]),
        ("bob@example.com", "guest", []),
        ("alice@example.com", "guest", ["meet Alice"]),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",,,,,,,,,,,,meet Alice", "alias"),
        ("x,,,,,,,,,,,,Reception", "Reception"),
        ("x,,,,,,,,,,,Nowhere,", "system_location_name"),
        ("x,,,,a", "dtmf_sequence"),
    ],
)
def test_a_wrong_participant_is_refused(dialled: Resource, text: str, message: str) -> None:
    with pytest.raises(csvfiles.Rejected) as rejected:
        csvfiles.load(dialled, f"ok,,,,,,,,,,,,meet Alice\n{text}\n".encode())
    assert message in str(rejected.value.problems[0])
    assert pairs() == []


def test_a_room_names_its_theme(rooms: Resource) -> None:
    csvfiles.load(rooms, b"name,ivr_theme_name\nx,Rostra theme (English_US)\n")
    assert Conference.objects.get(name="x").ivr_theme.name == "Rostra theme (English_US)"
    assert "x,,,False,,,,,,,video,one_main_seven_pips,False,Rostra theme (English_US),," in csvfiles.export(rooms)
