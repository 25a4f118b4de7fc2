"""Resources of services, call control, users and devices, themes and the web app, by the common suite."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import rostra
from rostra.configuration.models import IvrTheme, StoredFile
from rostra.configuration.resources import register
from rostra.configuration.secretfield import reveal

from .conftest import Api
from .resource_suite import ResourceSuite

URI = "/api/admin/configuration/v1"


def package(**members: bytes) -> bytes:
    """A ZIP file of a folder with these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"folder/{name.replace('__', '.')}", content)
    return file.getvalue()


def once(api: Api, resource: str, **body: Any) -> str:
    """The path of an object that is made if it is not there yet; the first field tells."""
    name, value = next(iter(body.items()))
    found = api.list(f"{resource}/?{name}={value}")
    return found[0]["resource_uri"] if found else api.create(resource, **body)


class TestGatewayRoutingRule(ResourceSuite):
    name = "gateway_routing_rule"
    example = {"name": "Out", "priority": 20, "match_string": ".+@example.test"}
    change = {
        "match_string": r"(\d+)@(.*)",
        "replace_string": r"\2-\1",
        "called_device_type": "registration",
        "call_type": "auto",
        "disabled_codecs": [{"value": "VP9"}],
        "match_source_location": f"{URI}/system_location/1/",
    }
    refused = [
        ({"priority": 201}, "priority"),
        ({"priority": 0}, "priority"),
        ({"priority": 1}, "priority"),
        ({"match_string": "("}, "match_string"),
        ({"match_string": ""}, "match_string"),
        ({"replace_string": r"\1"}, "replace_string"),
        ({"called_device_type": "mssip_conference_id"}, "mssip_proxy"),
        ({"outgoing_protocol": "smoke"}, "outgoing_protocol"),
        ({"disabled_codecs": [{"value": "abc"}]}, "disabled_codecs"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        once(api, "gateway_routing_rule", name="First", priority=1, match_string="a")
        return {}


class TestDevice(ResourceSuite):
    name = "device"
    example = {"alias": "desk@example.test"}
    change = {"username": "desk", "enable_h323": False}
    refused = [
        ({"alias": "HALL@example.test"}, "alias"),
        ({"alias": "two words"}, "alias"),
        ({"username": "x" * 101}, "username"),
        ({"primary_owner_email_address": "nobody"}, "primary_owner_email_address"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        once(api, "device", alias="hall@example.test")
        return {}


class TestIvrTheme(ResourceSuite):
    name = "ivr_theme"
    example = {"name": "Blue"}
    change = {"name": "Green", "conference": [f"{URI}/conference/1/"]}
    refused = [
        ({"name": "Rostra theme (English_US)"}, "name"),
        ({"package": "file.zip"}, "package"),
        ({"conference": ["/nowhere/"]}, "conference"),
    ]
    list_queries = 5


class TestLdapSyncSource(ResourceSuite):
    name = "ldap_sync_source"
    example = {
        "name": "Directory",
        "ldap_server": "ldap.example.test",
        "ldap_base_dn": "dc=example,dc=test",
        "ldap_bind_username": "reader",
        "ldap_bind_password": "hidden",
    }
    change = {"ldap_use_global_catalog": True, "ldap_permit_no_tls": True}
    refused = [
        ({"ldap_base_dn": "example.test"}, "ldap_base_dn"),
        ({"ldap_server": "ldaps://ldap", "ldap_bind_password": "known"}, "ldap_server"),
        ({"ldap_server": "192.0.2.1", "ldap_permit_no_tls": True, "ldap_bind_password": "known"}, "ldap_server"),
        ({"ldap_server": "other.example.test"}, "ldap_bind_password"),
        ({"ldap_bind_password": ""}, "ldap_bind_password"),
    ]
    list_queries = 3


class TestLdapSyncField(ResourceSuite):
    name = "ldap_sync_field"
    example = {"name": "extensionAttribute1", "template_variable_name": "extra"}
    change = {"is_binary": True, "description": "More"}
    refused = [
        ({"template_variable_name": "with-hyphen"}, "template_variable_name"),
        ({"template_variable_name": "mail"}, "template_variable_name"),
        ({"name": ""}, "name"),
    ]
    list_queries = 3


class TestConferenceSyncTemplate(ResourceSuite):
    name = "conference_sync_template"
    example = {"name": "Everybody", "conference_name": "{{givenName}} {{sn}}"}
    change = {
        "alias_1": "meet.{{mail}}",
        "ldap_user_search_dn": "ou=europe,ou=people",
        "ldap_user_filter": "mail=*",
        "max_callrate_out": None,
    }
    refused = [
        ({"conference_name": ""}, "conference_name"),
        ({"pin": "{{ unfinished"}, "pin"),
        ({"service_email_template": "{% if pin %}"}, "service_email_template"),
        ({"sync_devices": True}, "device_password"),
        ({"sync_end_users": True, "primary_owner_email_address": "{{mail}}"}, "end_user_uuid"),
        ({"enable_service_emails": True}, "smtp_server"),
        ({"ldap_user_filter": "(a=b"}, "ldap_user_filter"),
        ({"ldap_user_search_dn": "people"}, "ldap_user_search_dn"),
        ({"ldap_sync_source": None}, "ldap_sync_source"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"ldap_sync_source": once(api, "ldap_sync_source", **TestLdapSyncSource.example)}


class TestEndUser(ResourceSuite):
    name = "end_user"
    example = {"primary_email_address": "ada@example.test"}
    change = {"display_name": "Ada", "avatar_url": "https://example.test/ada.png"}
    refused = [
        ({"primary_email_address": "GRACE@example.test"}, "primary_email_address"),
        ({"primary_email_address": "grace"}, "primary_email_address"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"user_groups": [f"{URI}/user_group/9/"]}, "user_groups"),
    ]
    list_queries = 4

    def prepare(self, api: Api) -> dict[str, Any]:
        once(api, "end_user", primary_email_address="grace@example.test")
        return {}


class TestUserGroup(ResourceSuite):
    name = "user_group"
    example = {"name": "Board"}
    change = {"description": "They decide"}
    refused = [
        ({"name": ""}, "name"),
        ({"users": [f"{URI}/end_user/9/"]}, "users"),
        ({"user_group_entity_mappings": [{"entity_resource_uri": "x"}]}, "user_group_entity_mappings"),
    ]
    list_queries = 5


class TestUserGroupEntityMapping(ResourceSuite):
    name = "user_group_entity_mapping"
    example = {"entity_resource_uri": f"{URI}/conference/1/"}
    change = {"entity_resource_uri": f"{URI}/conference/2/", "description": "theirs"}
    refused = [
        ({"entity_resource_uri": f"{URI}/conference/99/"}, "entity_resource_uri"),
        ({"entity_resource_uri": f"{URI}/broom/1/"}, "entity_resource_uri"),
        ({"entity_resource_uri": "https://example.test/"}, "entity_resource_uri"),
        ({"user_group": None}, "user_group"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"user_group": once(api, "user_group", name="Theirs")}


class TestH323Gatekeeper(ResourceSuite):
    name = "h323_gatekeeper"
    example = {"name": "Gate", "address": "gate.example.test"}
    change = {"address": "192.0.2.19", "port": None}
    refused = [({"address": "2001:db8::1"}, "address"), ({"address": "10.0.0"}, "address"), ({"port": 0}, "port")]
    list_queries = 3


class TestSipProxy(ResourceSuite):
    name = "sip_proxy"
    example = {"name": "Proxy", "address": "sip.example.test"}
    change = {"address": "2001:db8::1", "transport": "udp", "port": 5060}
    refused = [({"address": "sip:proxy"}, "address"), ({"port": 65536}, "port"), ({"transport": "ws"}, "transport")]
    list_queries = 3


class TestSipCredential(ResourceSuite):
    name = "sip_credential"
    example = {"realm": "sip.example.test", "username": "rostra"}
    change = {"username": "other"}
    refused = [({"realm": ""}, "realm"), ({"password": "x" * 101}, "password")]
    list_queries = 3


class TestMssipProxy(ResourceSuite):
    name = "mssip_proxy"
    example = {"name": "Front end", "address": "fe.example.test"}
    change = {"transport": "tcp"}
    refused = [({"transport": "udp"}, "transport"), ({"address": "a b"}, "address")]
    list_queries = 3


class TestTurnServer(ResourceSuite):
    name = "turn_server"
    example = {"name": "Relay", "address": "192.0.2.34"}
    change = {"server_type": "coturn_shared", "transport_type": "tls"}
    refused = [({"server_type": "none"}, "server_type"), ({"port": 70000}, "port")]
    list_queries = 3


class TestStunServer(ResourceSuite):
    name = "stun_server"
    example = {"name": "Mirror", "address": "stun.example.test"}
    change = {"port": 19302}
    refused = [({"port": None}, "port"), ({"name": "stun.l.google.com"}, "name")]
    list_queries = 3


class TestIdentityProviderAttribute(ResourceSuite):
    name = "identity_provider_attribute"
    example = {"name": "mail"}
    change = {"description": "Where it is read"}
    refused = [({"name": "x" * 251}, "name")]
    list_queries = 3


class TestIdentityProvider(ResourceSuite):
    name = "identity_provider"
    example = {
        "name": "Company", "idp_type": "oidc", "uuid": "idp-1", "sso_url": "https://idp.test/authorize",
        "idp_entity_id": "https://idp.test", "oidc_client_id": "rostra", "oidc_token_url": "https://idp.test/token",
        "oidc_jwks_url": "https://idp.test/keys",
        "assertion_consumer_service_url": "https://meet.test/api/v1/oidcconsumer/idp-1",
    }  # fmt: skip
    change = {"disable_popup_flow": True, "oidc_flow": "implicit"}
    refused = [
        ({"assertion_consumer_service_url": "https://meet.test/api/v1/samlconsumer/idp-1"},
         "assertion_consumer_service_url"),
        ({"assertion_consumer_service_url2": "meet.test"}, "assertion_consumer_service_url2"),
        ({"oidc_jwks_url": ""}, "oidc_jwks_url"),
        ({"oidc_token_url": ""}, "oidc_token_url"),
        ({"idp_public_key": "no certificate"}, "idp_public_key"),
        ({"idp_type": "ldap"}, "idp_type"),
    ]  # fmt: skip
    list_queries = 4


class TestIdentityProviderGroup(ResourceSuite):
    name = "identity_provider_group"
    example = {"name": "Everybody"}
    change = {"description": "All providers"}
    refused = [({"identity_provider": ["/api/admin/configuration/v1/identity_provider/99/"]}, "identity_provider")]
    list_queries = 4


class TestPolicyServer(ResourceSuite):
    name = "policy_server"
    example = {"name": "Policy"}
    change = {
        "url": "https://policy.example.test/path",
        "enable_internal_service_policy": True,
        "internal_service_policy_template": '{"action": {% if call_info %}"continue"{% else %}"reject"{% endif %}}',
    }
    refused = [
        ({"url": "ftp://policy"}, "url"),
        ({"internal_service_policy_template": "{% if %}"}, "internal_service_policy_template"),
        ({"internal_media_location_policy_template": "x" * 49153}, "internal_media_location_policy_template"),
    ]
    list_queries = 3


class TestBreakInAllowListAddress(ResourceSuite):
    name = "break_in_allow_list_address"
    example = {"name": "Office", "address": "192.0.2.0", "prefix": 24}
    change = {"address": "2001:db8::", "prefix": 64, "allowlist_entry_type": "proxy"}
    refused = [({"prefix": 33}, "prefix"), ({"prefix": 0}, "prefix"), ({"address": "office.example"}, "address")]
    list_queries = 3


class TestEventSink(ResourceSuite):
    name = "event_sink"
    example = {"name": "Dashboard", "url": "https://events.example.test/"}
    change = {"version": 2, "events": [{"name": "conference_started"}], "filter_events": True, "username": None}
    refused = [
        ({"version": 3}, "version"),
        ({"url": "events"}, "url"),
        ({"events": [{"name": "weather"}]}, "events"),
        ({"restart_date": "yesterday"}, "restart_date"),
    ]
    list_queries = 3
    derived = frozenset({"updated_at"})


class TestScheduledScaling(ResourceSuite):
    name = "scheduled_scaling"
    example = {
        "policy_name": "Mornings",
        "policy_type": "TeamsConnectorScaling",
        "resource_identifier": "connector",
        "start_date": "2026-01-31",
        "time_from": "08:00:00",
        "time_to": "17:30:00",
    }
    change = {"local_timezone": "Europe/Oslo", "mon": True, "instances_to_add": 2}
    refused = [
        ({"local_timezone": "Europe/Atlantis"}, "local_timezone"),
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"time_to": "25:00:00"}, "time_to"),
        ({"instances_to_add": -1}, "instances_to_add"),
    ]
    list_queries = 3
    derived = frozenset({"updated"})


class TestWebappBranding(ResourceSuite):
    name = "webapp_branding"
    example = {"name": "Ours", "webapp_type": "webapp3", "branding_file": package(manifest__json=b"{}")}
    change = {"description": "By the designers", "webapp_type": "webapp2"}
    refused = [
        ({"webapp_type": "webapp9"}, "webapp_type"),
        ({"branding_file": None}, "branding_file"),
        ({"uuid": "another"}, "uuid"),
        ({"branding_file": "file.zip"}, "branding_file"),
    ]
    list_queries = 3

    def _create(self, api: Api, **more: Any) -> str:
        response = api.upload("POST", f"{self.name}/", {**self.example, **more})
        assert response.status_code == 201, response.content
        return response["Location"].removeprefix("http://testserver")


class TestWebappAlias(ResourceSuite):
    name = "webapp_alias"
    example = {"slug": "meet", "webapp_type": "webapp3"}
    change = {"is_enabled": True, "description": "Short"}
    refused = [
        ({"slug": "a/b"}, "slug"),
        ({"slug": "webapp3"}, "slug"),
        ({"webapp_type": "flash"}, "webapp_type"),
        ({"branding": f"{URI}/webapp_branding/none/"}, "branding"),
    ]
    list_queries = 3


class TestExternalWebappHost(ResourceSuite):
    name = "external_webapp_host"
    example = {"address": "apps.example.test"}
    change = {"address": "192.0.2.80"}
    refused = [({"address": "https://apps"}, "address"), ({"address": ""}, "address")]
    list_queries = 3


class TestRegistration:
    def test_one_row_that_can_be_changed_and_replaced(self, api: Api, browser: Any) -> None:
        path = "registration/1/"
        assert browser.get("/admin/configuration/registration/1/change/").status_code == 200
        before = api.read(path)
        assert (before["adaptive_max_refresh"], before["maximum_max_refresh"], before["natted_max_refresh"]) == (
            3600,
            300,
            90,
        )
        assert api("PATCH", path, {"refresh_strategy": "maximum"}).status_code == 202
        assert api("PUT", path, {"enable": False}).status_code == 204
        assert api.read(path) == {**before, "enable": False}
        for method, address in (("POST", "registration/"), ("DELETE", path)):
            assert api(method, address, {}).status_code == 405

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"natted_max_refresh": 3601}, "natted_max_refresh"),
            ({"adaptive_min_refresh": 59}, "adaptive_min_refresh"),
            ({"maximum_min_refresh": 400}, "maximum_max_refresh"),
            ({"refresh_strategy": "basic"}, "refresh_strategy"),
        ],
    )
    def test_limits(self, api: Api, body: dict[str, Any], field: str) -> None:
        response = api("PATCH", "registration/1/", body)
        assert response.status_code == 400
        assert list(response.json()["registration"]) == [field]


