"""The site: its menu, the pages of each kind of service, and secrets in forms."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rostra.configuration.models import AutomaticParticipant, Conference, SmtpServer
from rostra.configuration.secretfield import reveal
from rostra.management import menu
from rostra.management.audit.models import AdministratorLog
from rostra.management.services import KINDS, kind_of

from . import people
from .conftest import Api

PAGES = {
    "conference": "/admin/configuration/conference/",
    "lecture": "/admin/management/virtualauditorium/",
    "two_stage_dialing": "/admin/management/virtualreception/",
    "test_call": "/admin/management/testcallservice/",
}
_ALIASES = {"aliases-TOTAL_FORMS": 1, "aliases-INITIAL_FORMS": 0, "aliases-0-view_order": 0}


def fields(page: str) -> set[str]:
    """Names of the inputs of a form, without those of its aliases."""
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
    others = {name for name in names if name.startswith(("_", "aliases", "csrf"))}
    return names - others - {"s", "language"}


@pytest.mark.spec("SYS-077")
def test_everybody_sees_the_whole_menu_in_its_order(browser: Any) -> None:
    from django.test import Client

    reader = Client()
    reader.force_login(people.account("reader", "use_web"))
    for client in (browser, reader):
        page = client.get("/admin/").content.decode()
        titles = re.findall(r'data-section="([^"]+)"', page)
        assert titles == [title.replace("&", "&amp;") for title in menu.SECTIONS]
        places = [page.index(f'href="{one.link}"') for _, lines in menu.entries() for one in lines]
        assert places == sorted(places)
    links = {one.link for _, lines in menu.entries() for one in lines}
    assert len(links) == len([one for _, lines in menu.entries() for one in lines])
    assert {*PAGES.values(), "/admin/status/live/", "/admin/utilities/backup/", "/admin/log/administrator/"} <= links
    answers = {reader.get(link, follow=True).status_code for link in sorted(links - {"/admin/platform/schema/"})[::8]}
    assert answers == {403}


def test_the_menu_is_searched(browser: Any) -> None:
    found = browser.get("/admin/search/?s=services audit").content.decode()
    assert "/admin/management/virtualauditorium/" in found
    assert "/admin/configuration/conference/" not in found
    assert "/admin/status/live/" in browser.get("/admin/search/?s=LIVE").content.decode()


@pytest.mark.spec("SVC-001", "SVC-012", "SVC-122")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.service_type)
def test_each_kind_of_service_has_pages_of_its_own(browser: Any, kind: Any) -> None:
    page = PAGES[kind.service_type]
    other = "conference" if kind.service_type == "lecture" else "lecture"
    Conference.objects.create(name="Other room", service_type=other)
    form = browser.get(f"{page}add/").content.decode()
    shown = {name for name in kind.fields if name not in ("sync_tag", "creation_time")}
    assert fields(form) == shown
    assert 'name="aliases-0-alias"' in form
    made = browser.post(f"{page}add/", {**_form(kind), **_ALIASES, "aliases-0-alias": "first@example.com"})
    assert made.status_code == 302, fields(made.content.decode())
    row = Conference.objects.get(name="Made here")
    assert (row.service_type, [str(alias) for alias in row.aliases.all()]) == (kind.service_type, ["first@example.com"])
    listed = browser.get(page).content.decode()
    assert "Made here" in listed
    assert f"{page}{row.pk}/change/" in listed
    assert "Other room" not in listed
    files = set(re.findall(r'href="(/[^"]*-csv/)"', listed))
    assert files == ({f"{page}export-csv/", f"{page}import-csv/"} if kind.csv != () else set())
    assert AdministratorLog.objects.filter(resource="conference", object_name="Made here").exists()


def _form(kind: Any) -> dict[str, Any]:
    row = Conference(**kind.defaults)
    values = {name: getattr(row, name, None) for name in kind.fields if name != "automatic_participants"}
    return {name: value for name, value in values.items() if value not in (None, "") and value is not False} | {
        "name": "Made here"
    }


def test_an_auditorium_begins_with_the_layout_of_its_guests(browser: Any) -> None:
    page = browser.get("/admin/management/virtualauditorium/add/").content.decode()
    select = page[page.index('name="guest_view"') :]
    assert re.search(r'value="one_main_seven_pips"\s+selected', select[: select.index("</select>")])


def test_links_lead_to_a_service_whatever_its_kind(browser: Any) -> None:
    row = Conference.objects.create(name="Hall", service_type="lecture")
    response = browser.get(f"/admin/configuration/conference/{row.pk}/change/")
    assert response.url == f"/admin/management/virtualauditorium/{row.pk}/change/"
    assert browser.get(f"/admin/management/virtualreception/{row.pk}/change/").status_code == 302
    browser.post(f"/admin/management/virtualreception/{row.pk}/delete/", {"post": "yes"})
    assert Conference.objects.filter(pk=row.pk).exists()


@pytest.mark.spec("SVC-033")
def test_a_room_chooses_whom_it_calls(browser: Any) -> None:
    first, second = (AutomaticParticipant.objects.create(alias=f"{name}@example.com") for name in ("a", "b"))
    room = Conference.objects.get(name="Demo")
    room.automatic_participants.add(first)
    page = browser.get(f"{PAGES['conference']}{room.pk}/change/").content.decode()
    chosen = page[page.index('name="automatic_participants"') :]
    assert "a@example.com" in chosen[: chosen.index("</select>")]
    assert "b@example.com" not in page
    found = browser.get(
        "/admin/autocomplete/?term=b%40&app_label=configuration"
        "&model_name=automaticparticipant_conference&field_name=automaticparticipant"
    )
    assert [one["id"] for one in found.json()["results"]] == [str(second.pk)]
    body = {**_form(kind_of("conference")), "name": "Demo", "automatic_participants": [second.pk]}
    aliases = {"aliases-TOTAL_FORMS": 0, "aliases-INITIAL_FORMS": 0}
    assert browser.post(f"{PAGES['conference']}{room.pk}/change/", {**body, **aliases}).status_code == 302
    assert list(room.automatic_participants.all()) == [second]


def test_services_of_every_kind_are_found_for_an_alias(browser: Any) -> None:
    Conference.objects.create(name="Hall of people", service_type="lecture")
    found = browser.get(
        "/admin/autocomplete/?term=hall&app_label=configuration&model_name=conferencealias&field_name=conference"
    )
    assert [one["text"] for one in found.json()["results"]] == ["Hall of people"]


def test_secrets_are_entered_and_never_shown(browser: Any) -> None:
    row = SmtpServer.objects.create(name="Mail", address="mail.example.com", username="me", password="Geheim")
    page = f"/admin/configuration/smtpserver/{row.pk}/change/"
    shown = browser.get(page).content.decode()
    assert "$~!" not in shown
    assert "Geheim" not in shown
    assert re.search(r'<input type="password" name="password"[^>]*>', shown)
    body = {name: getattr(row, name) for name in ("name", "address", "port", "username")}
    body |= {"from_email_address": "rooms@example.com"}
    body |= {"connection_security": row.connection_security}
    assert browser.post(page, {**body, "password": ""}).status_code == 302
    row.refresh_from_db()
    assert reveal(row, "password") == "Geheim"
    assert browser.post(page, {**body, "password": "Neu"}).status_code == 302
    row.refresh_from_db()
    assert reveal(row, "password") == "Neu"
    assert browser.post(page, {**body, "password": "", "password-remove": "on"}).status_code == 302
    row.refresh_from_db()
    assert reveal(row, "password") == ""


class TestDashboard:
    def test_it_shows_what_matters_at_a_glance(self, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from rostra.management import status

        from .contract.lively import Lively, remember

        remember()
        monkeypatch.setattr(status._Current, "value", Lively())
        page = browser.get("/admin/").content.decode()
        tiles = {
            name: value for value, name in re.findall(r'db-value">([^<]+)</span><span class="db-name">([^<]+)<', page)
        }
        expected = {"Nodes reached": "1 / 1", "Conferences": "2", "Participants": "2", "Alarms": "1"}
        assert {name: tiles[name] for name in expected} == expected
        assert re.search(r'db-late"><span class="db-value">none</span><span class="db-name">Last backup', page)
        assert "30 %" in page
        assert "Connectivity lost between nodes" in page

    def test_everybody_sees_of_it_what_he_may(self, browser: Any) -> None:
        from django.test import Client

        for permissions, seen, unseen in (
            ((), "What your account may see is in the menu", "db-tile"),
            (("view_status",), "Nodes reached", "Virtual Auditoriums</span><span"),
            (("view_service",), "db-counts", "Nodes reached"),
        ):
            client = Client()
            client.force_login(people.account("-".join(("some", *permissions)), "use_web", *permissions))
            page = client.get("/admin/").content.decode()
            assert seen in page
            assert unseen not in page


class TestBulkActions:
    def act(self, browser: Any, page: str, action: str, rows: Any, **more: Any) -> str:
        body = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
        response = browser.post(page, body, follow=True)
        return response.content.decode()

    def test_fields_of_several_rooms_are_set_after_a_question(self, browser: Any) -> None:
        rooms = [Conference.objects.create(name=f"r{n}") for n in range(3)]
        page = self.act(browser, PAGES["conference"], "set_tag", rooms)
        assert "This changes 3 Virtual Meeting Rooms" in page
        assert 'name="tag"' in page
        page = self.act(browser, PAGES["conference"], "set_tag", rooms[:2], confirmed="yes", tag="red")
        assert "2 Virtual Meeting Rooms changed." in page
        assert list(Conference.objects.filter(tag="red").order_by("pk")) == rooms[:2]
        assert AdministratorLog.objects.filter(message="Configuration changed", object_name="r0").exists()

    def test_all_or_none(self, browser: Any) -> None:
        rooms = [
            Conference.objects.create(name="a"),
            Conference.objects.create(name="b", pin="12345", guest_pin="54321", allow_guests=True),
        ]
        page = self.act(browser, PAGES["conference"], "set_pin", rooms, confirmed="yes", pin="12", guest_pin="")
        assert "Nothing was changed." in page
        assert not Conference.objects.filter(pin="12").exists()
        page = self.act(
            browser, PAGES["conference"], "set_participant_limit", rooms, confirmed="yes", participant_limit="x"
        )
        assert "Enter a whole number." in page
        self.act(browser, PAGES["conference"], "set_pin", rooms, confirmed="yes", pin="9999", guest_pin="")
        assert Conference.objects.filter(pin="9999", allow_guests=False, guest_pin="").count() == 2

    def test_rules_are_switched_and_chosen_rows_exported(self, browser: Any) -> None:
        from rostra.configuration.models import GatewayRoutingRule

        rules = [GatewayRoutingRule.objects.create(name=f"r{n}", priority=n, match_string=".*") for n in (1, 2)]
        page = "/admin/configuration/gatewayroutingrule/"
        self.act(browser, page, "disable_enable", rules)
        assert GatewayRoutingRule.objects.filter(enable=False).count() == 0
        self.act(browser, page, "disable_enable", rules, confirmed="yes")
        assert GatewayRoutingRule.objects.filter(enable=False).count() == 2
        self.act(browser, page, "enable_enable", rules[:1], confirmed="yes")
        assert GatewayRoutingRule.objects.filter(enable=True).count() == 1
        text = self.act(browser, page, "export_selected", rules[1:])
        assert "r2" in text
        assert "r1" not in text

    def test_deletion_says_what_else_goes(self, browser: Any) -> None:
        room = Conference.objects.get(name="Demo")
        page = self.act(browser, PAGES["conference"], "delete_selected", [room])
        assert "meet.demo" in page
        assert Conference.objects.filter(pk=room.pk).exists()

    def test_who_may_only_look_changes_nothing(self, browser: Any) -> None:
        from django.test import Client

        client = Client()
        client.force_login(people.account("reader", "use_web", "view_service"))
        room = Conference.objects.get(name="Demo")
        self.act(client, PAGES["conference"], "set_tag", [room], confirmed="yes", tag="red")
        self.act(client, PAGES["conference"], "delete_selected", [room], post="yes")
        room.refresh_from_db()
        assert room.tag == ""
        assert b"set_tag" not in client.get(PAGES["conference"]).content


def test_a_page_number_that_is_none_is_the_first(browser: Any) -> None:
    for number in ("9" * 5000, "-1", "x", "²"):
        assert browser.get("/admin/status/conference/", {"p": number}).status_code == 200


def test_the_history_of_an_object_is_that_of_the_administrator_log(api: Api, browser: Any) -> None:
    row = api.create("conference", name="Board")
    key = row.rstrip("/").rpartition("/")[2]
    shown = browser.get(f"{PAGES['conference']}{key}/history/", follow=True)
    assert shown.redirect_chain == [(f"/admin/log/administrator/?resource=conference&object={key}", 302)]
    assert "Configuration added" in shown.content.decode()


@pytest.mark.parametrize("query", ["name__regex=(", "pin__startswith=1", "aliases__conference__pin__gt=1"])
def test_lists_are_filtered_by_what_they_offer_only(api: Api, browser: Any, query: str) -> None:
    api.create("conference", name="Board", pin="1234")
    shown = browser.get(f"{PAGES['conference']}?{query}", follow=True)
    assert shown.status_code in (200, 400)
    assert shown.redirect_chain or shown.status_code == 400, "the list is not narrowed by it"
