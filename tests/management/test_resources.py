"""Every declared resource, by the common suite."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from rostra.configuration.resources import register

from .conftest import Api
from .resource_suite import ResourceSuite

URI = "/api/admin/configuration/v1"
SINGLETONS = {
    "global": "one row, neither created nor deleted; tested below",
    "management_vm": "one row as well; in test_system.py",
    "authentication": "one row as well; in test_resources_accounts.py",
    "autobackup": "one row as well; in test_system.py",
    "registration": "one row as well; in test_resources_services.py",
}
READ_ONLY = {
    "licence": "made from signed files only; in licences/test_resources.py",
    "licence_request": "the same",
    "permission": "a fixed list; in test_resources_accounts.py",
    "system_backup": "files made by a command; in backups/test_keeping.py",
    "software_bundle": "what the web app's build tells; in test_resources_services.py",
    "software_bundle_revision": "the same",
}
ELSEWHERE = (
    "test_resources_accounts",
    "test_resources_certificates",
    "test_resources_services",
    "test_resources_system",
)
"""Modules with more of these suites."""


class TestSystemLocation(ResourceSuite):
    name = "system_location"
    example = {"name": "Oslo"}
    change = {"mtu": 1400, "description": "North", "media_qos": None, "bdpm_pin_checks_enabled": "OFF"}
    refused = [
        ({"mtu": 511}, "mtu"),
        ({"mtu": "many"}, "mtu"),
        ({"media_qos": 64}, "media_qos"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 251}, "name"),
        ({"name": "Default"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"overflow_location1": "/api/admin/configuration/v1/conference/1/"}, "overflow_location1"),
        ({"overflow_location1": "/api/admin/configuration/v1/system_location/999/"}, "overflow_location1"),
        ({"bdpm_pin_checks_enabled": "MAYBE"}, "bdpm_pin_checks_enabled"),
        ({"use_relay_candidates_only": "perhaps"}, "use_relay_candidates_only"),
        ({"dns_servers": []}, "dns_servers"),
        ({"ntp_servers": []}, "ntp_servers"),
        ({"local_mssip_domain": "no domain"}, "local_mssip_domain"),
    ]
    list_queries = 9

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"dns_servers": [f"{URI}/dns_server/1/"], "ntp_servers": [f"{URI}/ntp_server/1/"]}


class TestWorkerVM(ResourceSuite):
    name = "worker_vm"
    derived = frozenset({"transcoding"})
    example = {
        "name": "second",
        "hostname": "second",
        "domain": "example.test",
        "address": "10.0.0.2",
        "netmask": "255.255.255.0",
        "gateway": "10.0.0.1",
        "password": "hidden",
    }
    change = {"maintenance_mode": True, "node_type": "PROXYING", "static_nat_address": "192.0.2.7"}
    refused = [
        ({"address": "10.0.0"}, "address"),
        ({"vm_cpu_count": 1}, "vm_cpu_count"),
        ({"system_location": None}, "system_location"),
        ({"name": "x" * 33}, "name"),
        ({"secondary_address": "10.1.0.1"}, "secondary_address"),
        ({"hostname": "third"}, "hostname"),
        ({"ipv6_address": "10.0.0.1"}, "ipv6_address"),
        ({"ipv6_gateway": "2001:db8::1"}, "ipv6_address"),
        ({"vm_system_memory": 4097}, "vm_system_memory"),
        ({"snmp_privacy_password": "seven77"}, "snmp_privacy_password"),
        ({"alternative_fqdn": "no name"}, "alternative_fqdn"),
    ]
    list_queries = 5

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"system_location": "/api/admin/configuration/v1/system_location/1/"}


class TestConference(ResourceSuite):
    name = "conference"
    example = {"name": "Board"}
    change = {
        "pin": "1234",
        "allow_guests": True,
        "guest_pin": "5678",
        "participant_limit": 9,
        "host_view": "one_main_zero_pips",
    }
    refused = [
        ({"name": "Demo"}, "name"),
        ({"service_type": "lecture"}, "service_type"),
        ({"service_type": "nonsense"}, "service_type"),
        ({"max_callrate_in": 127}, "max_callrate_in"),
        ({"participant_limit": -1}, "participant_limit"),
        ({"host_view": "everybody"}, "host_view"),
        ({"primary_owner_email_address": "nobody"}, "primary_owner_email_address"),
        ({"match_string": "("}, "match_string"),
        ({"pin": "12"}, "pin"),
        ({"guest_pin": "1234"}, "guest_pin"),
        ({"allow_guests": True}, "allow_guests"),
        ({"aliases": [{"alias": "MEET.DEMO"}]}, "aliases"),
        ({"aliases": "meet"}, "aliases"),
        ({"aliases": [7]}, "aliases"),
    ]
    list_queries = 5


class TestConferenceAlias(ResourceSuite):
    name = "conference_alias"
    example = {"alias": "board@example.test", "conference": "/api/admin/configuration/v1/conference/1/"}
    change = {"alias": "Board", "description": "short"}
    refused = [
        ({"alias": "Meet.Demo"}, "alias"),
        ({"alias": "two words"}, "alias"),
        ({"alias": ""}, "alias"),
        ({"conference": None}, "conference"),
        ({"conference": 7}, "conference"),
    ]
    list_queries = 3


class TestAutomaticParticipant(ResourceSuite):
    name = "automatic_participant"
    example = {"alias": "sip:bob@example.test"}
    change = {"protocol": "h323", "dtmf_sequence": "12,,#", "streaming": True}
    refused = [
        ({"protocol": "carrier pigeon"}, "protocol"),
        ({"dtmf_sequence": "abc"}, "dtmf_sequence"),
        ({"conference": ["/api/admin/configuration/v1/conference/999/"]}, "conference"),
    ]
    list_queries = 4


def test_every_resource_has_tests() -> None:
    for module in ELSEWHERE:
        importlib.import_module(f"{__package__}.{module}")
    modules = {__name__, *(f"{__package__}.{module}" for module in ELSEWHERE)}
    tested = {suite.name for suite in ResourceSuite.__subclasses__() if suite.__module__ in modules}
    assert {resource.name for resource in register} - set(SINGLETONS) - set(READ_ONLY) == tested
    assert all(SINGLETONS.values())
    assert {resource.name for resource in register if resource.singleton} == set(SINGLETONS)


def test_every_field_has_a_help_text_and_a_label() -> None:
    for resource in register:
        for field in resource.fields:
            assert field.primary_key or (field.help_text and field.verbose_name), f"{resource.name}.{field.name}"


class TestGlobal:
    def test_one_row_that_can_only_be_changed(self, api: Api) -> None:
        assert api.read("global/")["meta"]["total_count"] == 1
        assert api("PATCH", "global/1/", {"guests_only_timeout": 5}).status_code == 202
        assert api.read("global/1/")["guests_only_timeout"] == 5
        for method, path in (("POST", "global/"), ("DELETE", "global/"), ("DELETE", "global/1/")):
            response = api(method, path, {})
            assert response.status_code == 405
            assert response["Allow"] in ("GET", "GET, PATCH")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"eject_last_participant_backstop_timeout": 59}, "eject_last_participant_backstop_timeout"),
            ({"media_ports_start": 49000, "media_ports_end": 49098}, "media_ports_end"),
            ({"disabled_codecs": ["VP9"]}, "disabled_codecs"),
            ({"disabled_codecs": {}}, "disabled_codecs"),
            ({"pin_entry_timeout": 29}, "pin_entry_timeout"),
            ({"signalling_ports_start": 39000, "signalling_ports_end": 38999}, "signalling_ports_end"),
            ({"signalling_ports_end": 40000}, "media_ports_start"),
            ({"management_qos": 64}, "management_qos"),
            ({"site_banner_bg": "red"}, "site_banner_bg"),
            ({"management_start_page": "//elsewhere.test/"}, "management_start_page"),
            ({"ocsp_state": "OVERRIDE"}, "ocsp_responder_url"),
            ({"contact_email_address": "nobody"}, "contact_email_address"),
        ],
    )
    def test_limits(self, api: Api, body: dict[str, Any], field: str) -> None:
        response = api("PATCH", "global/1/", body)
        assert response.status_code == 400
        assert list(response.json()["global"]) == [field]

    def test_admin_menu_leads_to_the_form(self, browser: Any) -> None:
        response = browser.get("/admin/configuration/globalsettings/")
        assert response.url == "/admin/configuration/globalsettings/1/change/"
        assert browser.get(response.url).status_code == 200
