"""What the specification calls core of services, locations and nodes, where no other test names it."""

from __future__ import annotations

from typing import Any

import pytest

from rostra.configuration.models import WorkerVM

from .conftest import Api

NODE = {
    "name": "node9", "hostname": "node9", "domain": "example.com", "address": "10.0.0.9", "netmask": "255.255.255.0",
    "gateway": "10.0.0.254", "password": "nobody-logs-in",
}  # fmt: skip


def made(api: Api, resource: str, **body: Any) -> dict[str, Any]:
    return dict(api.read(api.create(resource, **body)))


def place(api: Api, name: str) -> dict[str, Any]:
    servers = {f"{kind}_servers": [f"/api/admin/configuration/v1/{kind}_server/1/"] for kind in ("dns", "ntp")}
    return made(api, "system_location", name=name, **servers)


@pytest.mark.spec("SVC-030", "SVC-039")
def test_layouts_of_new_services(api: Api) -> None:
    room = made(api, "conference", name="Room")
    assert (room["service_type"], room["host_view"]) == ("conference", "one_main_seven_pips")
    hall = made(api, "conference", name="Hall", service_type="lecture", host_view="two_mains_twentyone_pips")
    assert (hall["host_view"], hall["guest_view"] or "one_main_seven_pips") == (
        "two_mains_twentyone_pips",
        "one_main_seven_pips",
    )


@pytest.mark.spec("SVC-002", "SVC-066")
def test_services_and_their_aliases(api: Api) -> None:
    for kind in ("conference", "lecture", "two_stage_dialing", "test_call"):
        row = made(
            api, "conference", name=f"One {kind}", service_type=kind, aliases=[{"alias": f"{kind}.{n}"} for n in (1, 2)]
        )
        assert len(row["aliases"]) == 2
    taken = api("POST", "conference/", {"name": "Other", "aliases": [{"alias": "lecture.1"}]})
    assert taken.status_code == 400, "an alias belongs to one service"
    assert api("POST", "conference/", {"name": "Rule", "service_type": "gateway"}).status_code == 400
    rule = made(api, "gateway_routing_rule", name="Out", match_string=".*", priority=1)
    assert "aliases" not in rule


@pytest.mark.spec("SVC-069")
@pytest.mark.parametrize("alias", ["1234", "meet", "meet-alice.room-7", "meet.alice@example.com", "10.44.1.2"])
def test_aliases(api: Api, alias: str) -> None:
    row = made(api, "conference", name="Room", aliases=[{"alias": alias}])
    assert row["aliases"][0]["alias"] == alias


@pytest.mark.spec("SYS-132", "NODE-062")
def test_a_node_has_one_location_and_keeps_its_names(api: Api) -> None:
    homeless = api("POST", "worker_vm/", NODE)
    assert homeless.status_code == 400
    assert "system_location" in homeless.json()["worker_vm"]
    first, second = place(api, "A"), place(api, "B")
    path = api.create("worker_vm", **NODE, system_location=first["resource_uri"])
    assert api("PATCH", path, {"system_location": second["resource_uri"]}).status_code in (200, 202)
    for name in ("hostname", "domain"):
        api("PATCH", path, {name: "other"})
    row = api.read(path)
    assert row["system_location"] == second["resource_uri"]
    assert (row["hostname"], row["domain"]) == ("node9", "example.com")


@pytest.mark.spec("SYS-140", "SYS-146")
def test_what_calls_go_out_through_is_optional_and_one_of_many(api: Api) -> None:
    bare = place(api, "Bare")
    optional = (
        *("h323_gatekeeper", "sip_proxy", "mssip_proxy", "turn_server", "stun_server", "policy_server"),
        *("overflow_location1", "overflow_location2"),
    )
    assert {name: bare[name] for name in optional} == dict.fromkeys(optional)
    assert bare["snmp_network_management_system"] is None
    ways = {
        name: [made(api, name, name=f"{name} {n}", address=f"{n}.example.com")["resource_uri"] for n in "ab"]
        for name in ("h323_gatekeeper", "sip_proxy")
    }
    rule = made(api, "gateway_routing_rule", name="Out", match_string=".*", priority=1)
    for name, (_, chosen) in ways.items():
        for path in (bare["resource_uri"], rule["resource_uri"]):
            assert api("PATCH", path, {name: chosen}).status_code in (200, 202)
            assert api.read(path)[name] == chosen


@pytest.mark.spec("NODE-064", "NODE-065", "NODE-066", "NODE-081")
def test_nodes_in_the_site(api: Api, browser: Any) -> None:
    location = place(api, "A")["resource_uri"]
    path = api.create("worker_vm", **NODE, system_location=location)
    other = api.create(
        "worker_vm", **{**NODE, "name": "x", "hostname": "x", "address": "10.0.0.8"}, system_location=location
    )
    keys = [one.rstrip("/").rpartition("/")[2] for one in (path, other)]
    page = browser.get(f"/admin/configuration/workervm/{keys[0]}/change/").content.decode()
    for name in ("name", "description", "system_location", "maintenance_mode", "alternative_fqdn", "tls_certificate",
                 "ipv6_address", "ipv6_gateway", "static_nat_address", "static_routes", "snmp_mode"):  # fmt: skip
        assert f'name="{name}"' in page, name
    for name in ("address", "netmask", "gateway", "hostname", "domain", "enable_distributed_database"):
        assert f'name="{name}"' not in page, name
    for told in ("10.0.0.9", "255.255.255.0", "10.0.0.254", "node9", "example.com"):
        assert told in page
    assert api("PATCH", path, {"enable_distributed_database": False}).status_code in (200, 202)
    assert api.read(path)["enable_distributed_database"] is False
    form = {"action": "delete_selected", "_selected_action": keys}
    assert "I’m sure" in browser.post("/admin/configuration/workervm/", form).content.decode()
    assert WorkerVM.objects.filter(pk__in=keys).count() == 2, "not before it is confirmed"
    browser.post("/admin/configuration/workervm/", {**form, "post": "yes"})
    assert not WorkerVM.objects.filter(pk__in=keys).exists()
