"""A backup brings everything back, on the same system and on another; what is wrong with it changes nothing."""

from __future__ import annotations

import datetime
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from rostra import release
from rostra.configuration import journal, sealing
from rostra.configuration.changes import ChangesRequest
from rostra.configuration.journal import Change, Mark
from rostra.configuration.models import AutoBackup, Conference, StoredFile
from rostra.configuration.secretfield import reveal
from rostra.fabric import authority, credentials
from rostra.management import restart, settings
from rostra.management.backups import database, identity, keeping, openpgp, restoring
from rostra.management.backups.archive import Damaged, DecryptionFailed, NotABackup
from rostra.management.backups.contents import is_left_out
from rostra.management.history.models import ConferenceRecord
from tests import postgresql
from tests.management.conftest import ENVIRONMENT, Api, use

from .conftest import PASSPHRASE, archive, backup, command


def everything() -> dict[str, list[bytes]]:
    """Every row of every table that belongs to a backup."""
    return {name: sorted(database.rows(model, "default")) for name, model in database.tables().items()}


def fill(api: Api) -> None:
    """Something of every kind of value."""
    api.create("conference", name='Ünïcode\n\t"quoted"', aliases=[{"alias": "u@example.test"}], pin="1234")
    with transaction.atomic():
        StoredFile.store("theme.zip", [bytes(range(256)) * 3000])
    row = AutoBackup.objects.get(pk=1)
    row.autobackup_passphrase = "tells nobody"
    row.save()
    moment = datetime.datetime(2020, 2, 29, 12, 0, 0, 123456, tzinfo=datetime.UTC)
    ConferenceRecord.objects.create(id="a-b", name="Board", start_time=moment, end_time=None, duration=2**40)
    get_user_model().objects.create_user("second", password="other secret")


def another_installation() -> None:
    """Exchange what tells platforms apart."""
    places = identity.places(ENVIRONMENT)
    for name in ("platform.key", "ca/ca.pem", "ca/ca.key", "fabric/key.pem", "fabric/certificate.pem"):
        places[name].unlink()
    sealing.unlock(sealing.make_key(places["platform.key"]))
    authority.found(ENVIRONMENT)


