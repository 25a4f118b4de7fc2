"""CSV files of services (NODE-179...NODE-197)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rostra.configuration.models import Conference, ConferenceAlias
from rostra.configuration.resources import Resource, register
from rostra.management import csvfiles

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
        (b'ok\nx,"', 1, "CSV"),
        (b"ok\nx\x00y", 2, "Null"),
        (b"name,pin,service_type\nok,1234,conference", 1, "service_type"),
    ],
)
def test_one_bad_row_and_nothing_is_imported(rooms: Resource, text: bytes, line: int, message: str) -> None:
    with pytest.raises(csvfiles.Rejected) as rejected:
        csvfiles.load(rooms, text)
    assert message in rejected.value.problems[0].message
    assert rejected.value.problems[0].line == line
    assert not Conference.objects.filter(name__in=["ok", "x"]).exists()


def test_a_new_room_offers_its_first_alias(browser: Any) -> None:
    page = "/admin/configuration/conference/"
    assert b'name="aliases-0-alias"' in browser.get(f"{page}add/").content
    assert b'name="aliases-1-alias"' not in browser.get(f"{page}1/change/").content


def test_pages(api: Api, browser: Any) -> None:
    page = "/admin/configuration/conference/"
    response = browser.get(f"{page}export-csv/")
    assert response["Content-Type"].startswith("text/csv")
    assert b"meet.demo" in response.content
    assert browser.get(f"{page}import-csv/").status_code == 200
    bad = browser.post(f"{page}import-csv/", {"file": SimpleUploadedFile("x.csv", b"x,,1")})
    assert bad.status_code == 400
    assert b"Line 1: pin" in bad.content
    good = browser.post(f"{page}import-csv/", {"file": SimpleUploadedFile("x.csv", b"x,,,,,meet.x")})
    assert good.status_code == 302
    assert api.list("conference_alias/?alias=meet.x")
