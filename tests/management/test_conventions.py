"""The wire conventions of the management API, table by table (sheet 10, section 1)."""

from __future__ import annotations

import base64
import datetime
import re
from typing import Any
from urllib.parse import quote

import pytest
from django.http import QueryDict
from django.test import Client

from rostra.configuration.resources import register
from rostra.management.api import selection

from .conftest import BASE, Api

ALIAS = "conference_alias"


@pytest.fixture
def rooms(api: Api) -> Api:
    """Demo and the test call service, and 25 rooms with two aliases each."""
    for number in range(25):
        api.create(
            "conference",
            name=f"Room {number:02}",
            tag="Odd" if number % 2 else "even",
            participant_limit=number or None,
            aliases=[{"alias": f"room{number}@example.test"}, {"alias": f"{number + 100}", "description": "short"}],
        )
    return api


class TestRepresentation:
    def test_list_envelope(self, api: Api) -> None:
        body = api.read("conference/")
        assert set(body) == {"meta", "objects"}
        assert body["meta"] == {"limit": 20, "next": None, "offset": 0, "previous": None, "total_count": 2}

    def test_detail_is_the_bare_object_with_embedded_aliases(self, api: Api) -> None:
        body = api.read("conference/1/")
        assert body["name"] == "Demo"
        alias = body["aliases"][0]
        assert alias["alias"] == "meet.demo"
        assert alias["resource_uri"] == f"{BASE}{ALIAS}/1/"
        assert alias["conference"] == body["resource_uri"]
        assert set(alias) == set(api.read(f"{ALIAS}/1/"))

    def test_times_are_utc_without_saying_so(self, api: Api) -> None:
        text = api.read("conference/1/")["creation_time"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", text)
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        assert abs(now - datetime.datetime.fromisoformat(text)) < datetime.timedelta(hours=1)

    def test_root_lists_resources(self, api: Api) -> None:
        root = api.read(BASE)
        assert root["conference"] == {"list_endpoint": f"{BASE}conference/", "schema": f"{BASE}conference/schema/"}
        for entry in root.values():
            assert api("GET", entry["list_endpoint"]).status_code == 200
            assert api("GET", entry["schema"]).status_code == 200

    def test_schema(self, api: Api) -> None:
        schema = api.read("conference/schema/")
        assert schema["allowed_list_http_methods"] == ["get", "post", "patch", "delete"]
        assert schema["default_format"] == "application/json"
        assert schema["default_limit"] == 20
        assert schema["fields"]["name"] == {
            "blank": False,
            "help_text": "A name no other service has.",
            "nullable": False,
            "readonly": False,
            "type": "string",
            "unique": True,
        }
        assert schema["fields"]["aliases"]["related_type"] == "to_many"
        assert schema["fields"]["system_location"]["related_type"] == "to_one"
        assert schema["fields"]["participant_limit"]["type"] == "integer"
        assert schema["fields"]["creation_time"] | {"help_text": ""} == {
            "blank": True,
            "help_text": "",
            "nullable": False,
            "readonly": True,
            "type": "datetime",
            "unique": False,
        } | {"nullable": True}
        assert schema["fields"]["service_type"]["valid_choices"][:2] == ["conference", "lecture"]
        assert schema["filtering"]["name"] == 1
        assert schema["filtering"]["aliases"] == 2
        assert "name" in schema["ordering"]
        assert "aliases" not in schema["ordering"]


class TestAccess:
    def test_no_credentials(self, database: Any) -> None:
        response = Client().get(f"{BASE}conference/")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Basic realm=")

    @pytest.mark.parametrize(
        "header",
        [
            "Basic " + base64.b64encode(b"admin:wrong").decode(),
            "Basic !!!",
            "Basic " + base64.b64encode(b"no colon").decode(),
            "Basic " + base64.b64encode(b"\xff:\xff").decode(),
            "Basic " + base64.b64encode(b"a\x00b:c").decode(),
            "Token x",
            "Basic",
        ],
    )
    def test_wrong_credentials(self, api: Api, header: str) -> None:
        assert api("GET", "conference/", Authorization=header).status_code == 401

    def test_unknown_resource_needs_credentials_too(self, database: Any) -> None:
        assert Client().get(f"{BASE}nonsense/").status_code == 401

    def test_changed_password_counts_at_once(self, api: Api) -> None:
        from rostra.management.accounts.models import Account

        assert api("GET", "conference/").status_code == 200
        user = Account.objects.get(username="admin")
        user.set_password("another")
        user.save()
        assert api("GET", "conference/").status_code == 401

    def test_account_without_permission(self, api: Api) -> None:
        from . import people

        people.account("viewer", "use_api", "view_service")
        header = "Basic " + base64.b64encode(b"viewer:viewerviewer").decode()
        assert api("GET", "conference/", Authorization=header).status_code == 200
        assert api("POST", "conference/", {"name": "x"}, Authorization=header).status_code == 403
        assert api("GET", "system_location/", Authorization=header).status_code == 403

    def test_session_of_the_admin_site_reads_and_writes_with_token(self, browser: Client) -> None:
        assert browser.get(f"{BASE}conference/").status_code == 200
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = browser.cookies
        response = strict.post(f"{BASE}conference/", {"name": "x"}, content_type="application/json")
        assert response.status_code == 403


class TestPages:
    def test_next_and_previous_are_paths_that_keep_filters(self, rooms: Api) -> None:
        first = rooms.read("conference/?name__startswith=Room&order_by=-name")
        assert first["meta"]["total_count"] == 25
        assert first["meta"]["previous"] is None
        assert first["meta"]["next"].startswith(f"{BASE}conference/?")
        second = rooms.read(first["meta"]["next"])
        assert second["meta"]["offset"] == 20
        assert second["meta"]["next"] is None
        assert [room["name"] for room in second["objects"]] == [f"Room {number:02}" for number in range(4, -1, -1)]
        assert rooms.read(second["meta"]["previous"])["objects"] == first["objects"]

    @pytest.mark.parametrize(("limit", "shown", "count"), [("5", 5, 5), ("0", 10000, 27), ("20000", 10000, 27)])
    def test_limits(self, rooms: Api, limit: str, shown: int, count: int) -> None:
        body = rooms.read(f"conference/?limit={limit}")
        assert (body["meta"]["limit"], len(body["objects"])) == (shown, count)

    def test_beyond_the_end(self, rooms: Api) -> None:
        assert rooms.list("conference/?offset=999") == []

    @pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=-1", "offset=1.5", "limit=" + "9" * 30])
    def test_malformed(self, api: Api, query: str) -> None:
        response = api("GET", f"conference/?{query}")
        assert response.status_code == 400
        assert "error" in response.json()


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("name=Room 01", 1),
            ("name__exact=room 01", 0),
            ("name__iexact=room 01", 1),
            ("name__contains=oom", 25),
            ("name__contains=OOM", 0),
            ("name__icontains=OOM", 25),
            ("name__startswith=room", 0),
            ("name__istartswith=room", 25),
            ("name__endswith=4", 3),
            ("name__iendswith=O", 1),
            ("name__regex=^Room [01]0$", 2),
            ("name__iregex=^room [01]0$", 2),
            ("participant_limit__lt=3", 2),
            ("participant_limit__lte=3", 3),
            ("participant_limit__gt=22", 2),
            ("participant_limit__gte=22", 3),
            ("participant_limit__in=1,2,77", 2),
            ("participant_limit__range=5,7", 3),
            ("participant_limit__isnull=true", 3),
            ("participant_limit=None", 3),
            ("allow_guests=false", 27),
            ("allow_guests=True", 0),
            ("allow_guests=0", 27),
            ("aliases__alias=room7@example.test", 1),
            ("aliases__alias__icontains=EXAMPLE", 25),
            ("aliases__description=short", 25),
            ("aliases=1", 1),
            (f"aliases={BASE}conference_alias/1/", 1),
            ("name__startswith=Room&participant_limit__lt=3", 2),
            ("creation_time__gte=2020-01-01T00:00:00Z", 27),
            ("creation_time__lt=2020-01-01T00:00:00%2B02:00", 0),
            ("creation_time__gte=2020-01-01T00:00:00+02:00", 27),
            ("format=json", 27),
            ("unheard_of__icontains=x", 27),
            ("id=99999999999999999", 0),
        ],
    )
    def test_operators(self, rooms: Api, query: str, count: int) -> None:
        assert rooms.read("conference/?limit=0&" + quote(query, safe="=&%+"))["meta"]["total_count"] == count

    def test_relation_by_id_uri_and_traversal(self, rooms: Api) -> None:
        for query in ("conference=1", f"conference={BASE}conference/1/", "conference__name=Demo"):
            assert [alias["alias"] for alias in rooms.list(f"{ALIAS}/?{query}")] == ["meet.demo"]

    def test_many_filters_through_a_relation_cost_as_much_as_one(self, rooms: Api) -> None:
        query = QueryDict("&".join(["aliases__alias__contains=1", "aliases__description=short"] * 20))
        resource = register.get("conference")
        assert resource is not None
        assert str(selection.select(resource, query).query).count(" JOIN ") == 1
        assert rooms.read(f"conference/?{query.urlencode()}")["meta"]["total_count"] == 25

    def test_a_filter_does_not_go_round_in_circles(self, rooms: Api) -> None:
        round_about = "__conference__aliases" * 3
        assert rooms("GET", f"conference/?aliases{round_about}__alias=x").status_code == 400

    def test_rows_found_through_several_related_rows_come_once(self, rooms: Api) -> None:
        assert rooms.read("conference/?aliases__alias__contains=1&name=Room 01")["meta"]["total_count"] == 1

    @pytest.mark.parametrize(
        "query",
        [
            "enable_fecc_is_no_field=1&host_view=x",
            "name__near=x",
            "name__icontains__exact=x",
            "participant_limit=many",
            "participant_limit__range=1",
            "allow_guests=maybe",
            "creation_time__gte=yesterday",
            "name__regex=(",
            "aliases=x",
            "aliases__alias__near=x",
            "name=%00",
            "order_by=host_view",
            "order_by=nonsense",
            "order_by=aliases",
        ],
    )
    def test_malformed(self, api: Api, query: str) -> None:
        response = api("GET", f"conference/?{query}")
        assert response.status_code == 400
        assert isinstance(response.json()["error"], str)

    def test_order(self, rooms: Api) -> None:
        found = rooms.list("conference/?name__startswith=Room&order_by=tag&order_by=-name&limit=0")
        assert [room["name"] for room in found] == [
            *(f"Room {number:02}" for number in range(23, 0, -2)),
            *(f"Room {number:02}" for number in range(24, -1, -2)),
        ]


