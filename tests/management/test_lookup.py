"""Look-ups in a node's local database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rostra.configuration import journal, orm, setup_node
from rostra.configuration.changes import SnapshotRequest
from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings, WebappAlias
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.configuration.rows import GlobalRow, ServiceRow

from .test_replication import room


@pytest.fixture
def local(database: Path, tmp_path: Path) -> Path:
    """A node's database as the first start of the Management Node fills it, and one room more."""
    room("Straße.42@example.test")
    last = ConferenceAlias.objects.get(alias="meet.demo")
    ConferenceAlias.objects.create(alias="demo.first", conference=last.conference, view_order=1)
    ConferenceAlias.objects.filter(pk=last.pk).update(view_order=2)
    GlobalSettings.objects.update(guests_only_timeout=7, enable_chat=False)
    WebappAlias.objects.create(slug="staff", webapp_type="webapp3", is_enabled=True)
    WebappAlias.objects.create(slug="old", webapp_type="webapp3", is_enabled=False)
    replica = Replica(tmp_path / "node.db")
    chunk = journal.chunk(SnapshotRequest())
    with replica.snapshot() as load:
        load.add(chunk)
        while chunk.next_table:
            chunk = journal.chunk(SnapshotRequest(chunk.next_table, chunk.next_after))
            load.add(chunk)
    replica.close()
    return tmp_path / "node.db"


@pytest.mark.spec("SVC-067", "SVC-068")
def test_alias_in_any_case(local: Path) -> None:
    lookup = Lookup(local)
    for dialled in ("meet.demo", "MEET.DEMO", "Meet.Demo"):
        found = lookup.find_alias(dialled)
        assert found is not None
        assert (found.name, found.service_type, found.allow_guests) == ("Demo", "conference", False)
    for dialled in ("meet.dem", "meet.demo ", "", "%", "meet_demo", "x" * 10000, "a\x00b", "' OR 1=1 --"):
        assert lookup.find_alias(dialled) is None
    assert lookup.find_alias("Straße.42@EXAMPLE.test") is not None
    lookup.close()


def test_the_index_is_used(local: Path) -> None:
    lookup = Lookup(local)
    plan = " ".join(str(row) for row in lookup._database().execute(f"EXPLAIN QUERY PLAN {lookup._find_alias}", ("x",)))
    assert "SCAN" not in plan
    assert "conference_alias_any_case" in plan
    lookup.close()


def test_settings_and_their_defaults(local: Path, tmp_path: Path) -> None:
    lookup = Lookup(local)
    settings = lookup.global_settings()
    assert (settings.guests_only_timeout, settings.enable_chat, settings.enable_sip_udp) == (7, False, True)
    assert settings.disabled_codecs[0] == {"value": "MP4A-LATM_128"}
    lookup.close()
    setup_node(tmp_path / "empty.db")
    setup_node(tmp_path / "empty.db")
    empty = Lookup(tmp_path / "empty.db")
    assert empty.global_settings() == GlobalRow()
    assert empty.find_alias("meet.demo") is None
    empty.close()


def test_defaults_are_those_of_the_model() -> None:
    for field in orm.meta(GlobalSettings).concrete_fields:
        if field.name in GlobalRow.__struct_fields__ and field.name != "disabled_codecs":
            assert getattr(GlobalRow(), field.name) == field.get_default(), field.name
    columns = {name for field in orm.meta(Conference).concrete_fields for name in (field.name, field.attname)}
    assert set(ServiceRow.__struct_fields__) <= columns


def test_from_many_threads(local: Path) -> None:
    lookup = Lookup(local)
    found: list[ServiceRow | None] = []

    def ask() -> None:
        found.extend(lookup.find_alias("meet.demo") for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert all(row is not None for row in found)
    lookup.close()


@pytest.mark.spec("CONF-009")
def test_aliases_of_a_service(local: Path) -> None:
    lookup = Lookup(local)
    alias = ConferenceAlias.objects.get(alias="meet.demo")
    assert lookup.aliases(alias.conference_id) == ["demo.first", "meet.demo"]  # the first is shown to who is called
    assert lookup.service(alias.conference_id) == lookup.find_alias("meet.demo")
    assert lookup.service(999) is None
    lookup.close()


def test_paths_to_the_web_app(local: Path) -> None:
    lookup = Lookup(local)
    known = {slug: lookup.leads_to_webapp(slug) for slug in ("staff", "webapp3", "old", "nothing", "' OR 1=1 --")}
    assert known == {"staff": True, "webapp3": True, "old": False, "nothing": None, "' OR 1=1 --": None}
    assert (lookup.branding(), lookup.branding("staff")) == (None, None)
    lookup.close()
