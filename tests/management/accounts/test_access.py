"""Who may do what: permissions by area and method, in the API and the site."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from rostra.configuration.resources import area_of, register
from rostra.management.accounts.models import Account, Permission, Role
from rostra.management.accounts.permissions import AREAS, PERMISSIONS, Holder, effective, needed, needed_besides
from rostra.management.declared import commands, tables
from tests.management import people
from tests.management.conftest import BASE, Api

EXAMPLES = {
    "service": ("conference", {"name": "Room"}),
    "platform": ("system_location", {"name": "Oslo"}),
    "administrators": ("role", {"name": "None"}),
}
"""An area, one of its resources, and what would create an object of it."""


def basic(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{name * 2}".encode()).decode()


def browse(account: Account) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(account)
    return client


def test_every_resource_table_and_command_is_of_a_known_area() -> None:
    for resource in register:
        assert area_of(resource) in AREAS, resource.name
        meta = resource.model._meta
        for action in ("view", "add", "change", "delete"):
            assert needed(f"{meta.app_label}.{action}_{meta.model_name}"), resource.name
    for table in tables():
        assert table.viewing in PERMISSIONS, table.name
        assert not table.permission or needed(table.permission), table.name
    for command in commands():
        assert needed(command.permission), command.name


def test_rows_of_another_area_cannot_be_written_along_with_one_of_this(api: Api) -> None:
    """A theme lists the call routing rules that use it."""
    people.account("editor", "use_api", "modify_service")
    theme = api.list("ivr_theme/?limit=1")[0]["resource_uri"]
    rule = api.create("gateway_routing_rule", name="Out", match_string=".*", priority=5, called_device_type="external")
    refused = api("PATCH", theme, {"gateway_routing_rule": [rule]}, Authorization=basic("editor"))
    assert refused.status_code == 400
    assert "may not change" in refused.json()["ivr_theme"]["gateway_routing_rule"][0]
    assert api("PATCH", theme, {"gateway_routing_rule": []}, Authorization=basic("editor")).status_code == 202
    assert api("PATCH", theme, {"gateway_routing_rule": [rule]}).status_code == 202
    assert api("PATCH", theme, {"gateway_routing_rule": []}, Authorization=basic("editor")).status_code == 400
    assert api.read(theme)["gateway_routing_rule"] == [rule]


def test_what_is_asked_in_words_of_django() -> None:
    assert needed("configuration.view_conference") == {"view_service", "modify_service"}
    assert needed("configuration.delete_systemlocation") == {"modify_platform"}
    assert needed("accounts.add_account") == {"modify_administrators"}
    assert needed("control_conferences") == {"control_conferences"}
    assert needed_besides("configuration.change_conferencesynctemplate") == {"modify_service"}
    assert needed_besides("configuration.view_conferencesynctemplate") == set()
    assert needed_besides("configuration.change_conference") == needed_besides("nonsense") == set()
    assert needed("auth.add_group") == needed("nonsense") == needed("a.b_c") == set()


@pytest.mark.spec("SYS-072", "SYS-073")
def test_without_being_an_administrator_nothing_is_allowed() -> None:
    class Somebody(Holder):
        permissions = effective({"use_web", "use_api", "modify_service"})

    assert not Somebody().is_staff
    assert not Somebody().may_use_api
    assert not Somebody().has_perm("configuration.view_conference")


@pytest.mark.spec("SYS-075")
def test_shipped_roles(api: Api) -> None:
    roles = {role["name"]: {one["codename"] for one in role["permissions"]} for role in api.list("role/")}
    assert roles["Read-write"] == set(PERMISSIONS)
    assert {"is_admin", "use_web", "use_api", "view_status", "view_logs"} < roles["Read-only"]
    assert not {name for name in roles["Read-only"] if name.startswith(("modify", "control"))}


@pytest.mark.spec("SYS-072", "SYS-076", "SYS-078", "SYS-079")
@pytest.mark.parametrize("area", EXAMPLES)
def test_one_area_does_not_open_another(api: Api, area: str) -> None:
    people.account("viewer", "use_api", f"view_{area}")
    people.account("editor", "use_api", f"modify_{area}")
    for name, (resource, body) in EXAMPLES.items():
        address = f"{BASE}{resource}/"
        reading = {who: api("GET", address, Authorization=basic(who)).status_code for who in ("viewer", "editor")}
        expected = 200 if name == area else 403
        assert reading == {"viewer": expected, "editor": expected}
        for method, path in (("POST", address), ("PATCH", address), ("PATCH", f"{address}1/"), ("DELETE", address),
                             ("PUT", f"{address}1/"), ("DELETE", f"{address}1/")):  # fmt: skip
            assert api(method, path, body, Authorization=basic("viewer")).status_code == 403, (method, path)
            if name != area:
                assert api(method, path, body, Authorization=basic("editor")).status_code == 403, (method, path)
    resource, body = EXAMPLES[area]
    made = api("POST", f"{BASE}{resource}/", body, Authorization=basic("editor"))
    assert made.status_code in (201, 400), "it may; whether it is enough is another question"


@pytest.mark.spec("SYS-073")
def test_api_and_site_take_a_permission_each(api: Api) -> None:
    web = people.account("web", "use_web", "view_service")
    people.account("app", "use_api", "view_service")
    refused = api("GET", "conference/", Authorization=basic("web"))
    assert (refused.status_code, refused.json()) == (403, {"error": "This account may not do that."})
    assert api("GET", "conference/", Authorization=basic("app")).status_code == 200
    assert browse(web).get(f"{BASE}conference/").status_code == 403
    assert browse(web).get("/admin/configuration/conference/").status_code == 200
    entered = Client().post("/admin/login/", {"username": "app", "password": "appapp"})
    assert "for a staff account" in entered.content.decode()


def test_status_history_and_logs_take_their_permission(api: Api) -> None:
    people.account("status", "use_api", "view_status")
    people.account("logs", "use_api", "view_logs")
    status, logs = "/api/admin/history/v1/conference/", "/api/admin/history/v1/login_history/"
    for address, allowed in ((status, "status"), (logs, "logs")):
        for who in ("status", "logs"):
            answer = api("GET", address, Authorization=basic(who)).status_code
            assert answer == (200 if who == allowed else 403), (who, address)


def test_commands_obey_too(api: Api) -> None:
    people.account("viewer", "use_api", "view_platform")
    command = "/api/admin/command/v1/platform/move_calls_away/"
    assert api("POST", command, {"worker_vm_id": 999}, Authorization=basic("viewer")).status_code == 403
    people.account("editor", "use_api", "modify_platform")
    assert api("POST", command, {"worker_vm_id": 999}, Authorization=basic("editor")).status_code == 400


@pytest.mark.spec("SYS-074", "SYS-077")
def test_the_menu_shows_everything_but_pages_are_denied(database: Any) -> None:
    nobody = browse(people.account("nobody", "use_web"))
    front = nobody.get("/admin/")
    assert front.status_code == 200
    assert "/admin/configuration/conference/" in front.content.decode()
    for address in (
        "/admin/configuration/conference/",
        "/admin/configuration/conference/add/",
        "/admin/configuration/conference/1/change/",
        "/admin/configuration/globalsettings/1/change/",
        "/admin/accounts/account/",
        "/admin/accounts/role/",
        "/admin/accounts/authenticationsettings/test/",
        "/admin/status/live/",
        "/admin/status/live/data.json",
        "/admin/status/worker_vm/",
        "/admin/history/login_history/",
    ):
        page = nobody.get(address)
        assert page.status_code == 403, address
        assert "Access denied" in page.content.decode(), address
        assert "/admin/configuration/systemlocation/" in page.content.decode(), "the menu is there"


@pytest.mark.spec("SYS-078")
def test_who_may_only_view_gets_no_buttons(database: Any) -> None:
    viewer = browse(people.account("viewer", "use_web", "view_service"))
    editor = browse(people.account("editor", "use_web", "modify_service"))
    address = "/admin/configuration/conference/"
    for client, there in ((viewer, False), (editor, True)):
        page = client.get(address).content.decode()
        assert (f"{address}add/" in page) is there
        assert ("import-csv" in page) is there
    assert viewer.get(f"{address}1/change/").status_code == 200
    assert viewer.post(f"{address}1/change/", {"name": "x"}).status_code == 403
    assert viewer.get(f"{address}import-csv/").status_code in (403, 404)
    viewer.post(address, {"action": "delete_selected", "_selected_action": ["1"], "post": "yes"})
    from rostra.configuration.models import Conference

    assert Conference.objects.filter(pk=1).exists()


# ---- nobody makes himself more than he is


@pytest.mark.spec("SYS-078")
def test_no_way_to_more_permissions_without_that_one(api: Api) -> None:
    """Everything but modifying administrators."""
    everything = set(PERMISSIONS) - {"modify_administrators"}
    almost = people.account("almost", *everything)
    full = Role.objects.get(name="Read-write")
    uri = f"{BASE}role/{full.pk}/"
    permission = Permission.objects.get(codename="modify_administrators")
    for method, path, body in (
        ("PATCH", f"{BASE}role/{almost.roles.get().pk}/", {"permissions": [f"{BASE}permission/{permission.pk}/"]}),
        ("POST", f"{BASE}role_mapping/", {"name": "x", "value": "cn=x", "roles": [uri]}),
        ("POST", f"{BASE}ldap_role/", {"name": "x", "ldap_group_dn": "cn=x", "roles": [uri]}),
        ("POST", f"{BASE}oauth2_client/", {"client_name": "x", "role": uri}),
        ("PATCH", f"{BASE}authentication/1/", {"source": "LDAP"}),
        ("DELETE", f"{BASE}role/", None),
    ):
        assert api(method, path, body, Authorization=basic("almost")).status_code == 403, path
    site = browse(almost)
    page = f"/admin/accounts/account/{almost.pk}/"
    values = {"username": "almost", "is_active": "on", "is_superuser": "on", "roles": [full.pk]}
    assert site.post(f"{page}change/", values).status_code == 403
    admin = Account.objects.get(username="admin")
    for path in (f"{page}password/", f"/admin/accounts/account/{admin.pk}/password/"):
        assert site.post(path, {"password1": "long-enough-1", "password2": "long-enough-1"}).status_code == 403
    assert site.post("/admin/accounts/account/add/", {"username": "x"}).status_code == 403
    almost.refresh_from_db()
    assert not almost.is_superuser
    assert [role.name for role in almost.roles.all()] == ["Role of almost"]


def test_permissions_are_fixed(api: Api) -> None:
    assert api("POST", "permission/", {"name": "x", "codename": "x"}).status_code == 405
    assert api("PATCH", "permission/1/", {"codename": "x"}).status_code == 405
    nested = {"name": "Mine", "permissions": [{"name": "All", "codename": "all"}]}
    refused = api("POST", "role/", nested)
    assert refused.status_code == 400
    assert Permission.objects.count() == len(PERMISSIONS)


def test_who_manages_accounts_is_not_yet_a_full_administrator(database: Any) -> None:
    manager = people.account("manager", "use_web", "modify_administrators")
    site, admin = browse(manager), Account.objects.get(username="admin")
    page = f"/admin/accounts/account/{admin.pk}/"
    assert (
        site.post(f"{page}password/", {"password1": "long-enough-1", "password2": "long-enough-1"}).status_code == 403
    )
    assert site.post(f"{page}change/", {"username": "admin"}).status_code == 403
    assert site.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    own = f"/admin/accounts/account/{manager.pk}/change/"
    values = {"username": "manager", "is_active": "on", "is_superuser": "on", "roles": [manager.roles.get().pk]}
    assert site.post(own, values).status_code == 302
    manager.refresh_from_db()
    assert not manager.is_superuser


def test_there_is_always_a_full_administrator(browser: Client) -> None:
    admin = Account.objects.get(username="admin")
    page = f"/admin/accounts/account/{admin.pk}/"
    for values in ({"is_active": "on"}, {"is_superuser": "on"}, {}):
        answer = browser.post(f"{page}change/", {"roles": [], **values})
        assert answer.status_code == 200
        assert "last full administrator" in answer.content.decode()
    assert "last full administrator" in browser.get(f"{page}delete/").content.decode()
    assert browser.post(f"{page}delete/", {"post": "yes"}).status_code in (200, 403)
    assert Account.objects.get(pk=admin.pk).is_superuser
    Account.objects.create_superuser("second", "long-enough-1")
    assert browser.post(f"{page}change/", {"is_active": "on", "roles": []}).status_code == 302
    assert not Account.objects.get(pk=admin.pk).is_superuser


@pytest.mark.spec("NODE-086")
def test_accounts_are_added_and_changed_in_the_site(browser: Client) -> None:
    role = Role.objects.get(name="Read-only")
    form = {"username": "ada", "usable_password": "true", "password1": "long-enough-1", "password2": "long-enough-1"}
    answer = browser.post("/admin/accounts/account/add/", {**form, "roles": [role.pk]})
    assert answer.status_code == 302, answer.content[-3000:]
    ada = Account.objects.get(username="ada")
    assert (ada.is_staff, ada.has_perm("configuration.change_conference")) == (True, False)
    browser.post(
        f"/admin/accounts/account/{ada.pk}/change/", {"username": "eve", "is_active": "on", "roles": [role.pk]}
    )
    assert Account.objects.get(pk=ada.pk).username == "ada", "never changed"
    short = {"password1": "short", "password2": "short", "usable_password": "true"}
    assert browser.post(f"/admin/accounts/account/{ada.pk}/password/", short).status_code == 200
    long = {"password1": "other-enough-1", "password2": "other-enough-1", "usable_password": "true"}
    assert browser.post(f"/admin/accounts/account/{ada.pk}/password/", long).status_code == 302
    assert Account.objects.get(pk=ada.pk).check_password("other-enough-1")


@pytest.mark.spec("SYS-079")
@pytest.mark.parametrize(
    ("own", "besides", "path"),
    [
        ("modify_users", "modify_service", "conference_sync_template/"),
        ("modify_users", "modify_service", "ldap_sync_source/"),
        ("modify_users", "modify_service", "ldap_sync_field/"),
        ("modify_users", "modify_service", "/api/admin/command/v1/conference/sync/"),
        ("modify_utilities", "modify_platform", "certificate_signing_request/"),
    ],
)
def test_no_way_into_another_area_through_what_leads_there(api: Api, own: str, besides: str, path: str) -> None:
    """Templates make meeting rooms, and a completed request is a certificate."""
    address = path if path.startswith("/") else BASE + path
    for name, permissions, refused in (
        ("one", (own,), True),
        ("other", (besides,), True),
        ("both", (own, besides), False),
    ):
        people.account(name, "use_api", *permissions)
        header = {"Authorization": f"Basic {basic(name).removeprefix('Basic ')}"}
        answer = Client().post(address, {}, content_type="application/json", headers=header)
        assert (answer.status_code == 403) is refused, (name, answer.content)
