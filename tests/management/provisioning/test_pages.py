"""Pages of templates, and when templates run by themselves."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device, LdapSyncSource
from rostra.configuration.secretfield import reveal
from rostra.management.audit.models import AdministratorLog
from rostra.management.provisioning import following, models, pages, previewing, reading, reminding, running
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.records import Record
from rostra.management.provisioning.running import Schedule

ADA = Record("uid=ada", {"sn": "Lovelace", "mail": "ada@x.test"})
BOB = Record("uid=bob", {"sn": "Bob", "mail": None}, enabled=False)


@pytest.fixture
def template(database: Any, monkeypatch: pytest.MonkeyPatch) -> ConferenceSyncTemplate:
    """One whose directory has two records, one of them disabled."""
    monkeypatch.setattr(reading, "read", lambda _template, _most=None: [ADA, BOB])
    source = LdapSyncSource.objects.create(name="Directory", ldap_server="x.test", ldap_base_dn="dc=x")
    return ConferenceSyncTemplate.objects.create(
        name="Staff",
        ldap_sync_source=source,
        conference_name="{{sn}}",
        alias_1="{{mail}}",
        tag="{{unheard}}",
        sync_devices=True,
        device_username="{{mail}}",
        device_password="secret-{{sn}}",
    )


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the templates that somebody had run."""
    found: list[str] = []
    monkeypatch.setattr(running, "begin", lambda templates: found.extend(one.name for one in templates))
    return found


def form(template: ConferenceSyncTemplate) -> str:
    return reverse("admin:configuration_conferencesynctemplate_change", args=(template.pk,))


def test_the_preview_writes_nothing(browser: Client, template: ConferenceSyncTemplate) -> None:
    page = browser.get(reverse("admin:ldap_sync_test", args=(template.pk,)))
    text = page.content.decode()
    assert page.status_code == 200
    assert "Lovelace" in text
    assert "unheard" in text
    assert "secret-Lovelace" not in text
    assert previewing.HIDDEN in text
    assert not Conference.objects.exclude(sync_tag="").exists()
    Conference.objects.create(name="Lovelace", sync_tag="Staff")
    lines = [line for section in previewing.preview(template).sections for line in section.lines]
    assert [(line.name, line.what) for line in lines] == [("Lovelace", "changed"), ("ada@x.test", "new")]


