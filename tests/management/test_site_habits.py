"""What people rely on across the pages of the site: order, themes in use, creation times, how much is kept."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rostra.configuration.models import (
    AutomaticParticipant,
    Conference,
    ConferenceAlias,
    Device,
    IvrTheme,
    SystemLocation,
    WorkerVM,
)
from rostra.management import status
from rostra.management.formats.en import formats
from rostra.management.history import keeping
from rostra.management.history.models import ConferenceRecord

from .conftest import Api
from .contract.lively import Lively

MADE = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
ROOM = "/admin/configuration/conference/"


def listed(browser: Client, path: str) -> list[str]:
    """First column of a list."""
    page = browser.get(path).content.decode()
    body = page.partition('id="result_list"')[2] or page.partition("<tbody>")[2]
    return re.findall(r"<tr.*?<a[^>]*>\s*([^<]+?)\s*</a>", body, re.DOTALL)


@pytest.mark.spec("PLAT-147")
def test_lists_of_services_name_the_theme_and_sort_by_it(browser: Client) -> None:
    for room, theme in (("Zed", "Aqua"), ("Ann", "Zinc")):
        made = IvrTheme.objects.create(name=theme)
        Conference.objects.create(name=room, service_type="conference", ivr_theme=made)
    page = browser.get(ROOM).content.decode()
    column = int(re.findall(r"\?o=-?(\d+)", page.partition(">Theme<")[0])[-1])
    assert [name for name in listed(browser, f"{ROOM}?o={column}") if name in ("Zed", "Ann")] == ["Zed", "Ann"]
    assert [name for name in listed(browser, f"{ROOM}?o=-{column}") if name in ("Zed", "Ann")] == ["Ann", "Zed"]
    assert "Aqua" in page
    themes = browser.get("/admin/configuration/ivrtheme/").content.decode()
    row = themes.partition(">Zinc<")[2].partition("</tr>")[0]
    assert "1" in re.findall(r">\s*(\d+)\s*<", row)


@pytest.mark.spec("PLAT-145")
def test_nodes_sort_by_maintenance_mode(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    place = SystemLocation.objects.get()
    WorkerVM.objects.create(
        name="away", hostname="away", domain="test", address="10.0.0.9", netmask="255.0.0.0", gateway="10.0.0.1",
        system_location=place, maintenance_mode=True,
    )  # fmt: skip
    monkeypatch.setattr(status._Current, "value", _quiet())
    for order, first in (("maintenance_mode", False), ("-maintenance_mode", True)):
        names = listed(browser, f"/admin/status/worker_vm/?order_by={order}")
        assert (names[0] == "away") is first, order


def _quiet() -> Any:
    """A platform on which no node is heard."""
    from rostra.fabric.survey import Snapshot

    class Quiet:
        loads: Any = None

        def snapshot(self, *, fresh: bool = True) -> Snapshot:
            return Snapshot(time=timezone.now().timestamp(), seen={}, statuses={})

        def heard(self) -> dict[str, Any]:
            return {}

    return Quiet()


@pytest.mark.spec("PLAT-148")
def test_forms_show_when_something_was_made(browser: Client) -> None:
    room = Conference.objects.create(name="Board", service_type="conference")
    hall = Conference.objects.create(name="Hall", service_type="lecture")
    desk = Conference.objects.create(name="Desk", service_type="two_stage_dialing")
    dialled = AutomaticParticipant.objects.create(alias="sip:a@b.test")
    device = Device.objects.create(alias="ivy@acme.test")
    for row in (room, hall, desk, dialled, device):
        type(row).objects.filter(pk=row.pk).update(creation_time=MADE)
    pages = {
        f"{ROOM}{room.pk}/change/": room,
        f"/admin/management/virtualauditorium/{hall.pk}/change/": hall,
        f"/admin/management/virtualreception/{desk.pk}/change/": desk,
        f"/admin/configuration/automaticparticipant/{dialled.pk}/change/": dialled,
        f"/admin/configuration/device/{device.pk}/change/": device,
    }
    for path in pages:
        page = browser.get(path).content.decode()
        assert "2026-01-02 03:04 (UTC)" in page, path
        assert 'name="creation_time' not in page, path


@pytest.mark.spec("PLAT-150")
def test_devices_are_found_by_their_owner(api: Api) -> None:
    Device.objects.create(alias="ivy@acme.test", primary_owner_email_address="ivy@acme.test")
    Device.objects.create(alias="ann@acme.test", primary_owner_email_address="ann@acme.test")
    (found,) = api.list("device/?primary_owner_email_address=ivy@acme.test")
    assert found["alias"] == "ivy@acme.test"


@pytest.mark.spec("PLAT-146")
def test_ten_thousand_conferences_are_kept_and_paged(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeping.MOST_CONFERENCES == 10_000
    ConferenceRecord.objects.bulk_create(
        ConferenceRecord(id=f"c{number}", name=f"Room {number}", start_time=MADE, end_time=MADE)
        for number in range(10_000)
    )
    assert keeping.forget_old(MADE.timestamp()) == 0
    last = browser.get("/admin/history/conference/?p=200&order_by=id").content.decode()
    assert "10000" in re.sub(r"[.,\s ]", "", last)
    assert ConferenceRecord.objects.count() == 10_000


def test_help_is_text_and_no_markup(browser: Client) -> None:
    page = browser.get("/admin/configuration/identityprovider/add/").content.decode()
    assert "https://&lt;address of the web app&gt;/api/v1/samlconsumer/" in page
    alias = ConferenceAlias.objects.first()
    assert alias is not None
    form = browser.get(f"/admin/configuration/conferencealias/{alias.pk}/change/").content.decode()
    assert '<div class="rs-help' in form


@pytest.mark.spec("PLAT-163")
def test_times_say_their_zone_but_in_logs_and_graphs(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What scripts of the page put into the viewer's zone; see the walk through the site."""
    assert formats.DATETIME_FORMAT.endswith("(e)")
    monkeypatch.setattr(status._Current, "value", Lively())
    moments = r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?"
    for path in ("/admin/status/conference/c-1/", ROOM, "/admin/status/registration_alias/"):
        page = browser.get(path).content.decode()
        assert re.search(rf"{moments} \(UTC\)", page), path
        assert not re.search(rf">\s*{moments}\s*<", page), path
    log = browser.get("/admin/log/administrator/").content.decode()
    assert "Times are UTC" in log
    assert not re.search(rf"{moments} \(UTC\)", log)


