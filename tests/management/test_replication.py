"""Configuration reaches a node's local database through a real fabric, whoever was away."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.db import connections, transaction

from rostra.configuration import journal, orm
from rostra.configuration.changes import Changes, ChangesRequest, Operation, RowChange, SnapshotChunk
from rostra.configuration.models import AutomaticParticipant, Conference, ConferenceAlias, GlobalSettings
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.configuration.resources import register
from rostra.environment import Environment
from rostra.fabric import server
from rostra.fabric.bus import Bus
from rostra.fabric.replication import CHANGES, ConfigurationReplica, Publisher
from rostra.management.prepare import prepare

from .conftest import ENVIRONMENT, content


async def managed(function: Callable[[], Any]) -> Any:
    """Run something of the Management Node's in a thread of its own, as a request would."""

    def run() -> Any:
        try:
            return function()
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def eventually(condition: Callable[[], Any], seconds: float = 8.0) -> float:
    """Wait for `condition`; returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


@asynccontextmanager
async def publishing(bus: Bus) -> AsyncIterator[Publisher]:
    publisher = Publisher(bus, journal)
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


@asynccontextmanager
async def following(environment: Environment, bus: Bus, path: Path) -> AsyncIterator[ConfigurationReplica]:
    replica = ConfigurationReplica(environment, bus, path)
    await replica.start()
    try:
        yield replica
    finally:
        await replica.stop()


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return tmp_path / "node" / "configuration.db"


def room(name: str) -> Conference:
    """A room with an alias of the same name."""
    with transaction.atomic():
        conference = Conference.objects.create(name=name)
        ConferenceAlias.objects.create(alias=name, conference=conference)
    return conference


@pytest.mark.spec("NODE-004")
async def test_a_change_is_there_within_two_seconds(database: Path, fabric: Environment, bus: Bus, local: Path) -> None:
    async with publishing(bus) as publisher, following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        lookup = Lookup(local)
        heard: list[tuple[str, int]] = []
        replica.on_change(lambda resource, key: heard.append((resource, key)))
        demo = lookup.find_alias("Meet.DEMO")
        assert demo is not None
        assert demo.name == "Demo"
        conference = await managed(lambda: room("new"))
        publisher.wake()
        assert await eventually(lambda: lookup.find_alias("NEW")) < 2
        await eventually(lambda: len(heard) == 2)
        assert heard == [("conference", conference.pk), ("conference_alias", heard[1][1])]
        await managed(lambda: ConferenceAlias.objects.filter(alias="new").delete())
        assert await eventually(lambda: lookup.find_alias("new") is None) < 2, "noticed without being announced"
        lookup.close()
    assert content(local) == content()


@pytest.mark.every_database
async def test_bulk_statements_cascades_and_relations_arrive(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    def change() -> None:
        rooms = Conference.objects.bulk_create([Conference(name=f"r{number}") for number in range(50)])
        ConferenceAlias.objects.bulk_create([ConferenceAlias(alias=f"a{row.pk}", conference=row) for row in rooms])
        caller = AutomaticParticipant.objects.create(alias="bob")
        caller.conference.set(rooms[:5])
        Conference.objects.filter(name__in=["r1", "r2"]).update(tag="x", description="ø\x07\"'")
        Conference.objects.filter(name__startswith="r4").delete()
        first, second = ConferenceAlias.objects.filter(conference__name__in=["r1", "r2"])
        names = first.alias, second.alias
        ConferenceAlias.objects.filter(pk=first.pk).update(alias="elsewhere")
        ConferenceAlias.objects.filter(pk=second.pk).update(alias=names[0])
        ConferenceAlias.objects.filter(pk=first.pk).update(alias=names[1])
        GlobalSettings.objects.update(disabled_codecs=[{"value": "VP9"}], guests_only_timeout=1)
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE configuration_conference SET tag = 'by hand' WHERE name = 'Demo'")

    async with publishing(bus), following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(change)
        last = await managed(journal.position)
        await eventually(lambda: replica.position == last)
        assert replica.debug_state()["snapshots"] == 1
    assert content(local) == content()


@pytest.mark.every_database
async def test_a_rolled_back_change_never_arrives(database: Path, fabric: Environment, bus: Bus, local: Path) -> None:
    def change() -> None:
        with transaction.atomic():
            room("gone")
            transaction.set_rollback(True)
        room("kept")

    async with publishing(bus), following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(change)
        lookup = Lookup(local)
        await eventually(lambda: lookup.find_alias("kept"))
        assert lookup.find_alias("gone") is None
        lookup.close()


async def test_node_restarts_and_resumes_without_a_snapshot(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    async with publishing(bus):
        async with following(fabric, bus, local) as replica:
            await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(lambda: [room(f"meanwhile{number}") for number in range(20)])
        last = await managed(journal.position)
        async with following(fabric, bus, local) as replica:
            await eventually(lambda: replica.position == last)
            assert replica.debug_state()["snapshots"] == 0
    assert content(local) == content()


async def test_node_absent_for_so_long_that_changes_are_forgotten(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    async with publishing(bus):
        async with following(fabric, bus, local) as replica:
            await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(lambda: [room("first"), room("second")])
        last = await managed(journal.position)
        assert await managed(lambda: journal.prune(time.time() + journal.KEPT_SECONDS + 60)) > 0
        async with following(fabric, bus, local) as replica:
            await eventually(lambda: replica.position == last)
            assert replica.debug_state()["snapshots"] == 1
    assert content(local) == content()


@pytest.mark.every_database
def test_the_journal_forgets_what_is_old_or_too_much_and_keeps_the_newest(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT_CHANGES", 10)
    before = journal.position()
    for number in range(20):
        room(f"r{number}")
    newest = journal.position()
    assert newest == before + 40
    assert journal.prune() > 0
    assert list(journal.Change.objects.values_list("sequence", flat=True)) == list(range(newest - 9, newest + 1))
    assert journal.prune(time.time() + journal.KEPT_SECONDS + 60) == 9
    assert journal.position() == newest
    epoch = journal.epoch()
    assert journal.catch_up(ChangesRequest(epoch, newest - 2)).changes is None
    assert journal.catch_up(ChangesRequest(epoch, newest)).changes == Changes(epoch, newest, [])


@pytest.mark.every_database
async def test_management_node_restarts_with_changes_not_yet_published(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    async with following(fabric, bus, local) as replica:
        async with publishing(bus):
            await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(lambda: room("while down"))
        last = await managed(journal.position)
        assert replica.position < last
        await managed(journal.install)
        async with publishing(bus):
            await eventually(lambda: replica.position == last)
            assert replica.debug_state()["snapshots"] == 1, "only the first one"
    assert content(local) == content()


async def test_messages_doubled_reordered_and_lost(database: Path, fabric: Environment, bus: Bus, local: Path) -> None:
    async with publishing(bus) as publisher, following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        began = replica.position
        await publisher.stop()  # from here on we are the publisher, and a bad one
        heard: list[tuple[str, int]] = []
        replica.on_change(lambda resource, key: heard.append((resource, key)))
        await managed(lambda: [room("one"), room("two"), room("three")])
        everything = (await managed(lambda: journal.after(began))).changes
        epoch = await managed(journal.epoch)
        assert len(everything) == 6

        async def say(first: int, last: int) -> None:
            message = Changes(epoch, began + first, everything[first:last])
            await bus.publish(CHANGES, msgspec.json.encode(message))

        await say(0, 2)
        await say(0, 2)
        await say(4, 6)  # a gap nobody can fill now
        await say(1, 4)
        await say(2, 3)
        await say(3, 6)
        await eventually(lambda: replica.position == began + 6)
        assert [resource for resource, _ in heard] == ["conference", "conference_alias"] * 3
        assert replica.debug_state()["snapshots"] == 1
    assert content(local) == content()


async def test_a_lost_message_is_asked_for_within_two_seconds(
    database: Path, fabric: Environment, bus: Bus, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with publishing(bus) as publisher, following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        publish, lost = bus.publish, []

        async def lossy(subject: str, payload: bytes) -> None:
            if subject == CHANGES and not lost and msgspec.json.decode(payload)["changes"]:
                lost.append(payload)
            else:
                await publish(subject, payload)

        monkeypatch.setattr(bus, "publish", lossy)
        await managed(lambda: room("lost"))
        publisher.wake()
        last = await managed(journal.position)
        assert await eventually(lambda: replica.position == last) < 2
        assert len(lost) == 1
        assert replica.debug_state()["snapshots"] == 1
    assert content(local) == content()


@pytest.mark.sqlite_only
async def test_a_restored_backup_means_a_snapshot_for_whoever_was_ahead(
    database: Path, fabric: Environment, bus: Bus, local: Path, tmp_path: Path
) -> None:
    """Both nodes know changes the backup has not; the absent one returns when there are even more than it knew."""
    backup, absent = tmp_path / "backup.db", tmp_path / "absent" / "configuration.db"
    with sqlite3.connect(database) as source:
        source.execute("VACUUM INTO ?", (str(backup),))
    source.close()
    async with following(fabric, bus, local) as replica:
        async with publishing(bus), following(fabric, bus, absent) as other:
            await managed(lambda: room("lost with the old machine"))
            last = await managed(journal.position)
            await eventually(lambda: replica.position == last == other.position)
        with sqlite3.connect(backup) as source, sqlite3.connect(database) as restored:
            source.backup(restored)
        source.close()
        restored.close()
        await managed(journal.install)
        async with publishing(bus):
            await eventually(lambda: replica.debug_state()["snapshots"] == 2)
            await managed(lambda: [room("new"), room("newer")])
            newest = await managed(journal.position)
            assert newest > last
            async with following(fabric, bus, absent) as other:
                await eventually(lambda: replica.position == newest == other.position)
                assert other.debug_state()["snapshots"] == 1
    assert content(local) == content() == content(absent)


async def test_another_management_database_means_a_snapshot(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    async with publishing(bus), following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        await managed(lambda: journal.Mark.objects.filter(name="epoch").update(value="another"))
        await managed(lambda: room("of another deployment"))
        await eventually(lambda: replica.debug_state()["snapshots"] == 2)
    assert content(local) == content()


async def test_node_serves_and_starts_with_neither_fabric_nor_management(
    database: Path, environment: Environment, local: Path
) -> None:
    process = await server.start(environment)
    bus = await Bus.join(environment, name="test")
    try:
        async with publishing(bus), following(environment, bus, local) as replica:
            await asyncio.wait_for(replica.synchronised.wait(), 8)
        async with following(environment, bus, local) as replica:
            process.terminate()
            await process.wait()
            lookup = Lookup(local)
            assert lookup.find_alias("meet.demo")
            await managed(lambda: room("while the fabric was down"))
            last = await managed(journal.position)
            async with following(environment, bus, local.parent / "empty.db"):
                assert Lookup(local.parent / "empty.db").find_alias("meet.demo") is None
            process = await server.start(environment)
            async with publishing(bus):
                await eventually(lambda: replica.position == last, 20)
            assert lookup.find_alias("while the fabric was down")
            lookup.close()
            assert replica.debug_state()["running"]
    finally:
        await bus.close()
        process.terminate()
        await process.wait()


@pytest.mark.every_database
async def test_a_large_configuration_comes_in_chunks_while_it_changes(
    database: Path, fabric: Environment, bus: Bus, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CHUNK_ROWS", 1000)

    def fill() -> None:
        rooms = Conference.objects.bulk_create([Conference(name=f"r{number}") for number in range(6000)])
        ConferenceAlias.objects.bulk_create([ConferenceAlias(alias=f"a{row.pk}", conference=row) for row in rooms])

    await managed(fill)
    asked: list[int] = []

    def chunk(request: Any) -> Any:
        asked.append(request.after)
        answer = journal.chunk(request)
        if len(asked) == 2:  # rows already sent and rows not yet sent change
            names = [f"r{number}" for number in (0, 5999)]
            Conference.objects.filter(name__in=names).update(tag="changed")
            first, second = ConferenceAlias.objects.order_by("pk").filter(conference__name__in=names)
            ConferenceAlias.objects.filter(pk=second.pk).update(alias="spare")
            ConferenceAlias.objects.filter(pk=first.pk).update(alias=second.alias)
        return answer

    source = SimpleNamespace(**{name: getattr(journal, name) for name in ("position", "after", "catch_up", "prune")})
    source.chunk = chunk
    publisher = Publisher(bus, source)  # type: ignore[arg-type]
    await publisher.start()
    try:
        async with following(fabric, bus, local) as replica:
            await eventually(lambda: replica.debug_state()["snapshots"] == 1, 30)
            last = await managed(journal.position)
            await eventually(lambda: replica.position == last, 30)
    finally:
        await publisher.stop()
    assert len(asked) > 6
    assert content(local) == content()


@pytest.mark.sqlite_only
def test_journal_covers_every_replicated_table(database: Path) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name")
        assert dict(cursor.fetchall()) == dict.fromkeys(register.tables, 3)


def test_newer_columns_get_their_defaults_on_a_node(database: Path, local: Path) -> None:
    """During an upgrade the Management Node may send fewer columns than the node's models have."""
    replica = Replica(local)
    with replica.snapshot() as load:
        load.add(SnapshotChunk("e", 5, "configuration_conference", [], "", 0))
    table = orm.meta(Conference).db_table
    row = {"id": 9, "name": "old", "unheard_of": 1, "creation_time": "2026-01-02 03:04:05.123456"}
    touched = replica.apply(Changes("e", 5, [RowChange(6, table, 9, Operation.PUT, row)]))
    assert touched == [("conference", 9)]
    lookup = Lookup(local)
    found = lookup.service(9)
    assert found is not None
    assert (found.name, found.guests_can_present, found.host_view) == ("old", True, "one_main_seven_pips")
    assert replica.apply(Changes("e", 5, [RowChange(6, table, 9, Operation.DELETE)])) == []
    assert replica.position == 6
    lookup.close()
    replica.close()


def test_a_node_of_another_version_takes_a_snapshot(local: Path) -> None:
    """What it could not store then, it has missed."""
    replica = Replica(local)
    with replica.snapshot() as load:
        load.add(SnapshotChunk("e", 5, "configuration_conference", [], "", 0))
    replica.close()
    replica = Replica(local)
    assert (replica.epoch, replica.position) == ("e", 5)
    replica.close()
    register.replicate(journal.Mark, "something_new")
    try:
        replica = Replica(local)
        assert replica.epoch == ""
        replica.close()
    finally:
        register._internal.pop("something_new")


@pytest.mark.every_database
def test_a_database_with_triggers_can_be_migrated(database: Path) -> None:
    """SQLite refuses to remake a table that triggers of others write to."""
    before = journal.position()
    call_command("migrate", "configuration", "0001", verbosity=0)
    prepare(ENVIRONMENT)
    migrated = journal.position()
    assert migrated >= before, "sequences are never used twice"
    room("after")
    assert journal.position() == migrated + 2