@pytest.mark.spec("NODE-142", "NODE-139", "NODE-156", "NODE-161")
@pytest.mark.every_database
def test_everything_comes_back_on_another_installation(platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(restart, "request", lambda *, whole_machine: asked.append(whole_machine))
    fill(platform)
    before, files = everything(), identity.read(ENVIRONMENT)
    data = backup()
    assert b"Board" not in data
    Conference.objects.all().delete()
    ConferenceRecord.objects.all().delete()
    StoredFile.objects.all().delete()
    get_user_model().objects.filter(username="second").delete()
    another_installation()
    assert identity.read(ENVIRONMENT) != files
    answer = command(platform, "backup_restore", package=data, passphrase=PASSPHRASE)
    assert answer.json() == {"status": "success", "data": None}, answer.content
    assert everything() == before
    assert identity.read(ENVIRONMENT) == files
    assert reveal(AutoBackup.objects.get(pk=1), "autobackup_passphrase") == "tells nobody"
    assert asked == [True], "the fabric has other credentials now"
    platform.create("conference", name="After", aliases=[{"alias": "after"}])  # counters are where they should be


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_backup_of_one_database_engine_is_restored_into_the_other(
    platform: Api, engine: str, tmp_path: Path, prepared: Any
) -> None:
    fill(platform)
    before = everything()
    opened = archive(backup(), tmp_path)
    other = "postgresql" if engine == "sqlite" else "sqlite"
    if other == "postgresql":
        name = postgresql.server().create(prepared(other))
        use(settings.database(postgresql.server().url(name), tmp_path))
    else:
        use(settings.database("", Path(shutil.copy(prepared(other), tmp_path / "other.db"))))
    assert connection.vendor == other
    restoring.restore(ENVIRONMENT, opened)
    assert everything() == before
    connection.close()


@pytest.mark.every_database
def test_nodes_take_everything_anew_and_hear_of_changes_after_it(platform: Api, tmp_path: Path) -> None:
    data = backup()
    Conference.objects.filter(pk=1).update(tag="later")
    epoch, position = journal.epoch(), journal.position()
    restoring.restore(ENVIRONMENT, archive(data, tmp_path))
    assert journal.epoch() != epoch
    assert journal.position() == position, "numbers are not used twice"
    assert journal.catch_up(ChangesRequest(epoch, position)).changes is None
    assert Change.objects.count() == 1
    Conference.objects.filter(pk=1).update(tag="after")
    (change,) = journal.after(position).changes
    assert (change.table, change.row and change.row["tag"]) == ("configuration_conference", "after")


@pytest.mark.spec("NODE-150")
def test_a_wrong_passphrase_changes_nothing(platform: Api) -> None:
    data = backup()
    platform.create("conference", name="Stays")
    before, epoch = everything(), journal.epoch()
    answer = command(platform, "backup_restore", package=data, passphrase="wrong")
    assert answer.status_code == 202
    assert answer.json()["status"] == "failed"
    assert "Failed to restore the system from the backup file" in answer.json()["message"]
    assert "Decryption Error: decryption failed" in answer.json()["message"]
    assert (everything(), journal.epoch()) == (before, epoch)
    assert list((ENVIRONMENT.management_home / "uploads").iterdir()) == []


@pytest.mark.spec("NODE-153")
@pytest.mark.parametrize(("name", "value"), [("VERSION", "9.9.9"), ("build", lambda: "77")])
def test_another_version_is_refused(
    platform: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: Any
) -> None:
    with monkeypatch.context() as other:
        other.setattr(release, name, value)
        data = backup()
    before = everything()
    with pytest.raises(NotABackup, match=f"{release.VERSION}.*have to be the same"):
        restoring.restore(ENVIRONMENT, archive(data, tmp_path))
    assert everything() == before


def cut(data: bytes) -> bytes:
    """The backup without the end of its tar, encrypted again."""
    plain = openpgp.Reader([data], PASSPHRASE).read(1 << 30)
    out = io.BytesIO()
    writer = openpgp.Writer(out, PASSPHRASE)
    writer.plain.write(plain[: plain.index(b"database/configuration_globalsettings") + 700])
    writer.close()
    return out.getvalue()


def rebuilt(data: bytes, change: Any) -> bytes:
    """The backup with its members changed by `change(members)`, encrypted again."""
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=openpgp.Reader([data], PASSPHRASE), mode="r|") as tar:  # type: ignore[call-overload]
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            members[member.name] = content.read()
    members = change(members) or members
    out = io.BytesIO()
    writer = openpgp.Writer(out, PASSPHRASE)
    with tarfile.open(fileobj=writer.plain, mode="w|") as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    writer.close()
    return out.getvalue()


_ROOMS = "database/configuration_conference.jsonl"


def _manifest(members: dict[str, bytes], **values: Any) -> None:
    members["manifest.json"] = msgspec.json.encode({**json.loads(members["manifest.json"]), **values})


DAMAGES: dict[str, Any] = {
    "empty": lambda m: {"other": b""},
    "order": lambda m: dict(reversed(m.items())),
    "format": lambda m: _manifest(m, format=2),
    "layout": lambda m: _manifest(m, tables={}),
    "manifest": lambda m: m.update({"manifest.json": b"[]"}),
    "manifest cut": lambda m: m.update({"manifest.json": b"{"}),
    "no key": lambda m: m.pop("files/platform.key") and None,
    "short key": lambda m: m.update({"files/platform.key": b"short"}),
    "no authority": lambda m: m.update({"files/ca/ca.key": b"nonsense"}),
    "no rooms": lambda m: m.pop(_ROOMS) and None,
    "few values": lambda m: m.update({_ROOMS: b"[1]\n"}),
    "no JSON": lambda m: m.update({_ROOMS: b"not json\n"}),
    "a line cut": lambda m: m.update({_ROOMS: m[_ROOMS][:-1]}),
    "rows twice": lambda m: m.update({_ROOMS: m[_ROOMS] * 2}),
    "rows missing": lambda m: m.update({_ROOMS: b""}),
    "another table": lambda m: m.update({"database/django_session.jsonl": b"[1]\n"}),
    "a hostile table": lambda m: m.update({"database/x; DROP TABLE y.jsonl": b"[1]\n"}),
}