@pytest.mark.spec("SYS-002", "SYS-031")
@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("configuration/managementvm/1/change", "snmp_network_management_system"),
        ("configuration/systemlocation/add", "snmp_network_management_system"),
        ("configuration/systemlocation/add", "ntp_servers"),
        ("accounts/rolemapping/add", "roles"),
    ],
)
def test_what_is_missing_is_added_beside_the_field(browser: Client, page: str, field: str) -> None:
    form = browser.get(f"/admin/{page}/").content.decode()
    assert re.search(rf'id="add_id_{field}"[^>]*href="[^"]*/add/\?[^"]*_popup=1', form) or re.search(
        rf'href="[^"]*/add/\?[^"]*_popup=1[^"]*"[^>]*id="add_id_{field}"', form
    ), field


@pytest.mark.spec("SYS-067", "SYS-012", "SYS-070", "SYS-170")
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("accounts/authenticationsettings/1/change", "add (userPrincipalName={username})"),
        ("accounts/authenticationsettings/1/change", "whoever has none is locked out"),
        ("configuration/systemlocation/add", "one at least, better three"),
        ("configuration/stunserver/add", "should not be the address of a TURN server"),
    ],
)
def test_forms_say_what_has_to_be_known(browser: Client, page: str, said: str) -> None:
    assert said in browser.get(f"/admin/{page}/").content.decode()
