"""Every change is in the administrator log: who, from where, how, what, before and after."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from structlog.testing import capture_logs

from rostra.configuration.models import Conference, ConferenceAlias, DnsServer, SystemLocation, WorkerVM
from rostra.configuration.resources import register
from rostra.management import csvfiles
from rostra.management.audit import following, lines
from rostra.management.audit.actor import by
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.noting import note, note_person
from tests.management.conftest import Api

SERVER = {"address": "10.0.0.53", "description": "Leeds"}


@pytest.fixture(autouse=True)
def empty(database: Any) -> None:
    AdministratorLog.objects.all().delete()


def entries() -> list[AdministratorLog]:
    return list(AdministratorLog.objects.order_by("id"))


def values(entry: AdministratorLog) -> dict[str, tuple[str, str]]:
    return {change["field"]: (change["before"], change["after"]) for change in entry.changes}


@pytest.mark.spec("DIAG-141", "DIAG-146")
def test_the_life_of_an_object_through_the_api(api: Api) -> None:
    path = api.create("dns_server", **SERVER)
    assert api("PATCH", path, {"address": "10.0.0.54", "description": ""}).status_code == 202
    assert api("DELETE", path).status_code == 204
    added, changed, deleted = entries()
    key = path.rstrip("/").rpartition("/")[2]
    for entry in (added, changed, deleted):
        assert (entry.user, entry.way, entry.address) == ("admin", "API", "127.0.0.1")
        assert (entry.resource, entry.object_id) == ("dns_server", key)
        assert entry.name == "administrator.configuration"
    assert (added.message, values(added)) == (
        "Configuration added",
        {"address": ("", "10.0.0.53"), "description": ("", "Leeds")},
    )
    assert (changed.message, values(changed)) == (
        "Configuration changed",
        {"address": ("10.0.0.53", "10.0.0.54"), "description": ("Leeds", "")},
    )
    assert (deleted.message, values(deleted)) == ("Configuration deleted", {"address": ("10.0.0.54", "")})
    read = lines.parse(changed.line)
    assert (read["User"], read["Type"], read["ID"]) == ("admin", "DNS server", "10.0.0.54")


@pytest.mark.spec("DIAG-146")
def test_nothing_changed_nothing_logged(api: Api) -> None:
    path = api.create("dns_server", **SERVER)
    before = len(entries())
    assert api("PATCH", path, SERVER).status_code == 202
    assert len(entries()) == before


def test_a_refused_change_leaves_no_entry(api: Api) -> None:
    body = {"name": "Room", "service_type": "conference", "aliases": [{"alias": "a"}, {"alias": "a"}]}
    with capture_logs() as logged:
        assert api("POST", "conference/", body).status_code == 400
    assert entries() == []
    assert not [line for line in logged if line["event"].startswith("Configuration")]


def test_a_rolled_back_change_leaves_no_entry_and_a_later_one_has_its_own(database: Any) -> None:
    with by("ops", way="site"), transaction.atomic():
        point = transaction.savepoint()
        SystemLocation.objects.create(name="Leeds")
        transaction.savepoint_rollback(point)
        row = SystemLocation.objects.create(name="York")
        row.mtu = 1400
        row.save()
    (entry,) = entries()
    assert (entry.object_name, entry.message, entry.user) == ("York", "Configuration added", "ops")
    told = values(entry)
    assert (told["name"], told["mtu"]) == (("", "York"), ("1500", "1400")), "one request, one object, one entry"


def test_an_entry_that_was_rolled_back_is_not_added_to(database: Any) -> None:
    row = SystemLocation.objects.create(name="Leeds")
    AdministratorLog.objects.all().delete()
    with by("ops"), transaction.atomic():
        point = transaction.savepoint()
        row.mtu = 1400
        row.save()
        transaction.savepoint_rollback(point)
        SystemLocation.objects.create(name="York")  # takes the number of the entry that is gone
        row.description = "North"
        row.save()
    assert [entry.object_name for entry in entries()] == ["York", "Leeds"]
    assert values(entries()[1]) == {"mtu": ("1500", "1400"), "description": ("", "North")}


def test_changes_of_related_rows_have_entries_of_their_own(api: Api) -> None:
    path = api.create("conference", name="Room", service_type="lecture", aliases=[{"alias": "old"}])
    AdministratorLog.objects.all().delete()
    assert api("PATCH", path, {"aliases": [{"alias": "new"}]}).status_code == 202
    assert [(one.message, one.resource, one.object_name) for one in entries()] == [
        ("Configuration deleted", "conference_alias", "old"),
        ("Configuration added", "conference_alias", "new"),
    ]
    assert lines.parse(entries()[1].line)["Type"] == "Alias"
    assert api("DELETE", path).status_code == 204
    assert {one.resource for one in entries()[2:]} == {"conference_alias", "conference"}
    kinds = {lines.parse(one.line)["Type"] for one in entries()[2:]}
    assert "Virtual Auditorium" in kinds


def test_rows_that_lose_a_reference_are_named(api: Api) -> None:
    first, second = SystemLocation.objects.create(name="One"), SystemLocation.objects.create(name="Two")
    second.overflow_location1 = first
    second.save()
    AdministratorLog.objects.all().delete()
    first.delete()
    changed, deleted = entries()
    assert (changed.object_name, values(changed)) == ("Two", {"overflow_location1": ("One", "")})
    assert (deleted.message, deleted.object_name) == ("Configuration deleted", "One")


def test_to_many_relations(database: Any) -> None:
    resource, field = next(
        (one, field) for one in register for field in one.model._meta.many_to_many if field.name == "roles"
    )
    assert following._followed[resource.model].name in {one.name for one in register} | {"account"}
    account = get_user_model().objects.get(username="admin")
    roles = list(field.related_model.objects.order_by("pk")[:2])
    account.roles.clear()
    AdministratorLog.objects.all().delete()
    with by("ops"):
        account.roles.set(roles[:1])
    with by("ops"):
        account.roles.set(roles[1:])
    assert [values(entry)["roles"] for entry in entries()] == [
        ("", str(roles[0])),
        (str(roles[0]), str(roles[1])),
    ]
    account.roles.clear()
    roles[0].accounts.add(account)
    assert [values(entry)["roles"] for entry in entries()[2:]] == [(str(roles[1]), ""), ("", str(roles[0]))]


@pytest.mark.spec("DIAG-127")
def test_secrets_are_only_said_to_have_changed(api: Api) -> None:
    node = WorkerVM.objects.get()
    path = f"/api/admin/configuration/v1/worker_vm/{node.pk}/"
    assert api("PATCH", path, {"password": "Tops3cret!", "snmp_community": "hush-hush"}).status_code == 202
    room = api.create("conference", name="Room", service_type="conference", pin="246810", guest_pin="135790")
    assert api("PATCH", room, {"pin": "112233"}).status_code == 202
    account = get_user_model().objects.get(username="admin")
    account.set_password("An0ther!")
    account.save()
    told = {change["field"] for entry in entries() for change in entry.changes if change.get("secret")}
    assert {"password", "snmp_community", "pin", "guest_pin"} <= told
    everything = "".join(entry.line + str(entry.changes) for entry in entries())
    for secret in ("Tops3cret!", "hush-hush", "246810", "135790", "112233", account.password, "$~!"):
        assert secret not in everything


def test_no_secret_of_any_resource_is_told() -> None:
    for resource in register:
        followed = following._followed[resource.model]
        for field in followed.fields:
            if field.name in resource.write_only or type(field).__name__ == "SecretField":
                assert field.name in followed.secret, f"{resource.name}.{field.name}"


def test_every_resource_is_followed() -> None:
    assert {resource.model for resource in register} <= set(following._followed)


def test_changes_in_the_site(browser: Any) -> None:
    server = DnsServer.objects.first()
    AdministratorLog.objects.all().delete()
    page = f"/admin/configuration/dnsserver/{server.pk}/change/"
    answer = browser.post(page, {"address": "10.0.0.99", "description": server.description})
    assert answer.status_code == 302, answer.content
    (entry,) = entries()
    assert (entry.user, entry.way, values(entry)) == ("admin", "site", {"address": (server.address, "10.0.0.99")})


def test_changes_by_csv(browser: Any) -> None:
    content = b"name,alias_alias\nRoom A,a\nRoom B,b\n"
    with by("ops", way="site", address="10.0.0.9"):
        csvfiles.load(register.of(Conference), content)
    assert [(one.object_name, one.way, one.user, one.address) for one in entries() if one.resource == "conference"] == [
        ("Room A", "CSV", "ops", "10.0.0.9"),
        ("Room B", "CSV", "ops", "10.0.0.9"),
    ]
    before = len(entries())
    with pytest.raises(csvfiles.Rejected):
        csvfiles.load(register.of(Conference), b"name,alias_alias\nRoom C,c\nRoom D,a\n")
    assert len(entries()) == before


def test_the_platform_and_the_command_line(database: Any) -> None:
    ConferenceAlias.objects.first().delete()
    with by("root", way="command line"):
        SystemLocation.objects.create(name="Leeds")
    assert [(entry.user, entry.way) for entry in entries()] == [("", "platform"), ("root", "command line")]


@pytest.mark.spec("DIAG-146")
def test_what_people_do_besides(database: Any) -> None:
    with by("", way="site", address="10.61.9.4") as actor, capture_logs() as logged:
        actor.port = 41022
        note_person("User login failed", "ops7", level="WARNING")
    (entry,) = entries()
    assert (entry.user, entry.address, entry.level) == ("ops7", "10.61.9.4", "WARNING")
    assert entry.line.endswith('Message="User login failed" User="ops7" Remote-Address="10.61.9.4" Remote-Port="41022"')
    assert logged == [
        {
            "event": "User login failed",
            "log_level": "warning",
            "User": "ops7",
            "Remote-Address": "10.61.9.4",
            "Remote-Port": "41022",
        }
    ]


def test_notes_of_the_platform(database: Any) -> None:
    note("Connectivity lost to node.", {"Node": "10.0.0.1"}, name="administrator.system.connectivity")
    read = lines.parse(entries()[0].line)
    assert (read["Name"], read["Node"]) == ("administrator.system.connectivity", "10.0.0.1")