@pytest.mark.every_database
def test_a_damaged_backup_changes_nothing(platform: Api, tmp_path: Path) -> None:
    data = backup()
    before, files, epoch = everything(), identity.read(ENVIRONMENT), journal.epoch()
    damaged = {name: rebuilt(data, change) for name, change in DAMAGES.items()} | {"cut": cut(data)}
    for name, content in damaged.items():
        with pytest.raises((NotABackup, Damaged)):
            restoring.restore(ENVIRONMENT, archive(content, tmp_path))
        assert (identity.read(ENVIRONMENT), journal.epoch()) == (files, epoch), name
        assert not (ENVIRONMENT.management_home / "restoring").exists(), name
    assert everything() == before
    position = journal.position()
    Conference.objects.filter(pk=1).update(tag="after")
    assert len(journal.after(position).changes) == 1, "the journal goes on"


@pytest.mark.parametrize("data", [b"", b"x", b"PK\3\4" + b"\0" * 100, b"\xc3\x0d" + b"\xff" * 500])
def test_something_else_is_no_backup(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        archive(data, tmp_path)


def test_names_of_members_are_no_paths(platform: Api, tmp_path: Path) -> None:
    def hostile(members: dict[str, bytes]) -> dict[str, bytes]:
        manifest = members.pop("manifest.json")
        return {"manifest.json": manifest, "files/../../../escaped": b"x", str(tmp_path / "escaped"): b"x", **members}

    restoring.restore(ENVIRONMENT, archive(rebuilt(backup(), hostile), tmp_path))
    assert not list(ENVIRONMENT.home.glob("**/escaped"))
    assert not (ENVIRONMENT.home.parent / "escaped").exists()
    assert not (tmp_path / "escaped").exists()


@pytest.mark.spec("NODE-143")
def test_what_belongs_to_the_installation_is_left_out(platform: Api) -> None:
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if is_left_out(model)}
    assert {"django_session", "configuration_journal", "configuration_mark", "backups_systembackup"} <= names
    assert not names & {"configuration_conference", "configuration_storedpart", "history_conferencerecord"}
    with_licences = {name for name in names if "licence" in name}
    assert with_licences == {n for n in connection.introspection.table_names() if n.startswith("licences_")}


def test_nobody_stays_signed_in(platform: Api, browser: Any, tmp_path: Path) -> None:
    data = backup()
    assert Session.objects.exists()
    restoring.restore(ENVIRONMENT, archive(data, tmp_path))
    assert not Session.objects.exists()


def test_an_interrupted_restore_is_finished_or_forgotten(platform: Api) -> None:
    files = {**identity.read(ENVIRONMENT), "platform.key": b"A" * 43 + b"="}
    identity.stage(ENVIRONMENT, "token", files)
    before = identity.read(ENVIRONMENT)
    restoring.finish(ENVIRONMENT)
    assert identity.read(ENVIRONMENT) == before, "the database was never replaced"
    identity.stage(ENVIRONMENT, "token", files)
    Mark.objects.update_or_create(name="restored", defaults={"value": "token"})
    restoring.finish(ENVIRONMENT)
    assert identity.read(ENVIRONMENT)["platform.key"] == files["platform.key"]
    assert sealing.platform_key() == bytes(32)
    assert identity.plan(ENVIRONMENT) is None


def test_the_database_stands_still_while_it_is_read(platform: Api) -> None:
    tables = database.tables()
    with database.snapshot() as alias:
        rooms = list(database.rows(tables["configuration_conference"], alias))
        platform.create("conference", name="Meanwhile", aliases=[{"alias": "meanwhile"}])
        assert list(database.rows(tables["configuration_conference"], alias)) == rooms
        assert not [row for row in database.rows(tables["configuration_conferencealias"], alias) if b"meanwhile" in row]


def test_credentials_are_those_of_the_platform() -> None:
    assert set(identity.REQUIRED) <= set(identity.places(ENVIRONMENT))
    assert identity.places(ENVIRONMENT)["fabric/key.pem"] == credentials.of(ENVIRONMENT.home).key
    assert keeping.KEPT == 5
