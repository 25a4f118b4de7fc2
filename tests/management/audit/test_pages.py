"""The administrator log in the site."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rostra.configuration.models import DnsServer
from rostra.management.accounts.models import Account, Permission, Role
from rostra.management.audit.actor import by
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.noting import note
from rostra.management.audit.pages import PAGE
from rostra.management.audit.searching import Search

LOG = "/admin/log/administrator/"


@pytest.fixture(autouse=True)
def made(database: Any) -> DnsServer:
    """A server that ops added and then changed."""
    AdministratorLog.objects.all().delete()
    with by("ops", way="site", address="10.0.0.9"):
        server = DnsServer.objects.create(address="10.0.0.53", description='<b>"Leeds"</b>')
    with by("eve", way="API"):
        server.description = "=York"
        server.save()
    note("Conferencing node appears unavailable.", {"Node": "edge-1"}, name="administrator.system.configuration")
    return server


def found(**values: str) -> list[str]:
    return [row.message for row in reversed(Search.of(values).entries())]


ADDED, CHANGED, NOTED = "Configuration added", "Configuration changed", "Conferencing node appears unavailable."


@pytest.mark.spec("DIAG-130")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [ADDED, CHANGED, NOTED]),
        ({"text": 'node="EDGE-1"'}, [NOTED]),
        ({"text": r'^[[:digit:]]{4}-.*Message="Configuration (added|deleted)"'}, [ADDED]),
        ({"text": "^Message"}, []),
        ({"text": "10.0.0.53"}, [ADDED, CHANGED]),
        ({"text": "("}, []),  # no expression, so itself
        ({"user": "ev"}, [CHANGED]),
        ({"way": "site"}, [ADDED]),
        ({"resource": "dns_server"}, [ADDED, CHANGED]),
        ({"resource": "ntp_server"}, []),
        ({"object": "0.0.53"}, [ADDED, CHANGED]),
        ({"since": "2001-01-01T00:00"}, [ADDED, CHANGED, NOTED]),
        ({"until": "2001-01-01T00:00"}, []),
        ({"since": "2001-13-45T00:00", "until": "soon"}, [ADDED, CHANGED, NOTED]),
        ({"text": "a\0dded", "resource": "dns_server"}, [ADDED]),
    ],
)
def test_searching(values: dict[str, str], expected: list[str]) -> None:
    assert found(**values) == expected


def test_searching_for_one_object_and_for_a_time(made: DnsServer) -> None:
    assert found(resource="dns_server", object=str(made.pk)) == [ADDED, CHANGED]
    AdministratorLog.objects.filter(message=ADDED).update(time=timezone.now() - datetime.timedelta(days=2))
    yesterday = (timezone.now() - datetime.timedelta(days=1)).isoformat()
    assert found(since=yesterday) == [CHANGED, NOTED]
    assert found(until=yesterday) == [ADDED]


def test_the_list_and_an_entry(browser: Client, made: DnsServer) -> None:
    page = browser.get(LOG, {"user": "eve"}).content.decode()
    assert CHANGED in page
    assert ADDED not in page
    entry = AdministratorLog.objects.get(message=CHANGED)
    page = browser.get(f"{LOG}{entry.pk}/").content.decode()
    assert "&lt;b&gt;&quot;Leeds&quot;&lt;/b&gt;" in page, "before"
    assert "=York" in page
    assert f"/admin/configuration/dnsserver/{made.pk}/change/" in page
    assert browser.get(f"{LOG}999999/").status_code == 404
    assert "not a regular expression" in browser.get(LOG, {"text": "("}).content.decode()


def test_older_entries(browser: Client) -> None:
    for number in range(PAGE):
        note(f"number {number}.", name="administrator.test")
    page = browser.get(LOG, {"way": "platform"})
    text = page.content.decode()
    assert "number 0." in text
    assert NOTED not in text
    oldest = AdministratorLog.objects.get(message="number 0.")
    assert f"?way=platform&amp;before={oldest.pk}" in text
    assert NOTED in browser.get(LOG, {"way": "platform", "before": str(oldest.pk)}).content.decode()
    assert browser.get(LOG, {"before": "9" * 30}).status_code == 200


@pytest.mark.spec("DIAG-128")
def test_downloads(browser: Client) -> None:
    log = browser.get("/admin/log/administrator.log", {"resource": "dns_server"})
    assert 'filename="administrator.log"' in log["Content-Disposition"]
    assert [line.partition('Message="')[2].partition('"')[0] for line in log.content.decode().splitlines()] == [
        ADDED,
        CHANGED,
    ]
    rows = list(csv.DictReader(io.StringIO(browser.get("/admin/log/administrator.csv").content.decode(), newline="")))
    assert [row["user"] for row in rows] == ["ops", "eve", ""]
    assert rows[1]["changes"] == 'description: <b>"Leeds"</b> → =York'
    assert browser.get("/admin/log/administrator.exe").status_code == 404
    AdministratorLog.objects.update(object_name="=HYPERLINK(1)")
    assert b"'=HYPERLINK" in browser.get("/admin/log/administrator.csv").content


def test_it_takes_the_permission(database: Any) -> None:
    role = Role.objects.create(name="No logs")
    role.permissions.set(Permission.objects.filter(codename__in=["is_admin", "use_web", "view_system"]))
    account = Account.objects.create_user("joe", "x")
    account.roles.set([role])
    client = Client()
    client.force_login(account)
    assert client.get(LOG).status_code == 403
    assert client.get("/admin/log/administrator.csv").status_code == 403
    role.permissions.add(Permission.objects.get(codename="view_logs"))
    assert client.get(LOG).status_code == 200
