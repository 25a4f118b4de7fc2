"""Runs of templates with a real directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ldap3
import pytest

from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device, LdapSyncSource
from rostra.configuration.secretfield import reveal
from rostra.management.accounts.ldap import directory as ldap_directory
from rostra.management.alarms.models import Alarm
from rostra.management.audit.models import AdministratorLog
from rostra.management.provisioning import models, reading, running
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.syncing import Sync
from tests.management.accounts import slapd
from tests.management.accounts.slapd import BASE, Slapd
from tests.management.accounts.test_ldap import trust
from tests.management.conftest import Api
from tests.management.provisioning import people

COUNT = 50
START = running.Queue._start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    home = tmp_path_factory.mktemp("slapd") / "home"
    with slapd.running(home, schema=people.SCHEMA, entries=people.ldif(COUNT)) as started:
        yield started


@pytest.fixture
def root(server: Slapd) -> Iterator[ldap3.Connection]:
    connection = ldap3.Connection(f"ldap://127.0.0.1:{server.plain_port}", f"cn=root,{BASE}", "rootpw", auto_bind=True)
    yield connection
    connection.unbind()


@pytest.fixture
def directory(api: Api, server: Slapd, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a source that is there."""
    monkeypatch.setattr(LdapSyncSource, "contact", staticmethod(reading.problem))
    trust(api, server.authority)
    api.create("ldap_sync_field", name="uid", template_variable_name="uid")
    return api.create("ldap_sync_source", **people.source(server.tls_port))


def make(api: Api, directory: str, **changes: Any) -> ConferenceSyncTemplate:
    made = api.create("conference_sync_template", ldap_sync_source=directory, **people.template(**changes))
    return ConferenceSyncTemplate.objects.get(pk=made.rstrip("/").rpartition("/")[2])


def run(template: ConferenceSyncTemplate, **more: Any) -> SyncStatus:
    return Sync(ConferenceSyncTemplate.objects.get(pk=template.pk), yielding=lambda: None, **more).run()


def counters(status: SyncStatus, kind: str) -> tuple[int, int, int, int]:
    """Created, updated, deleted, unchanged."""
    created, updated, deleted, unchanged = (
        getattr(status, f"{kind}_{what}") for what in ("created", "updated", "deleted", "unchanged")
    )
    return created, updated, deleted, unchanged


@pytest.mark.spec(
    "SVC-134", "SVC-135", "SVC-137", "SVC-139", "SVC-140", "SVC-170", "SVC-171", "SVC-175", "SVC-131", "DIAG-079"
)
def test_first_and_second_run(api: Api, directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap_directory, "_PAGE", 7)
    template = make(api, directory)
    by_hand = api.create("conference", name="By hand", aliases=[{"alias": "by.hand"}])

    status = run(template)
    assert (status.sync_status, status.sync_last_error_description) == (models.SUCCEEDED, "")
    assert counters(status, "vmrs") == (COUNT - 1, 0, 0, 0), "one account is disabled"
    assert counters(status, "devices") == (COUNT - 1, 0, 0, 0)
    room = Conference.objects.get(name="Jürgen Müller")
    assert (room.sync_tag, room.description) == ("Staff", "Jürgen Müller's meeting room")
    assert room.primary_owner_email_address == "p0@example.test"
    assert [alias.alias for alias in room.aliases.all()] == ["meet.p0@example.test", "10000000"]
    device = Device.objects.get(alias="p1@example.test")
    assert (device.username, device.sync_tag) == ("p1", "Staff")
    assert len(reveal(device, "password")) == 16

    again = run(template)
    assert counters(again, "vmrs") == (0, 0, 0, COUNT - 1)
    assert counters(again, "devices") == (0, 0, 0, COUNT - 1)
    assert api.read(by_hand)["sync_tag"] == ""
    log = list(AdministratorLog.objects.filter(name="administrator.vmrsync").order_by("id"))
    assert [entry.message for entry in log] == 2 * [
        "Beginning VMR Sync",
        "Completed VMR Sync",
        "Beginning Device Sync",
        "Completed Device Sync",
    ]
    line = AdministratorLog.objects.filter(message="Completed VMR Sync").latest("id").line
    assert 'template="Staff" status="sync_succeeded" vmrs_created="0"' in line
    assert 'vmrs_unchanged="49" warnings="0"' in line


