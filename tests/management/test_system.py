"""The Management Node, locations and nodes: rules between objects, and what a first start supplies."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
from typing import Any

import pytest

from rostra.configuration import sealing
from rostra.configuration.models import (
    AutoBackup,
    DnsServer,
    GlobalSettings,
    ManagementVM,
    NtpServer,
    StunServer,
    SystemLocation,
    WorkerVM,
)
from rostra.configuration.resources import register
from rostra.configuration.secretfield import reveal
from rostra.management import csvfiles, prepare
from rostra.management.seeding import CLOCKS, _hostname

from .conftest import BASE, ENVIRONMENT, Api

DNS, NTP = f"{BASE}dns_server/", f"{BASE}ntp_server/"
NODE = {
    "hostname": "second", "domain": "example.test", "address": "10.0.0.2", "netmask": "255.255.255.0",
    "gateway": "10.0.0.1", "password": "hidden", "system_location": f"{BASE}system_location/1/",
}  # fmt: skip


def problems(response: Any, resource: str) -> dict[str, list[str]]:
    assert response.status_code == 400, response.content
    return response.json()[resource]


def add_node(api: Api, name: str = "second", **values: Any) -> Any:
    return api("POST", "worker_vm/", {"name": name, **NODE, **values})


class TestFirstStart:
    @pytest.mark.spec("SYS-007", "SYS-009", "SYS-139", "SYS-145", "SYS-169")
    def test_location_and_manager_have_what_they_need(self, api: Api) -> None:
        location = api.read("system_location/1/")
        manager = api.read("management_vm/1/")
        assert [server["address"] for server in location["ntp_servers"]] == list(CLOCKS)
        assert location["dns_servers"]
        assert {name: manager[name] for name in ("dns_servers", "ntp_servers")} == {
            name: location[name] for name in ("dns_servers", "ntp_servers")
        }
        (stun,) = (api.read(uri) for uri in location["client_stun_servers"])
        assert (stun["address"], stun["port"]) == ("stun.l.google.com", 19302)
        assert api.read("global/1/")["default_theme"]["name"] == "Rostra theme (English_US)"
        assert api.read(api.read("global/1/")["default_webapp_alias"])["is_default"] is True

    @pytest.mark.spec("SYS-090", "SYS-091")
    def test_the_manager_is_named_by_its_machine_and_follows_it(self, api: Api) -> None:
        first = api.read("management_vm/1/")
        host = socket.gethostname().partition(".")[0].lower()
        assert first["hostname"] == host
        assert first["name"] == f"{host}.{first['domain']}"[:32]
        assert api("PATCH", "management_vm/1/", {"name": "Boss", "address": "10.9.9.9"}).status_code == 202
        prepare.prepare(dataclasses.replace(ENVIRONMENT, address="127.0.0.77"))
        second = api.read("management_vm/1/")
        assert (second["name"], second["address"], second["netmask"]) == ("Boss", "127.0.0.77", "255.0.0.0")

    def test_what_was_deleted_does_not_come_back(self, api: Api) -> None:
        for uri in (row["resource_uri"] for row in api.list("ntp_server/")[1:]):
            assert api("DELETE", uri).status_code == 204
        prepare.prepare(ENVIRONMENT)
        assert api.read("ntp_server/")["meta"]["total_count"] == 1

    @pytest.mark.parametrize(
        ("name", "hostname"), [("Web_1", "web-1"), ("4711", "node4711"), ("", "node"), ("x" * 70, "x" * 63)]
    )
    def test_machines_may_be_called_anything(self, name: str, hostname: str) -> None:
        assert _hostname(name) == hostname


class TestManagementNode:
    def test_there_is_one_and_it_stays(self, api: Api) -> None:
        for method, path in (("POST", "management_vm/"), ("DELETE", "management_vm/"), ("DELETE", "management_vm/1/")):
            (message,) = problems(api(method, path, {"name": "another"}), "management_vm")["__all__"]
            assert "exactly one Management Node" in message
        assert api("PUT", "management_vm/1/", {"name": "x"}).status_code == 405
        assert ManagementVM.objects.count() == 1

    @pytest.mark.spec("SYS-089")
    def test_what_can_be_changed(self, api: Api) -> None:
        route = api.create("static_route", name="Lab", address="10.1.0.0", prefix=16, gateway="10.0.0.1")
        body = {"description": "rack 1", "mtu": 1400, "ipv6_address": "2001:db8::1", "ipv6_gateway": "fe80::1"}
        assert api("PATCH", "management_vm/1/", {**body, "static_routes": [route]}).status_code == 202
        after = api.read("management_vm/1/")
        assert {name: after[name] for name in body} == body
        assert [found["resource_uri"] for found in after["static_routes"]] == [route]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"dns_servers": []}, "dns_servers"),
            ({"ntp_servers": []}, "ntp_servers"),
            ({"mtu": 1501}, "mtu"),
            ({"ipv6_address": None, "ipv6_gateway": "fe80::1"}, "ipv6_address"),
            ({"snmp_mode": "AUTHPRIV", "snmp_username": "u", "snmp_privacy_password": "8 or more"},
             "snmp_authentication_password"),
        ],
    )  # fmt: skip
    def test_limits(self, api: Api, body: dict[str, Any], field: str) -> None:
        assert list(problems(api("PATCH", "management_vm/1/", body), "management_vm")) == [field]

    def test_its_page(self, browser: Any) -> None:
        page = "/admin/configuration/managementvm/"
        assert browser.get(page).url == f"{page}1/change/"
        assert browser.get(f"{page}1/change/").status_code == 200
        assert browser.get(f"{page}add/").status_code == 403


class TestLocation:
    @pytest.mark.spec("SYS-139")
    def test_name_servers_and_clocks_are_required(self, api: Api) -> None:
        found = problems(api("POST", "system_location/", {"mtu": 1}), "system_location")
        assert set(found) == {"name", "mtu", "dns_servers", "ntp_servers"}
        path = api.create("system_location", name="Oslo", dns_servers=[f"{DNS}1/"], ntp_servers=[{"address": "a.test"}])
        assert [server["address"] for server in api.read(path)["ntp_servers"]] == ["a.test"]
        assert api.read("system_location/schema/")["fields"]["dns_servers"]["nullable"] is False

    @pytest.mark.spec("SYS-139")
    def test_csv_and_site_require_them_as_well(self, api: Api, browser: Any) -> None:
        with pytest.raises(csvfiles.Rejected) as rejected:
            csvfiles.load(register.of(SystemLocation), b"name,mtu\r\nOslo,1500\r\n")
        assert (rejected.value.problems[0].column, rejected.value.problems[0].message) == (
            "dns_servers",
            "Give one at least.",
        )
        form = {"name": "Oslo", "mtu": "1500", "bdpm_pin_checks_enabled": "GLOBAL"}
        page = browser.post("/admin/configuration/systemlocation/add/", form).content.decode()
        assert "dns_servers" in page
        assert not SystemLocation.objects.filter(name="Oslo").exists()

    @pytest.mark.spec("SYS-145")
    def test_web_clients_get_the_shipped_stun_server_unless_it_says_otherwise(self, api: Api) -> None:
        needed: dict[str, Any] = {"dns_servers": [f"{DNS}1/"], "ntp_servers": [f"{NTP}1/"]}
        shipped = StunServer.objects.get()
        path = api.create("system_location", name="Oslo", **needed)
        assert api.read(path)["client_stun_servers"] == [f"{BASE}stun_server/{shipped.pk}/"]
        assert api("PATCH", path, {"client_stun_servers": []}).status_code == 202
        assert api("PATCH", path, {"mtu": 1400}).status_code == 202
        assert api.read(path)["client_stun_servers"] == []
        path = api.create("system_location", name="Bergen", client_stun_servers=[], **needed)
        assert api.read(path)["client_stun_servers"] == []

    @pytest.mark.spec("SYS-005", "SYS-006")
    def test_a_server_that_somebody_needs_stays(self, api: Api, browser: Any) -> None:
        only = api.create("dns_server", address="192.0.2.53")
        api.create("system_location", name="Oslo", dns_servers=[only], ntp_servers=[f"{NTP}1/"])
        for method, path in (("DELETE", only), ("DELETE", "dns_server/?address=192.0.2.53"), ("DELETE", "dns_server/")):
            (message,) = problems(api(method, path), "dns_server")["__all__"]
            assert "Oslo" in message
            assert "would be left without DNS servers" in message
        key = DnsServer.objects.get(address="192.0.2.53").pk
        page = browser.post(f"/admin/configuration/dnsserver/{key}/delete/", {"post": "yes"})
        assert "Oslo would be left without DNS servers" in page.content.decode()
        spare = api.create("dns_server", address="192.0.2.54")
        assert api("PATCH", "system_location/2/", {"dns_servers": [only, spare]}).status_code == 202
        assert api("DELETE", only).status_code == 204

    def test_it_does_not_overflow_to_itself(self, api: Api) -> None:
        own = f"{BASE}system_location/1/"
        for name in ("overflow_location1", "overflow_location2"):
            assert list(problems(api("PATCH", own, {name: own}), "system_location")) == [name]
            assert api("PATCH", own, {name: None}).status_code == 202


class TestNode:
    @pytest.mark.spec("NODE-002", "NODE-003")
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"name": "node1"}, "name"),
            ({"hostname": "THIRD", "domain": "other.test"}, "hostname"),
            ({"address": "10.0.0.3"}, "address"),
            ({"ipv6_address": "2001:DB8::0003"}, "ipv6_address"),
            ({"alternative_fqdn": "SIP.example.test"}, "alternative_fqdn"),
            ({"hostname": "4711"}, "hostname"),
            ({"netmask": "255.0.255.0"}, "netmask"),
        ],
    )
    def test_names_and_addresses_are_its_own(self, api: Api, values: dict[str, Any], field: str) -> None:
        third = {"hostname": "third", "address": "10.0.0.3", "ipv6_address": "2001:db8::3"}
        assert add_node(api, "third", **third, alternative_fqdn="sip.example.test").status_code == 201
        assert list(problems(add_node(api, **{"name": "second", **values}), "worker_vm")) == [field]

    @pytest.mark.spec("NODE-002")
    def test_the_managers_hostname_is_taken_but_on_its_own_machine(self, api: Api) -> None:
        taken = api.read("management_vm/1/")["hostname"].upper()
        assert list(problems(add_node(api, hostname=taken), "worker_vm")) == ["hostname"]
        beside = api.read("worker_vm/1/")
        assert beside["hostname"] == taken.lower()
        assert api("PATCH", "worker_vm/1/", {"description": "beside it"}).status_code == 202

    def test_two_nodes_without_sip_tls_name_or_ipv6_get_along(self, api: Api) -> None:
        assert add_node(api).status_code == 201
        assert add_node(api, "third", hostname="third", address="10.0.0.3").status_code == 201

    @pytest.mark.spec("NODE-010")
    def test_what_it_was_deployed_with_stays(self, api: Api, browser: Any) -> None:
        made = add_node(api, secondary_address="10.5.0.2", secondary_netmask="255.255.0.0")
        path = made["Location"].removeprefix("http://testserver")
        before = api.read(path)
        for name, value in (
            *(("hostname", "other"), ("domain", "other.test"), ("address", "10.0.0.9"), ("netmask", "255.0.0.0")),
            *(("gateway", "10.0.0.9"), ("secondary_address", None), ("secondary_netmask", "255.0.0.0")),
        ):
            assert list(problems(api("PATCH", path, {name: value}), "worker_vm")) == [name]
        assert api("PUT", path, {"name": "renamed", **NODE}).status_code == 204
        assert api.read(path) == {**before, "name": "renamed"}
        page = browser.get(f"/admin/configuration/workervm/{before['id']}/change/").content.decode()
        assert 'name="hostname"' not in page
        assert 'name="description"' in page


class TestSecrets:
    def test_passwords_are_kept_sealed(self, api: Api) -> None:
        assert add_node(api, snmp_privacy_password="8 or more").status_code == 201
        row = WorkerVM.objects.get(name="second")
        body = api.read(f"worker_vm/{row.pk}/")
        assert "password" not in body
        assert body["snmp_privacy_password"] == row.snmp_privacy_password
        for name, value in (("password", "hidden"), ("snmp_privacy_password", "8 or more")):
            assert sealing.is_sealed(getattr(row, name))
            assert reveal(row, name) == value
        again = {"snmp_privacy_password": body["snmp_privacy_password"]}
        assert api("PATCH", f"worker_vm/{row.pk}/", again).status_code == 202
        row.refresh_from_db()
        assert reveal(row, "snmp_privacy_password") == "8 or more"

    def test_settings_hold_no_plain_secret(self, api: Api) -> None:
        names = ("legacy_api_password", "aws_secret_key", "azure_secret", "gcp_private_key")
        assert api("PATCH", "global/1/", dict.fromkeys(names, "mine")).status_code == 202
        row = GlobalSettings.objects.get()
        assert {reveal(row, name) for name in names} == {"mine"}
        assert all(sealing.is_sealed(api.read("global/1/")[name]) for name in names)

    @pytest.mark.spec("SYS-013")
    def test_of_a_key_for_clocks_only_the_digest_is_kept(self, api: Api) -> None:
        path = api.create("ntp_server", address="clock.test", key_id=7, key="in the clear")
        row = NtpServer.objects.get(address="clock.test")
        digest = hashlib.sha1(b"in the clear").hexdigest()
        assert reveal(row, "key") == digest
        assert api("PATCH", path, {"key": api.read(path)["key"], "description": "same key"}).status_code == 202
        row.refresh_from_db()
        assert reveal(row, "key") == digest


class TestAutoBackup:
    def test_one_row_that_can_only_be_changed(self, api: Api) -> None:
        body = {"autobackup_interval": 6, "autobackup_enabled": True, "autobackup_passphrase": "open sesame"}
        assert api("PATCH", "autobackup/1/", body).status_code == 202
        assert reveal(AutoBackup.objects.get(), "autobackup_passphrase") == "open sesame"
        for method, path in (("POST", "autobackup/"), ("DELETE", "autobackup/1/")):
            assert api(method, path, {}).status_code == 405

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"autobackup_enabled": True}, "autobackup_passphrase"),
            ({"autobackup_interval": 25}, "autobackup_interval"),
            ({"autobackup_start_hour": 24}, "autobackup_start_hour"),
            ({"autobackup_upload_url": "https://files.test/"}, "autobackup_upload_url"),
        ],
    )
    def test_limits(self, api: Api, body: dict[str, Any], field: str) -> None:
        assert list(problems(api("PATCH", "autobackup/1/", body), "autobackup")) == [field]


def test_keys_of_a_node_and_nodes_of_a_key_are_one_relation(api: Api) -> None:
    key = api.create(
        "ssh_authorized_key",
        keytype="ssh-ed25519",
        key="AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        comment="ada",
        nodes=[f"{BASE}worker_vm/1/"],
    )
    assert api.read("worker_vm/1/")["ssh_authorized_keys"] == [key]
    assert api("PATCH", "worker_vm/1/", {"ssh_authorized_keys": []}).status_code == 202
    assert api.read(key)["nodes"] == []


@pytest.mark.every_database
def test_addresses_are_found_in_any_form_and_nothing_else_is_looked_for(api: Api) -> None:
    api.create("dns_server", address="2001:db8::53")
    for query, count in (
        *(("address=2001:DB8:0::0053", 1), ("address=10.9.9.9", 0), ("address__in=2001:db8::53,10.9.9.9", 1)),
        *(("address__startswith=2001:db8", 1), ("address__icontains=no address", 0), ("address__isnull=true", 0)),
    ):
        assert api.read(f"dns_server/?{query}")["meta"]["total_count"] == count, query
    for query in ("address=nowhere", "address__lt=x", "address__in=10.9.9.9,x"):
        assert api("GET", f"dns_server/?{query}").status_code == 400, query
