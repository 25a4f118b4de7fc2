"""What a service is: its kind, aliases, tag and PINs, by the API and on its page, and what a node makes of that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.dialplan.resolve import resolve
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol
from rostra.node.services import service_of
from tests.management.filling import fill

from .conftest import Api
from .test_essentials import made

KINDS = ("conference", "lecture", "two_stage_dialing", "test_call")


class Node:
    """Finds services as a node does; the tables are those of the Management Node."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def find(self, dialled: str, protocol: CallProtocol = CallProtocol.SIP) -> Service | None:
        lookup = Lookup(self._own())
        settings = lookup.global_settings()

        def look(alias: str) -> Service | None:
            row = lookup.find_alias(alias)
            return service_of(row, settings) if row else None

        found = resolve(dialled, look, protocol)
        lookup.close()
        return found.service if found else None

    def _own(self) -> Path:
        """A node's database is SQLite, whatever the Management Node has."""
        if self._database.exists():
            return self._database
        path = self._database.with_name("node.db")
        replica = Replica(path)
        fill(replica)
        replica.close()
        return path

    def name(self, dialled: str) -> str | None:
        found = self.find(dialled)
        return found.description.name if found else None


@pytest.fixture
def node(database: Path) -> Node:
    return Node(database)


@pytest.mark.spec("SVC-009")
@pytest.mark.parametrize("kind", KINDS)
def test_a_service_stays_what_it_is(api: Api, browser: Any, kind: str) -> None:
    path = api.create("conference", name="Room", service_type=kind)
    for other in KINDS:
        api("PATCH", path, {"service_type": other, "description": other})
        assert api.read(path)["service_type"] == kind
        api("PUT", path, {**api.read(path), "service_type": other})
        assert api.read(path)["service_type"] == kind


@pytest.mark.spec("SVC-010", "CONF-077", "SVC-011", "CONF-007")
def test_an_alias_goes_from_one_service_to_another(api: Api, node: Node) -> None:
    forms = ["meet.ada@example.com", "meet.ada", "5551234", "5551234@example.com"]
    old = made(api, "conference", name="Old", aliases=[{"alias": alias} for alias in forms])
    new = made(api, "conference", name="New", service_type="lecture")
    assert {node.name(alias) for alias in forms} == {"Old"}
    assert node.name("New") is None, "a service without an alias was reached"
    for row in old["aliases"]:
        path = f"conference_alias/{row['id']}/"
        assert api("PATCH", path, {"conference": new["resource_uri"]}).status_code in (200, 202)
    assert {node.name(alias) for alias in forms} == {"New"}
    assert api.read(old["resource_uri"])["aliases"] == []
    assert [row["alias"] for row in api.read(new["resource_uri"])["aliases"]] == forms


@pytest.mark.spec("SVC-066", "CONF-007", "CONF-010")
def test_an_alias_can_be_made_alone_and_belongs_to_one_service(api: Api, node: Node) -> None:
    room, other = made(api, "conference", name="Room"), made(api, "conference", name="Other")
    api.create("conference_alias", alias="room.alone", description="Alone", conference=room["resource_uri"])
    assert node.name("room.alone") == "Room"
    taken = api("POST", "conference_alias/", {"alias": "ROOM.alone", "conference": other["resource_uri"]})
    assert taken.status_code == 400
    assert api("POST", "conference_alias/", {"alias": "homeless"}).status_code == 400


@pytest.mark.spec("SVC-049", "SVC-071", "SVC-115", "CONF-005")
@pytest.mark.parametrize("kind", KINDS)
def test_any_service_has_any_number_of_aliases_also_addresses_of_nodes(api: Api, node: Node, kind: str) -> None:
    aliases = ["+44 1".replace(" ", ""), "+33100", "1000", "desk@example.com", "192.0.2.7"]
    api.create("conference", name="Desk", service_type=kind, aliases=[{"alias": alias} for alias in aliases])
    assert {node.name(alias) for alias in aliases} == {"Desk"}
    assert node.name("sip:192.0.2.7") == "Desk"


@pytest.mark.spec("SVC-070", "SVC-072", "SVC-076", "CONF-001", "CONF-006", "CONF-008")
def test_what_is_received_is_matched_whole_and_as_text(api: Api, node: Node) -> None:
    aliases = ["meet.alice", "meet.alice@example.com", "1234", "meet.*", "(.+)@else", "%"]
    api.create("conference", name="Alice", aliases=[{"alias": alias} for alias in aliases])
    for dialled in (
        "meet.alice", "Meet.ALICE", "meet.alice@10.0.0.5", "meet.alice@10.0.0.5:5060", "sips:meet.alice@10.0.0.5",
        "h323:1234", "1234@10.0.0.5", "MEET.alice@EXAMPLE.com", "meet.*",
    ):  # fmt: skip
        assert node.name(dialled) == "Alice", dialled
    for dialled in (
        "meet.bob", "meet.alic", "xmeet.alice", "meet.alice@example.org", "12345", "123", "bob@else", "meetxalice",
        "meet.alice@10.0.0.5.6", "1234@example.com",
    ):  # fmt: skip
        assert node.name(dialled) is None, dialled