@pytest.mark.spec("SVC-171", "SVC-174", "SVC-176", "SVC-186", "SVC-181", "SVC-183")
def test_people_who_change_and_go(api: Api, directory: str, root: ldap3.Connection) -> None:
    old = "{%if mailNickname %}meet.{{mailNickname}}{% endif %}"
    template = make(api, directory, alias_2=old, conference_description_overridable=True, sync_devices=False)
    run(template)
    Conference.objects.filter(name="Åsa Öberg").update(description="Her own words", tag="by hand")
    who, gone = f"uid=p1,{people.OU}", f"uid=p40,{people.OU}"
    root.modify(who, {"mail": [(ldap3.MODIFY_REPLACE, ["new@example.test"])]})
    root.modify(who, {"mailNickname": [(ldap3.MODIFY_REPLACE, ["p1@example.test"])]})
    assert root.search(gone, "(objectClass=*)", ldap3.BASE, attributes=["*"])
    attributes = root.entries[0].entry_raw_attributes
    root.delete(gone)
    try:
        status = run(template)
        assert counters(status, "vmrs") == (0, 1, 1, COUNT - 3)
        room = Conference.objects.get(name="Åsa Öberg")
        assert [alias.alias for alias in room.aliases.all()] == ["meet.new@example.test", "meet.p1@example.test"]
        assert (room.description, room.tag) == ("Her own words", "")
        template.conference_description_overridable = False
        template.save()
        run(template)
        room.refresh_from_db()
        assert room.description == "Åsa Öberg's meeting room"
    finally:
        classes = attributes.pop("objectClass")
        root.add(gone, [name.decode() for name in classes], dict(attributes))
        root.modify(who, {"mail": [(ldap3.MODIFY_REPLACE, ["p1@example.test"])]})
        root.modify(who, {"mailNickname": [(ldap3.MODIFY_DELETE, [])]})


@pytest.mark.spec("SVC-172", "SVC-173", "SVC-174", "DIAG-073", "DIAG-075", "SVC-194", "SVC-193")
def test_what_was_there_is_taken_over_and_goes_with_the_template(api: Api, directory: str) -> None:
    api.create("conference", name="Given9 Name9", tag="mine", aliases=[{"alias": "old"}])
    api.create("conference", name="Other", aliases=[{"alias": "MEET.P8@example.test"}, {"alias": "kept"}])
    api.create("device", alias="P9@example.test")
    template = make(api, directory, ldap_user_filter="(|(uid=p8) (uid=p9))")
    status = run(template)
    assert counters(status, "vmrs") == (1, 1, 0, 0)
    assert counters(status, "devices") == (1, 1, 0, 0)
    warned = set(AdministratorLog.objects.filter(level="WARNING").values_list("message", flat=True))
    assert warned == {
        "Conference clash: overwriting manually created conference",
        "Alias clash: alias held by an existing conference has been reassigned to the newly synced conference",
        "Device clash: overwriting manually created device",
    }
    assert status.sync_errors == 3
    assert [alias.alias for alias in Conference.objects.get(name="Other").aliases.all()] == ["kept"]
    taken = Conference.objects.get(name="Given9 Name9")
    assert (taken.tag, taken.sync_tag, taken.aliases.filter(alias="old").exists()) == ("", "Staff", False)

    template.name = "People"
    template.save()
    assert set(Conference.objects.filter(sync_tag="People").values_list("name", flat=True)) == {
        *("Given8 Name8", "Given9 Name9"),
    }
    assert api("DELETE", f"conference_sync_template/{template.pk}/").status_code == 204
    assert not Conference.objects.exclude(sync_tag="").exists()
    assert Conference.objects.filter(name="Other").exists()
    assert not Device.objects.exists()
    assert not SyncStatus.objects.exists()


@pytest.mark.spec("SVC-179", "DIAG-078")
def test_what_is_invalid_is_skipped(api: Api, directory: str) -> None:
    template = make(api, directory, pin="{% if sn == 'Name9' %}abc{% endif %}", ldap_user_filter="(uid=p*)")
    status = run(template)
    assert (status.sync_status, status.vmrs_created, status.sync_errors) == (models.SUCCEEDED, COUNT - 2, 1)
    line = AdministratorLog.objects.get(message="Validation error when creating conference").line
    assert 'vmr_name="Given9 Name9" error="pin: ' in line
    assert "p9@example.test" in line, "the record it came from"