def test_a_directory_that_is_away_is_told(
    browser: Client, template: ConferenceSyncTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise reading.NotRead("Can't contact LDAP server")

    monkeypatch.setattr(reading, "read", away)
    page = browser.get(reverse("admin:ldap_sync_test", args=(template.pk,)))
    assert "contact LDAP server" in page.content.decode()


@pytest.mark.spec("SVC-188", "SVC-189")
def test_ways_to_run(browser: Client, template: ConferenceSyncTemplate, begun: list[str]) -> None:
    now = reverse("admin:ldap_sync_now", args=(template.pk,))
    assert browser.get(now).status_code == 200
    assert begun == [], "a link changes nothing"
    assert browser.post(now)["Location"] == reverse("admin:ldap_sync_status")
    chosen = {"action": "sync_selected", "_selected_action": [template.pk]}
    listed = browser.post(reverse("admin:configuration_conferencesynctemplate_changelist"), chosen)
    assert listed["Location"] == reverse("admin:ldap_sync_status")
    assert begun == ["Staff", "Staff"]


def test_save_and_sync(browser: Client, template: ConferenceSyncTemplate, begun: list[str]) -> None:
    page_name = "configuration_conferencesynctemplate"
    page = browser.get(form(template))
    text = page.content.decode()
    assert "pex_regex_replace" in text
    assert "numeric_alias" in text
    assert "sAMAccountName" in text
    fields = ConferenceSyncTemplate._meta.concrete_fields
    given = {
        field.name: getattr(template, field.attname) for field in fields if field.editable and not field.primary_key
    }
    values = {name: value for name, value in given.items() if value is not None and value is not False}
    saved = browser.post(form(template), {**values, "pin": "{{ sn|map }}", f"{page_name}_save_and_sync": "1"})
    assert (saved.status_code, begun) == (200, [])
    assert "There is no filter map." in saved.content.decode()
    saved = browser.post(form(template), {**values, "alias_2": "{{sn}}", f"{page_name}_save_and_sync": "1"})
    assert saved.status_code == 302, saved.content.decode()
    template.refresh_from_db()
    assert (template.alias_2, begun) == ("{{sn}}", ["Staff"])


@pytest.mark.spec("SVC-193")
def test_deleting_what_was_made(browser: Client, template: ConferenceSyncTemplate) -> None:
    Conference.objects.create(name="Made", sync_tag="Staff")
    Conference.objects.create(name="By hand")
    Device.objects.create(alias="made@x.test", sync_tag="Staff")
    Device.objects.create(alias="other@x.test", sync_tag="Staff 2")
    address = reverse("admin:ldap_sync_delete", args=(template.pk,))
    assert "1 VMR, 1 device alias" in browser.get(address).content.decode()
    assert Conference.objects.filter(name="Made").exists()
    answer = browser.post(address, follow=True)
    assert "Deleted 1 VMR, 1 device alias." in answer.content.decode()
    assert set(Conference.objects.filter(name__in=["Made", "By hand"]).values_list("name", flat=True)) == {"By hand"}
    assert list(Device.objects.values_list("alias", flat=True)) == ["other@x.test"]
    assert AdministratorLog.objects.filter(message="Deleted objects of LDAP sync template", user="admin").exists()


@pytest.mark.spec("SVC-190", "DIAG-071")
def test_the_status_page(browser: Client, template: ConferenceSyncTemplate) -> None:
    row = SyncStatus.objects.create(
        configuration_id=template.pk,
        sync_status=models.CONNECTING,
        vmrs_created=12,
        sync_errors=2,
        sync_last_error_description="<Alias> clash",
    )
    text = browser.get(reverse("admin:ldap_sync_status")).content.decode()
    for part in ("Staff", "Initializing sync: connecting to LDAP", "12 created", "&lt;Alias&gt; clash", "data-goes-on"):
        assert part in text, part
    assert "12 created" in browser.get(reverse("admin:ldap_sync_rows")).content.decode()
    assert "&lt;Alias&gt; clash" in browser.get(f"/admin/status/conference_sync/{row.pk}/").content.decode()


@pytest.mark.spec("SVC-206", "SVC-207", "SVC-208")
@pytest.mark.parametrize(
    ("page", "action", "function"),
    [
        ("conference", "remind", "some"),
        ("device", "remind_owners", "some"),
        ("conferencesynctemplate", "remind_selected", "all_of"),
    ],
)
def test_reminders_from_lists(
    browser: Client,
    template: ConferenceSyncTemplate,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    action: str,
    function: str,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(reminding, function, lambda *given: asked.append(list(given[-1])))
    room, device = Conference.objects.create(name="A"), Device.objects.create(alias="a@x.test")
    key = {"conference": room.pk, "device": device.pk, "conferencesynctemplate": template.pk}[page]
    address = reverse(f"admin:configuration_{page}_changelist")
    answer = browser.post(address, {"action": action, "_selected_action": [key]}, follow=True)
    assert "Reminders are being sent" in answer.content.decode()
    assert asked == [[key]]


def test_who_may_only_look_runs_nothing(template: ConferenceSyncTemplate) -> None:
    from tests.management import people

    client = Client()
    client.force_login(people.account("reader", "use_web", "view_users", "view_status"))
    for name in ("ldap_sync_test", "ldap_sync_now", "ldap_sync_delete"):
        assert client.get(reverse(f"admin:{name}", args=(template.pk,))).status_code == 403
        assert client.post(reverse(f"admin:{name}", args=(template.pk,))).status_code == 403
    assert client.get(reverse("admin:ldap_sync_status")).status_code == 200


# ---- the schedule


def day(number: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 11, number, hour, minute, tzinfo=datetime.UTC)


@pytest.mark.spec("SVC-187")
def test_daily_at_one(template: ConferenceSyncTemplate) -> None:
    ConferenceSyncTemplate.objects.update(enable_automatic_sync=True)
    schedule = Schedule()
    due: Callable[[datetime.datetime], list[int]] = schedule.due
    assert due(day(20, 14)) == [], "what was missed before it was first started is not made up for"
    assert due(day(21, 0, 59)) == []
    assert due(day(21, 1)) == [template.pk]
    assert due(day(21, 1, 1)) == []
    assert due(day(22, 1)) == [template.pk]
    ConferenceSyncTemplate.objects.update(enable_automatic_sync=False)
    assert due(day(23, 1)) == []


def test_a_day_that_was_missed_is_made_up_for(template: ConferenceSyncTemplate) -> None:
    ConferenceSyncTemplate.objects.update(enable_automatic_sync=True)
    SyncStatus.objects.create(configuration_id=template.pk, last_automatic=day(20, 1))
    assert Schedule().due(day(21, 9)) == [template.pk]
    SyncStatus.objects.update(last_automatic=day(21, 1, 2))
    assert Schedule().due(day(21, 9)) == []


def test_a_run_that_was_cut_off_is_a_failed_one(template: ConferenceSyncTemplate) -> None:
    SyncStatus.objects.create(configuration_id=template.pk, sync_status=models.SYNCING)
    running.settle()
    row = SyncStatus.objects.get()
    assert (row.sync_status, row.sync_last_error_description) == (models.FAILED, running.INTERRUPTED)


@pytest.mark.spec("SVC-194")
def test_many_objects_go_after_their_template(
    template: ConferenceSyncTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[str] = []
    monkeypatch.setattr(following, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(following, "_later", lambda name, _who: later.append(name))
    Conference.objects.bulk_create([Conference(name=f"Made {n}", sync_tag="Staff") for n in range(2)])
    Conference.objects.create(name="By hand")
    template.delete()
    assert (later, Conference.objects.filter(sync_tag="Staff").count()) == (["Staff"], 2)
    running.settle()  # had the process ended before
    assert not Conference.objects.filter(sync_tag="Staff").exists()
    assert Conference.objects.filter(name="By hand").exists()


def test_permission_is_that_of_changing_templates() -> None:
    assert pages.PERMISSION == "configuration.change_conferencesynctemplate"


# ---- sources


@pytest.mark.spec("SVC-124", "SVC-138")
def test_the_form_of_a_source_tells_why_it_is_refused(
    browser: Client, template: ConferenceSyncTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["Can not be reached", ""]
    asked: list[tuple[str, str]] = []

    def contact(source: Any) -> str:
        asked.append((source.ldap_server, reveal(source, "ldap_bind_password")))
        return answers.pop(0)

    monkeypatch.setattr(LdapSyncSource, "contact", staticmethod(contact))
    address = reverse("admin:configuration_ldapsyncsource_add")
    assert address in browser.get(form(template)).content.decode(), "a source can be added from the template"
    given = {"name": "New", "ldap_server": "", "ldap_base_dn": "dc=x", "ldap_bind_username": "reader"}
    given["ldap_bind_password"] = "hidden-pw"
    assert browser.post(address, given).status_code == 200
    assert asked == [], "what is wrong anyway is not tried"
    given["ldap_server"] = "ldap.example.test:636"
    assert "Can not be reached" in browser.post(address, given).content.decode()
    assert not LdapSyncSource.objects.filter(name="New").exists()
    assert browser.post(address, given).status_code == 302
    assert asked == [("ldap.example.test:636", "hidden-pw")] * 2
    assert LdapSyncSource.objects.filter(name="New").exists()