class TestWrites:
    def test_create_answers_with_location_and_no_body(self, api: Api) -> None:
        response = api("POST", "conference/", {"name": "Board", "unheard_of": 1, "id": 77})
        assert response.status_code == 201
        assert response.content == b""
        assert re.search(r"/api/admin/configuration/v1/conference/(\d+)/$", response["Location"])
        assert not response["Location"].endswith("/77/")

    def test_nested_objects_are_one_transaction(self, api: Api) -> None:
        body = {"name": "Board", "aliases": [{"alias": "board"}, {"alias": "meet.demo"}]}
        response = api("POST", "conference/", body)
        assert response.status_code == 400
        assert response.json() == {"conference": {"aliases": ["alias: Alias with this Alias already exists."]}}
        assert api.list("conference/?name=Board") == []
        assert api.list(f"{ALIAS}/?alias=board") == []

    def test_conference_described_within_its_alias(self, api: Api) -> None:
        path = api.create(ALIAS, alias="new", conference={"name": "New"})
        assert api.list("conference/?name=New")[0]["aliases"][0]["resource_uri"] == path

    def test_patched_relation_is_replaced_as_a_whole(self, api: Api) -> None:
        path = api.create("conference", name="Board", aliases=[{"alias": "a"}, {"alias": "b"}])
        kept = api.read(path)["aliases"][1]
        change = {
            "aliases": [
                kept["resource_uri"],
                {"alias": "c"},
                {"resource_uri": f"{BASE}{ALIAS}/1/", "description": "moved"},
            ]
        }
        assert api("PATCH", path, change).status_code == 202
        found = {alias["alias"]: alias for alias in api.read(path)["aliases"]}
        assert set(found) == {"b", "c", "meet.demo"}
        assert found["b"] == kept
        assert found["meet.demo"]["description"] == "moved"
        assert api.list(f"{ALIAS}/?alias=a") == []
        assert api.read("conference/1/")["aliases"] == []

    def test_many_to_many_by_uri(self, api: Api) -> None:
        path = api.create("automatic_participant", alias="bob", conference=[f"{BASE}conference/1/"])
        assert api.read(path)["conference"] == [f"{BASE}conference/1/"]
        assert api.read("conference/1/")["automatic_participants"][0]["alias"] == "bob"
        assert api("PATCH", "conference/1/", {"automatic_participants": []}).status_code == 202
        assert api.read(path)["conference"] == []

    def test_aliases_go_with_their_conference(self, api: Api) -> None:
        assert api("DELETE", "conference/1/").status_code == 204
        assert api("GET", f"{ALIAS}/1/").status_code == 404

    def test_bulk(self, api: Api) -> None:
        body = {
            "objects": [{"name": "New"}, {"resource_uri": f"{BASE}conference/1/", "tag": "old"}],
            "deleted_objects": [f"{BASE}conference/2/"],
        }
        response = api("PATCH", "conference/", body)
        assert (response.status_code, response.content) == (202, b"")
        assert {(room["name"], room["tag"]) for room in api.list("conference/")} == {("Demo", "old"), ("New", "")}

    def test_bulk_is_all_or_nothing(self, api: Api) -> None:
        body = {"objects": [{"name": "New"}, {"name": "Demo"}], "deleted_objects": [f"{BASE}conference/2/"]}
        assert api("PATCH", "conference/", body).status_code == 400
        assert [room["name"] for room in api.list("conference/?order_by=name")] == ["Demo", "Test Call Service"]

    def test_delete_list_obeys_filters(self, rooms: Api) -> None:
        assert rooms("DELETE", "conference/?tag=even").status_code == 204
        assert rooms.read("conference/")["meta"]["total_count"] == 14
        assert rooms("DELETE", "conference/?tga=Odd").status_code == 400
        assert rooms.read("conference/")["meta"]["total_count"] == 14
        assert rooms("DELETE", "conference/").status_code == 204
        assert rooms.list(f"{ALIAS}/") == []

    def test_location_in_use_stays(self, api: Api) -> None:
        response = api("DELETE", "system_location/1/")
        assert response.status_code == 400
        assert "node1" in response.json()["system_location"]["__all__"][0]