@pytest.mark.spec("DIAG-072", "DIAG-214", "SVC-130")
@pytest.mark.parametrize(
    "changes", [{"ldap_user_filter": "(&(uid=p1))(uid=p2)"}, {"ldap_user_search_dn": "ou=nowhere"}]
)
def test_a_query_that_fails_changes_nothing(api: Api, directory: str, changes: dict[str, str]) -> None:
    template = make(api, directory, ldap_user_filter="(uid=p1)")
    run(template)
    ConferenceSyncTemplate.objects.filter(pk=template.pk).update(**changes)
    status = run(template)
    assert status.sync_status == models.FAILED
    assert status.sync_last_error_description.startswith("Error syncing with LDAP")
    assert Conference.objects.filter(sync_tag="Staff").count() == 1
    assert Alarm.objects.filter(name="ldap_sync_failure", instance="Staff", time_lowered=None).exists()
    ConferenceSyncTemplate.objects.filter(pk=template.pk).update(
        ldap_user_filter="UID=P1", ldap_user_search_dn="OU=Staff"
    )
    again = run(template)
    assert (again.sync_status, again.vmrs_unchanged) == (models.SUCCEEDED, 1), "names have no case"
    assert not Alarm.objects.filter(name="ldap_sync_failure", time_lowered=None).exists()


def test_a_schedule_that_finds_nobody_deletes_nothing(api: Api, directory: str) -> None:
    template = make(api, directory, ldap_user_filter="(uid=p1)")
    run(template)
    ConferenceSyncTemplate.objects.filter(pk=template.pk).update(ldap_user_filter="(uid=nobody)")
    assert run(template, automatic=True).sync_status == models.FAILED
    assert Conference.objects.filter(sync_tag="Staff").exists()
    assert run(template).vmrs_deleted == 1, "an administrator means it"


@pytest.mark.spec("SVC-133")
def test_templates_share_a_source_and_nothing_else(api: Api, directory: str) -> None:
    one = make(api, directory, ldap_user_filter="(uid=p1)")
    two = make(api, directory, name="More", ldap_user_filter="(uid=p2)", alias_1="room.{{mail}}", sync_devices=False)
    assert [counters(run(template), "vmrs") for template in (one, two)] == [(1, 0, 0, 0)] * 2
    assert Device.objects.count() == 1
    ConferenceSyncTemplate.objects.filter(pk=one.pk).update(ldap_user_filter="(uid=nobody)")
    assert counters(run(one), "vmrs") == (0, 0, 1, 0)
    assert [made.sync_tag for made in Conference.objects.exclude(sync_tag="")] == ["More"]


@pytest.mark.spec("SVC-124", "SVC-126", "SVC-127")
def test_a_source_that_cannot_be_asked_is_refused(api: Api, directory: str, server: Slapd) -> None:
    def save(**changes: Any) -> Any:
        return api("POST", "ldap_sync_source/", people.source(server.tls_port, name="Another", **changes))

    refused = save(ldap_bind_password="wrong")
    assert refused.status_code == 400
    assert "Invalid credentials" in refused.json()["ldap_sync_source"]["ldap_server"][0]
    assert save(ldap_server=f"localhost:{slapd.free_port()}").status_code == 400
    assert save(ldap_server="127.0.0.1").status_code == 400
    by_address = save(ldap_server=f"127.0.0.1:{server.tls_port}")
    assert "does not name 127.0.0.1" in by_address.json()["ldap_sync_source"]["ldap_server"][0]
    assert LdapSyncSource.objects.count() == 1
    assert api("PATCH", directory, {"description": "Still there"}).status_code == 202
    assert api("PATCH", directory, {"ldap_bind_password": "wrong"}).status_code == 400
    assert save().status_code == 201


@pytest.mark.spec("SVC-188", "SVC-190", "SVC-132", "DIAG-070")
def test_the_command_runs_it_in_the_background(api: Api, directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.Queue, "_start", START)
    template = make(api, directory, ldap_user_filter="(uid=p1)")
    command = "/api/admin/command/v1/conference/sync/"
    answer = api("POST", command, {"conference_sync_template_id": str(template.pk)})
    assert (answer.status_code, answer.json()) == (202, {"status": "success", "data": None}), answer.content
    assert running.queue.join(20)
    (row,) = api.list("/api/admin/status/v1/conference_sync/")
    assert (row["configuration_id"], row["sync_status"], row["sync_progress"]) == (template.pk, "sync_succeeded", 100)
    assert (row["vmrs_created"], row["devices_created"], row["sync_errors"]) == (1, 1, 0)
    made = AdministratorLog.objects.filter(message="Configuration added", resource="conference").latest("id")
    assert (made.user, made.object_name) == ("LDAP sync", "Åsa Öberg")
    assert api("POST", command, {"conference_sync_template_id": "77"}).status_code == 400