@pytest.mark.spec("SVC-014", "SVC-015", "SVC-017", "SVC-037", "SVC-038")
def test_what_is_known_of_a_room(api: Api, node: Node, browser: Any) -> None:
    body = {"name": "Room", "tag": "sales-7", "primary_owner_email_address": "ada@example.com"}
    row = made(api, "conference", **body, aliases=[{"alias": "room"}])
    assert (row["sync_tag"], row["tag"], row["primary_owner_email_address"]) == ("", "sales-7", "ada@example.com")
    assert row["creation_time"]
    path = row["resource_uri"]
    api("PATCH", path, {"creation_time": "2001-01-01T00:00:00", "tag": "sales-8"})
    changed = api.read(path)
    assert (changed["creation_time"], changed["tag"]) == (row["creation_time"], "sales-8")
    found = node.find("room")
    assert found is not None
    assert (found.description.tag, found.description.name) == ("sales-8", "Room")
    assert api("PATCH", path, {"primary_owner_email_address": "nobody"}).status_code == 400


@pytest.mark.spec("SVC-026", "SVC-027", "SVC-020", "SVC-024", "SVC-025")
@pytest.mark.parametrize("kind", ["conference", "lecture"])
def test_pins_that_do_not_go_together_are_not_saved(api: Api, kind: str) -> None:
    good = {"pin": "1234#", "allow_guests": True, "guest_pin": "567890#"}
    path = api.create("conference", name="Room", service_type=kind, **good)
    for change, field in (
        ({"guest_pin": "567890"}, "guest_pin"),
        ({"pin": "1234"}, "guest_pin"),
        ({"pin": "1234", "guest_pin": "56789"}, "guest_pin"),
        ({"guest_pin": "1234#"}, "guest_pin"),
        ({"pin": ""}, "guest_pin"),
        ({"pin": "", "guest_pin": ""}, "allow_guests"),
    ):
        answer = api("PATCH", path, change)
        assert answer.status_code == 400, change
        assert field in answer.json()["conference"], change
    assert {name: api.read(path)[name] for name in good} == good
    assert api("PATCH", path, {"pin": "1234", "guest_pin": "5678"}).status_code in (200, 202)


@pytest.mark.spec("CONF-141")
@pytest.mark.parametrize(
    ("own", "everywhere", "chat"),
    [("default", True, True), ("default", False, False), ("yes", False, True), ("no", True, False)],
)
def test_what_a_node_makes_of_a_room(api: Api, node: Node, own: str, everywhere: bool, chat: bool) -> None:
    GlobalSettings.objects.update(enable_chat=everywhere)
    api.create("conference", name="Room", participant_limit=7, enable_chat=own, aliases=[{"alias": "room"}])
    found = node.find("room")
    assert found is not None
    assert (found.description.participant_limit, found.description.enable_chat) == (7, chat)


@pytest.mark.spec("SVC-004")
def test_rooms_that_nobody_is_in_cost_nothing(node: Node, database: Path) -> None:
    rooms = Conference.objects.bulk_create(Conference(name=f"Room {number}") for number in range(3000))
    ConferenceAlias.objects.bulk_create(
        ConferenceAlias(alias=f"room.{room.name[5:]}", conference=room) for room in rooms
    )
    assert node.name("room.2999") == "Room 2999"


@pytest.mark.spec("SVC-065", "SVC-047", "CONF-149")
@pytest.mark.parametrize(
    ("page", "has", "lacks"),
    [
        (
            "/admin/configuration/conference/",
            {"pin", "participant_limit", "max_callrate_in", "primary_owner_email_address"}, set(),
        ),
        (
            "/admin/management/virtualauditorium/",
            {"pin", "guest_view", "max_callrate_in"}, {"primary_owner_email_address", "sync_tag"},
        ),
        (
            "/admin/management/virtualreception/",
            {"max_callrate_in", "max_callrate_out", "call_type", "match_string", "replace_string"},
            {"pin", "guest_pin", "allow_guests", "host_view", "participant_limit", "enable_overlay_text",
             "automatic_participants"},
        ),
    ],
)  # fmt: skip
def test_a_page_asks_for_what_its_kind_has(browser: Any, page: str, has: set[str], lacks: set[str]) -> None:
    form = browser.get(f"{page}add/").content.decode()
    for field in has:
        assert f'name="{field}"' in form, field
    for field in lacks:
        assert f'name="{field}"' not in form, field


@pytest.mark.spec("SVC-013", "CONF-105")
@pytest.mark.parametrize(
    ("page", "files"),
    [
        ("/admin/configuration/conference/", True),
        ("/admin/management/virtualauditorium/", True),
        ("/admin/management/virtualreception/", True),
        ("/admin/management/testcallservice/", False),
        ("/admin/configuration/automaticparticipant/", True),
    ],
)
def test_lists_lead_on(api: Api, browser: Any, page: str, files: bool) -> None:
    for number, kind in enumerate(KINDS):
        api.create("conference", name=f"Room {number}", service_type=kind)
    rooms = [made(api, "conference", name="Called")["resource_uri"]]
    api.create("automatic_participant", alias="ada@example.com", conference=rooms)
    found = browser.get(page).content.decode()
    assert re.search(rf'href="{page}\d+/change/', found)
    assert f'href="{page}add/' in found
    assert 'name="_selected_action"' in found
    assert re.search(r'<option value="delete_selected"', found)
    assert (f"{page}import-csv/" in found, f"{page}export-csv/" in found) == (files, files)
