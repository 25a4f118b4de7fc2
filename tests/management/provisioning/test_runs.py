"""Runs without a directory: what they read is made up."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device, EndUser, LdapSyncSource
from rostra.management.audit.models import AdministratorLog
from rostra.management.provisioning import models, reading
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.records import Record
from rostra.management.provisioning.syncing import Sync
from tests.management.provisioning.mailserver import Mailbox

NAMES = ("ada", "bob", "eve")


def records(**changes: str | None) -> list[Record]:
    return [
        Record(f"uid={name}", {"givenName": name.title(), "mail": f"{name}@x.test", "title": None} | changes)
        for name in NAMES
    ]


class Read:
    """What the directory says, until it is told to say something else."""

    def __init__(self) -> None:
        self.records = records()

    def __call__(self, *_: Any) -> list[Record]:
        return self.records


@pytest.fixture
def read(database: Any, monkeypatch: pytest.MonkeyPatch) -> Read:
    made = Read()
    monkeypatch.setattr(reading, "read", made)
    return made


def template(**changes: Any) -> ConferenceSyncTemplate:
    source = LdapSyncSource.objects.create(name="Directory", ldap_server="x.test", ldap_base_dn="dc=x")
    given = {"conference_name": "{{givenName}}", "primary_owner_email_address": "{{mail}}", **changes}
    return ConferenceSyncTemplate.objects.create(name="Staff", ldap_sync_source=source, **given)


def run(made: ConferenceSyncTemplate, **more: Any) -> SyncStatus:
    return Sync(ConferenceSyncTemplate.objects.get(pk=made.pk), yielding=lambda: None, **more).run()


def test_users(read: Read) -> None:
    made = template(
        sync_conferences=False,
        sync_end_users=True,
        end_user_uuid="{{ mail|pex_hash|pex_tail(12) }}",
        end_user_first_name="{{givenName}}",
        end_user_title="{{title}}",
        end_user_names_overridable=True,
    )
    EndUser.objects.create(primary_email_address="ADA@x.test", department="Kept")
    status = run(made)
    assert (status.end_users_created, status.end_users_updated, status.sync_errors) == (2, 1, 1)
    ada = EndUser.objects.get(primary_email_address="ada@x.test")
    assert (ada.first_name, ada.title, ada.department, ada.sync_tag) == ("Ada", "", "", "Staff")
    read.records = records(givenName="Changed", title="Director")[:2]
    status = run(made)
    assert (status.end_users_updated, status.end_users_deleted) == (2, 1)
    ada.refresh_from_db()
    assert (ada.first_name, ada.title) == ("Ada", "Director")
    assert (run(made).end_users_unchanged, run(made).end_users_updated) == (2, 0)


@pytest.mark.spec("DIAG-079")
def test_what_is_not_wanted_any_more_goes(read: Read) -> None:
    made = template(sync_devices=True, device_alias="{{mail}}", device_username="", device_password="")
    assert (run(made).vmrs_created, Device.objects.filter(sync_tag="Staff").count()) == (3, 3)
    ConferenceSyncTemplate.objects.update(sync_conferences=False)
    status = run(made)
    assert (status.vmrs_deleted, status.devices_unchanged) == (3, 3)
    assert not Conference.objects.filter(sync_tag="Staff").exists()


@pytest.mark.spec("SVC-182")
def test_random_values_stay_where_they_may_be_overridden(read: Read) -> None:
    made = template(pin="{{ [9, pex_random_pin(5)]|join }}", tag="{{ pex_uuid4() }}", pin_settings_overridable=True)
    run(made)
    first = dict(Conference.objects.filter(sync_tag="Staff").values_list("name", "pin"))
    tags = dict(Conference.objects.filter(sync_tag="Staff").values_list("name", "tag"))
    assert run(made).vmrs_updated == 3
    assert dict(Conference.objects.filter(sync_tag="Staff").values_list("name", "pin")) == first
    assert not set(tags.values()) & set(Conference.objects.values_list("tag", flat=True))
    assert all(len(pin) == 6 and pin[0] == "9" for pin in first.values())


def test_a_template_that_is_deleted_meanwhile_leaves_nothing(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    made = template()
    plan = Sync._plan

    def late(self: Sync, *given: Any) -> Any:
        found = plan(self, *given)
        ConferenceSyncTemplate.objects.all().delete()
        return found

    monkeypatch.setattr(Sync, "_plan", late)
    run(made)
    assert not Conference.objects.filter(sync_tag="Staff").exists()
    assert not SyncStatus.objects.exists()


@pytest.mark.spec("SVC-195")
def test_owners_hear_of_what_changed_only(read: Read, database: Any) -> None:
    from rostra.configuration.models import SmtpServer
    from tests.management.provisioning import mailserver

    def sent(mailbox: Mailbox) -> list[tuple[str, str]]:
        found = [(str(mail["To"]), str(mail["Subject"])) for mail in mailbox.mails]
        mailbox.mails.clear()
        return found

    with mailserver.running() as mailbox:
        server = SmtpServer.objects.create(
            name="Mail", address="localhost", port=mailbox.port, from_email_address="a@x.test"
        )
        made = template(
            enable_service_emails=True, smtp_server=server, service_email_subject_template="{{action}} {{name}}"
        )
        status = run(made)
        assert (status.sync_status, status.emails_sent) == (models.SUCCEEDED, 3)
        assert sent(mailbox) == [(f"{name}@x.test", f"created {name.title()}") for name in NAMES]
        assert run(made).emails_sent == 0
        read.records = [*records()[:2], Record("uid=eve", {"givenName": "Eve", "mail": "new@x.test"})]
        run(made)
        assert sent(mailbox) == [("new@x.test", "updated Eve")]
    read.records = records()
    status = run(made)
    assert (status.sync_status, status.vmrs_updated, status.emails_sent, status.sync_errors) == (
        *(models.SUCCEEDED, 1, 0, 1),
    )


def test_what_somebody_else_makes_meanwhile_costs_only_that_one(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    made = template(alias_1="meet.{{givenName}}")
    plan = Sync._plan

    def late(self: Sync, *given: Any) -> Any:
        found = plan(self, *given)
        if not Conference.objects.filter(name="Bob").exists():
            Conference.objects.create(name="Bob").aliases.create(alias="meet.ada")
        return found

    monkeypatch.setattr(Sync, "_plan", late)
    status = run(made)
    assert (status.sync_status, status.vmrs_created) == (models.SUCCEEDED, 2)
    assert "already exists" in status.sync_last_error_description
    assert [alias.alias for alias in Conference.objects.get(name="Ada").aliases.all()] == ["meet.Ada"]
    assert Conference.objects.get(name="Bob").sync_tag == ""


@pytest.mark.every_database
def test_many_are_made_by_few_statements(read: Read) -> None:
    """Ten thousand people are a matter of seconds; the log tells of every object all the same."""
    read.records = [Record(f"uid={n}", {"givenName": f"P{n}", "mail": f"p{n}@x.test"}) for n in range(120)]
    devices = {"sync_devices": True, "device_alias": "{{mail}}", "device_username": "{{mail}}", "device_password": "x"}
    made = template(alias_1="meet.{{givenName}}", alias_2="{{mail}}", **devices)
    with CaptureQueriesContext(connection) as captured:
        status = run(made)
    assert (status.vmrs_created, status.devices_created, status.sync_errors) == (120, 120, 0)
    assert len(captured) < 120, "for 480 rows"
    of_both = {"resource__in": ("conference", "device"), "object_name__istartswith": "p"}
    noted = AdministratorLog.objects.filter(message="Configuration added", **of_both)
    assert noted.count() == 240
    aliases = [alias.alias for alias in Conference.objects.get(name="P7").aliases.all()]
    assert aliases == ["meet.P7", "p7@x.test"]
    assert all(device.password.startswith("$~!") for device in Device.objects.all())


def test_who_shares_what_is_one_objects_alone_is_told(read: Read) -> None:
    """Of people with one UUID the first gets it; one that is given up in the same run may be taken."""
    made = template(sync_conferences=False, sync_end_users=True, end_user_uuid="{{department}}")
    one, other = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"

    def uuids(**given: str) -> SyncStatus:
        read.records = [
            Record(f"uid={name}", {"mail": f"{name}@x.test", "department": uuid}) for name, uuid in given.items()
        ]
        return run(made)

    status = uuids(ada=one, bob=one, eve=other)
    assert (status.end_users_created, status.sync_errors) == (2, 1)
    assert "uuid: User with this UUID already exists" in status.sync_last_error_description
    status = uuids(ada=other, eve="00000000-0000-4000-8000-000000000003")
    assert (status.end_users_updated, status.sync_errors) == (2, 0)
    assert EndUser.objects.get(uuid=other).primary_email_address == "ada@x.test"