def test_the_build_of_the_web_app_is_described_and_can_be_selected(api: Api, browser: Any) -> None:
    (revision,) = api.list("software_bundle_revision/")
    assert (revision["bundle_type"], revision["core"], revision["version"]) == ("webapp3", True, rostra.__version__)
    (bundle,) = api.list("software_bundle/")
    assert bundle["selected_revision"] == revision["resource_uri"]
    assert api("PATCH", bundle["resource_uri"], {"selected_revision": None}).status_code == 202
    for method, path in (
        ("POST", "software_bundle/"),
        ("DELETE", bundle["resource_uri"]),
        ("PUT", bundle["resource_uri"]),
        ("PATCH", revision["resource_uri"]),
    ):
        assert api(method, path, {}).status_code == 405
    pages = "/admin/configuration/softwarebundle"
    assert browser.get(f"{pages}/1/change/").status_code == 200
    assert browser.get(f"{pages}revision/1/change/").status_code == 200
    assert b'name="version"' not in browser.get(f"{pages}revision/1/change/").content
    for page in (f"{pages}/add/", f"{pages}/1/delete/", f"{pages}revision/add/"):
        assert browser.get(page).status_code == 403, page


def test_there_is_one_default_path(api: Api) -> None:
    first = api.read("global/1/")["default_webapp_alias"]
    assert first == f"{URI}/webapp_alias/3/"
    path = api.create("webapp_alias", slug="meet", webapp_type="webapp3", is_default=True)
    assert api.read("global/1/")["default_webapp_alias"] == path
    assert not api.read(first)["is_default"]
    assert api("PATCH", path, {"is_default": False}).status_code == 400
    assert api("PATCH", "global/1/", {"default_webapp_alias": first}).status_code == 202
    assert (api.read(first)["is_default"], api.read(path)["is_default"]) == (True, False)


