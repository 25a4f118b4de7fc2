"""A damaged local database is noticed, at the start and while the node runs, and fetched again."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rostra.configuration import journal
from rostra.configuration import local as local_database
from rostra.configuration.local import Damaged
from rostra.configuration.models import Conference
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from tests.length import LONG

from .conftest import content
from .test_replication import eventually, following, local, managed, publishing, room

__all__ = ["local"]

PAGE = 4096


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // PAGE * PAGE)


def scribble(path: Path) -> None:
    """Garbage over most pages, as of a dying disk; the first ones stay."""
    with path.open("r+b") as file:
        file.seek(2 * PAGE)
        file.write(b"\xa5" * (path.stat().st_size - 2 * PAGE))


def not_a_database(path: Path) -> None:
    path.write_bytes(b"This is no database.\n" * 400)


def without_a_table(path: Path) -> None:
    _tell(path, "DROP TABLE configuration_conferencealias")


def without_its_marks(path: Path) -> None:
    _tell(path, "DROP TABLE configuration_mark")


def with_another_column(path: Path) -> None:
    _tell(path, "ALTER TABLE configuration_conference ADD COLUMN mystery TEXT NOT NULL DEFAULT ''")


def forgetful(path: Path) -> None:
    """As if nothing had been migrated, with the tables there."""
    _tell(path, "DELETE FROM django_migrations")


def _tell(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


DAMAGES = [cut, scribble, not_a_database, without_a_table, without_its_marks, with_another_column, forgetful]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A node's database as it is after the first start."""
    path = tmp_path_factory.mktemp("sound") / "configuration.db"
    Replica(path).close()
    return path.read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_at_the_start(sound: bytes, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "configuration.db"
    path.write_bytes(sound)
    Replica(path).close()
    damage(path)
    with pytest.raises(Damaged):
        Replica(path)


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "configuration.db"
    path.touch()
    replica = Replica(path)
    assert (replica.epoch, replica.position) == ("", 0)
    replica.close()


def test_a_busy_or_full_database_is_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "configuration.db"
    replica = Replica(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        with replica.snapshot(), pytest.raises(sqlite3.OperationalError, match="locked") as caught:
            other.execute("BEGIN IMMEDIATE")
        assert not local_database.is_damage(caught.value)
        other.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError, match="full") as caught:
            other.execute("INSERT INTO configuration_mark VALUES ('large', hex(randomblob(200000)))")
        assert not local_database.is_damage(caught.value)
    replica.close()


async def test_a_full_disk_delays_changes_and_loses_none(
    database: Path, fabric: Environment, bus: Bus, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there is read meanwhile; nothing is taken for damaged, and nobody has to start anything again."""

    apply, problems = Replica.apply, list[str]()

    def noted(*arguments: Any, **options: Any) -> Any:
        try:
            return apply(*arguments, **options)
        except sqlite3.OperationalError as problem:
            problems.append(str(problem))
            raise

    monkeypatch.setattr(Replica, "apply", noted)

    def limit(pages: int) -> None:
        replica._opened._database.execute(f"PRAGMA max_page_count={pages}")  # SQLite says that the disk is full

    async with publishing(bus), following(fabric, bus, local) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 20)
        await replica._in_thread(limit, 1)
        await managed(lambda: [room(f"room{number}" + "x" * 100) for number in range(60)])
        last, lookup = await managed(journal.position), Lookup(local)
        await eventually(lambda: problems, 30)
        assert "full" in problems[0]
        assert lookup.find_alias("meet.demo")
        await replica._in_thread(limit, 1 << 30)
        await eventually(lambda: replica.position == last, 30)
        lookup.close()
        assert replica.debug_state()["renewals"] == 0
    assert content(local) == content()


async def test_a_damaged_database_is_set_aside_at_the_start(
    database: Path, fabric: Environment, bus: Bus, local: Path
) -> None:
    async with publishing(bus):
        async with following(fabric, bus, local) as replica:
            await asyncio.wait_for(replica.synchronised.wait(), 20)
        scribble(local)
        async with following(fabric, bus, local) as replica:
            await asyncio.wait_for(replica.synchronised.wait(), 20)
            assert (replica.debug_state()["renewals"], replica.debug_state()["snapshots"]) == (1, 1)
    assert content(local) == content()
    assert local.with_name("configuration.db.damaged").exists()


@pytest.mark.parametrize("damage", [scribble, without_a_table, Path.unlink] if LONG else [scribble, Path.unlink])
async def test_damage_is_noticed_while_the_node_runs(
    database: Path, fabric: Environment, bus: Bus, local: Path, damage: Callable[[Path], None]
) -> None:
    """Whoever comes across it first: a look-up, or the next change. Those who look up go on with the new file."""
    lookup = Lookup(local)
    async with following(fabric, bus, local) as replica:
        async with publishing(bus):
            await asyncio.wait_for(replica.synchronised.wait(), 20)
            assert lookup.find_alias("meet.demo")
        with contextlib.closing(sqlite3.connect(local)) as own:
            own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage(local)
        if damage is scribble:  # our connections remember the sound pages; another one does not
            other = Lookup(local)
            with pytest.raises(sqlite3.DatabaseError):
                other.find_alias("meet.demo")
            other.close()
        await managed(lambda: room("after"))
        assert replica.debug_state()["renewals"] == 0, "kept until there is another"
        async with publishing(bus):
            await eventually(lambda: replica.debug_state()["renewals"] == 1, 30)
            last = await managed(journal.position)
            await eventually(lambda: replica.position == last, 30)
            assert lookup.find_alias("after")
            await managed(lambda: Conference.objects.filter(name="after").delete())
            await eventually(lambda: lookup.find_alias("after") is None, 30)
    lookup.close()
    assert content(local) == content()