class TestErrors:
    def test_message_of_a_taken_name(self, api: Api) -> None:
        response = api("POST", "conference/", {"name": "Demo"})
        assert response.json() == {"conference": {"name": ["Virtual Meeting Room with this Name already exists."]}}

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 100000, b'{"name": "\\ud800"}', b"null"]
    )
    def test_bad_bodies(self, api: Api, body: bytes) -> None:
        assert api("POST", "conference/", body).status_code == 400

    @pytest.mark.parametrize("body", [{}, {"objects": 1}, {"objects": [1]}, {"objects": [], "deleted_objects": [1]}])
    def test_bad_bulk(self, api: Api, body: Any) -> None:
        assert api("PATCH", "conference/", body).status_code == 400

    def test_other_content_types(self, api: Api, browser: Client) -> None:
        response = browser.post(f"{BASE}conference/", {"name": "x"})
        assert response.status_code == 415

    def test_unknown_things_are_not_found_and_say_nothing(self, api: Api) -> None:
        for path in (
            "conference/999/",
            "conference/99999999999999999999999/",
            "nonsense/",
            "nonsense/1/",
            "conference/abc/",
            "../../other/v1/",
        ):
            response = api("GET", path)
            assert (response.status_code, response.content) == (404, b"")

    @pytest.mark.parametrize(
        ("method", "path"), [("PUT", "conference/"), ("POST", "conference/1/"), ("TRACE", "global/")]
    )
    def test_methods(self, api: Api, method: str, path: str) -> None:
        response = api(method, path, {})
        assert (response.status_code, response.content) == (405, b"")
        assert "GET" in response["Allow"]

    def test_missing_slash_is_not_accepted_silently(self, api: Api) -> None:
        assert api("GET", "conference").status_code == 301
        assert api("POST", "conference", {"name": "x"}).status_code in (301, 404)
        assert api.list("conference/?name=x") == []

    def test_pins_are_judged_by_the_product_rules(self, api: Api) -> None:
        response = api("POST", "conference/", {"name": "x", "pin": "1234", "allow_guests": True, "guest_pin": "567"})
        assert list(response.json()["conference"]) == ["guest_pin"]