def test_a_theme_lets_go_of_services_without_deleting_them(api: Api) -> None:
    room, rule = f"{URI}/conference/1/", api.create("gateway_routing_rule", name="Out", priority=3, match_string="a")
    theme = api.create("ivr_theme", name="Blue", conference=[room], gateway_routing_rule=[rule])
    shown = api.read(room)["ivr_theme"]
    assert (shown["name"], shown["resource_uri"]) == ("Blue", theme)
    assert api.read(rule)["ivr_theme"]["resource_uri"] == theme
    assert api("PATCH", theme, {"conference": []}).status_code == 202
    assert api.read(room)["ivr_theme"] is None
    assert api.read(theme)["gateway_routing_rule"] == [rule]
    assert api("DELETE", theme).status_code == 204
    assert api.read(rule)["ivr_theme"] is None


@pytest.mark.spec("REF-013")
def test_a_theme_takes_a_package_and_says_when(api: Api, browser: Any) -> None:
    path = api.create("ivr_theme", name="Blue")
    before = api.read(path)["last_updated"]
    assert api.upload("PATCH", path, {"package": package(themeconfig__json=b"{}")}).status_code == 202
    uploaded = api.read(path)["last_updated"]
    assert uploaded > before
    assert api("PATCH", path, {"name": "Green"}).status_code == 202
    assert api.read(path)["last_updated"] == uploaded
    assert StoredFile.objects.count() == 1
    page = f"/admin/configuration/ivrtheme/{path.rstrip('/').rpartition('/')[2]}/change/"
    broken = {"name": "Green", "package": SimpleUploadedFile("x.zip", b"no zip")}
    assert "This is not a ZIP file." in browser.post(page, broken).content.decode()
    good = {"name": "Red", "package": SimpleUploadedFile("x.zip", package(**{"conf-getpin_48kHz_mono.wav": b""}))}
    assert browser.post(page, good).status_code == 302
    assert browser.post(page, {"name": "Red"}).status_code == 302, "without a new file the old one stays"
    assert [(theme.name, theme.package.name) for theme in IvrTheme.objects.exclude(package=None)] == [("Red", "x.zip")]
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("device", {"alias": "desk", "username": "desk"}),
        ("turn_server", {"name": "Relay", "address": "192.0.2.34"}),
    ],
)
def test_secrets_are_told_in_their_sealed_form_only(api: Api, resource: str, body: dict[str, str]) -> None:
    path = api.create(resource, **body, password="Geheim")
    sealed = api.read(path)["password"]
    assert sealed.startswith("$~!1")
    assert api("PATCH", path, {"password": sealed}).status_code == 202
    declared = register.get(resource)
    assert declared is not None
    assert reveal(declared.model._default_manager.get(), "password") == "Geheim"
    other = api.create("policy_server", name="Elsewhere")
    moved = api("PATCH", other, {"password": sealed})
    assert moved.status_code == 400, "sent to another place it would be told there"
