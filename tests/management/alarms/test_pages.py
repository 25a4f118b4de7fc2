"""Alarms in the site and in the API."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client

from rostra.management.accounts.models import Account, Permission, Role
from rostra.management.alarms.models import Alarm
from rostra.management.alarms.raising import lower_alarm, raise_alarm
from rostra.management.audit.models import AdministratorLog
from tests.management.conftest import Api

PAGE = "/admin/status/alarm/"
TIME = datetime.datetime(2031, 3, 5, 7, 31, 9, 216_000, tzinfo=datetime.UTC)


def reader(*codenames: str) -> Client:
    """The site as somebody sees it who may do this."""
    role = Role.objects.create(name="Some")
    role.permissions.set(Permission.objects.filter(codename__in=["is_admin", "use_web", *codenames]))
    account = Account.objects.create_user("joe", "x")
    account.roles.set([role])
    client = Client()
    client.force_login(account)
    return client


@pytest.mark.spec("DIAG-096")
def test_the_bell_rings_on_every_page_while_an_alarm_is_up(browser: Client) -> None:
    for page in ("/admin/", "/admin/status/worker_vm/", "/admin/configuration/dnsserver/"):
        assert 'class="rs-bell"' in browser.get(page).content.decode(), page
    raise_alarm("licenses_exhausted")
    for page in ("/admin/", "/admin/status/worker_vm/", "/admin/configuration/dnsserver/"):
        text = browser.get(page).content.decode()
        assert 'class="rs-bell rs-ringing"' in text, page
        assert f'href="{PAGE}"' in text
    lower_alarm("licenses_exhausted")
    assert "rs-ringing" not in browser.get("/admin/").content.decode()


def test_the_page_of_alarms(browser: Client) -> None:
    raise_alarm("ntp_not_synchronised", node="10.0.0.1", details="<script>")
    raise_alarm("trustedca_expiring", instance="Old CA")
    text = browser.get(PAGE).content.decode()
    assert "NTP not synchronized" in text
    assert "&lt;script&gt;" in text
    assert "Old CA" in text
    data = browser.get(f"{PAGE}data.json?rows").json()
    assert data["count"] == 2
    assert "NTP not synchronized" in data["rows"]
    assert browser.get(f"{PAGE}data.json").json() == {"count": 2}


def test_acknowledging(browser: Client) -> None:
    raise_alarm("trustedca_expiring", instance="Old CA")
    alarm = Alarm.objects.get()
    address = f"{PAGE}{alarm.pk}/acknowledge/"
    assert browser.get(address).status_code == 405
    assert browser.post(address).status_code == 302
    alarm.refresh_from_db()
    assert (alarm.acknowledged, alarm.acknowledged_by, alarm.time_lowered) == (True, "admin", None)
    assert 'User="admin" Alarm="trustedca_expiring"' in AdministratorLog.objects.first().line
    assert "Acknowledge</button>" not in browser.get(PAGE).content.decode()
    lower_alarm("trustedca_expiring", instance="Old CA")
    assert browser.post(address).status_code == 404


def test_what_it_takes(database: Any) -> None:
    raise_alarm("trustedca_expiring")
    address = f"{PAGE}{Alarm.objects.get().pk}/acknowledge/"
    client = reader("view_system")
    assert "rs-bell" not in client.get("/admin/").content.decode()
    assert client.get(PAGE).status_code == 403
    Role.objects.get(name="Some").permissions.add(Permission.objects.get(codename="view_status"))
    assert "rs-bell" in client.get("/admin/").content.decode()
    assert "Acknowledge</button>" not in client.get(PAGE).content.decode()
    assert client.post(address).status_code == 403
    Role.objects.get(name="Some").permissions.add(Permission.objects.get(codename="modify_platform"))
    assert client.post(address).status_code == 302


def test_alarms_in_the_status_and_history_api(api: Api) -> None:
    raise_alarm("ntp_not_synchronised", node="10.0.0.1", details="Off.", time=TIME)
    raise_alarm("connectivity_lost", node="10.0.0.2", time=TIME)
    first = api.read("/api/admin/status/v1/alarm/?name=ntp_not_synchronised")["objects"][0]
    key = first["id"]
    assert first == {
        "acknowledged": False,
        "details": "Off.",
        "id": key,
        "identifier": 3,
        "instance": "",
        "level": "Error",
        "name": "ntp_not_synchronised",
        "node": "10.0.0.1",
        "resource_uri": f"/api/admin/status/v1/alarm/{key}/",
        "time_raised": "2031-03-05T07:31:09.216000",
    }
    assert api.list("/api/admin/history/v1/alarm/") == []
    lower_alarm("ntp_not_synchronised", node="10.0.0.1", time=TIME + datetime.timedelta(hours=1))
    assert [alarm["node"] for alarm in api.list("/api/admin/status/v1/alarm/?order_by=-time_raised")] == ["10.0.0.2"]
    (past,) = api.list("/api/admin/history/v1/alarm/?level=Error")
    assert (past["time_raised"], past["time_lowered"]) == ("2031-03-05T07:31:09.216000", "2031-03-05T08:31:09.216000")
    assert "acknowledged" not in past
    assert api("GET", f"/api/admin/status/v1/alarm/{key}/").status_code == 404
