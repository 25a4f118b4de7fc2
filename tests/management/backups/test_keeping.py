"""How backups are named, how many stay, when one is made by itself, and how it gets elsewhere."""

from __future__ import annotations

import datetime
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rostra.configuration.models import AutoBackup
from rostra.management.alarms.models import Alarm
from rostra.management.backups import jobs, keeping, sending
from rostra.management.backups.keeping import NoRoom
from rostra.management.backups.manifest import Manifest, filename, surplus, understand
from rostra.management.backups.models import SystemBackup
from rostra.management.backups.schedule import Schedule, last_slot
from rostra.management.backups.sending import NotSent, Target
from tests.management.conftest import BASE, Api

from .conftest import PASSPHRASE, archive, command

UTC = datetime.UTC


def moment(day: int, hour: int, minute: int) -> datetime.datetime:
    return datetime.datetime(2026, 5, day, hour, minute, tzinfo=UTC)


def manifest(**values: Any) -> Manifest:
    usual: dict[str, Any] = {
        "format": 1,
        "kind": "manual",
        "version": "1.2.3",
        "build": "77",
        "created": moment(4, 5, 6),
        "hostname": "mgr",
        "management_address": "10.0.0.1",
        "platform": "x",
        "tables": {},
    }
    return Manifest(**{**usual, **values})


def test_names() -> None:
    assert filename(manifest()) == "rostra_backup_mgr_1.2.3_77_26-05-04_05-06-00.tar.gpg"
    automatic = filename(manifest(kind="automatic", hostname="../m_g/ä"))
    assert automatic == "rostra_auto_backup_..-m-g--_1.2.3_77_26-05-04_05-06-00.tar.gpg"
    found = understand(automatic)
    assert found is not None
    assert (found.kind, found.version, found.build, found.created) == ("automatic", "1.2.3", "77", moment(4, 5, 6))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.gpg",
        "../rostra_backup_m_1_2_26-05-04_05-06-00.tar.gpg",
        "rostra_backup_m/n_1_2_26-05-04_05-06-00.tar.gpg",
        "rostra_backup_m_1_2_26-13-04_05-06-00.tar.gpg",
        "rostra_backup_m_1_2_26-05-04_05-06-00.tar.gpg\n",
        "rostra_backup_m_1_2_26-05-04_05-06-00.tar.gpg.part",
    ],
)
def test_other_names_are_none_of_backups(name: str) -> None:
    assert understand(name) is None


@pytest.mark.spec("NODE-141")
def test_the_newest_of_each_kind_stay() -> None:
    names = [
        filename(manifest(kind=kind, created=moment(day, 0, 0)))
        for kind in ("manual", "automatic")
        for day in range(1, 9)
    ]
    gone = surplus([*names, "unrelated"], 5)
    assert sorted(gone) == sorted(names[:3] + names[8:11])


def test_keeping(platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEPT", 2)
    rows = [keeping.create(PASSPHRASE) for _ in range(3)]
    assert [row.filename for row in SystemBackup.objects.order_by("date")] == [row.filename for row in rows[1:]]
    assert {file.name for file in keeping.directory().iterdir()} == {row.filename for row in rows[1:]}
    stray = keeping.directory() / "rostra_backup_m_1_2_26-05-04_05-06-00.tar.gpg"
    stray.write_bytes(b"copied here")
    (keeping.directory() / "rest.part").write_bytes(b"x")
    (keeping.directory() / rows[2].filename).unlink()
    keeping.synchronise()
    assert {row.filename for row in SystemBackup.objects.all()} == {stray.name, rows[1].filename}
    assert not (keeping.directory() / "rest.part").exists()


def test_no_half_files(platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 1000

    with monkeypatch.context() as disk:
        disk.setattr("rostra.management.backups.keeping.shutil.disk_usage", lambda _: Full)
        with pytest.raises(NoRoom, match="too full"):
            keeping.create(PASSPHRASE)

    def fail(*_: Any) -> Iterator[bytes]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rostra.management.backups.database.rows", fail)
    answer = command(platform, "backup_create", passphrase="x").json()
    assert answer["status"] == "failed"
    assert "No space left" in answer["message"]
    assert list(keeping.directory().iterdir()) == []


class TestApi:
    def test_listed_read_and_deleted(self, platform: Api, tmp_path: Path) -> None:
        made = command(platform, "backup_create", passphrase=PASSPHRASE)
        assert made.status_code == 202
        address = made.json()["data"]["resource_uri"]
        (listed,) = platform.list("system_backup/")
        assert address == f"{BASE}system_backup/{listed['filename']}/" == listed["resource_uri"]
        assert set(listed) >= {"filename", "date", "build", "version", "size", "type", "sha256sum"}
        assert "id" not in listed
        answer = platform("GET", address)
        data = b"".join(answer.streaming_content)
        assert (len(data), answer["Content-Length"]) == (listed["size"], str(listed["size"]))
        assert archive(data, tmp_path).manifest.kind == listed["type"] == "manual"
        assert platform("POST", "system_backup/", {}).status_code == 405
        assert platform("PATCH", address, {"version": "2"}).status_code == 405
        assert platform("DELETE", address).status_code == 204
        assert platform("GET", address).status_code == 404
        assert list(keeping.directory().iterdir()) == []

    def test_in_the_background(self, platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        begun: list[Any] = []
        monkeypatch.setattr(threading.Thread, "start", lambda thread: begun.append(thread))
        address = command(platform, "backup_create", passphrase="x", request="true").json()["data"]["resource_uri"]
        assert platform.read(address)["state"] == "pending"
        begun[0].run()
        done = platform.read(address)
        assert done["state"] == "completed"
        assert platform("GET", done["download_uri"]).status_code == 200

    def test_refusals(self, platform: Api) -> None:
        assert command(platform, "backup_create").json()["backup_create"] == {"passphrase": ["This field is required."]}
        assert command(platform, "backup_create", passphrase="x" * 1001).status_code == 400
        assert command(platform, "backup_create", passphrase="\x16pasted").status_code == 400
        missing = command(platform, "backup_restore", package="text", passphrase="x")
        assert "package" in missing.json()["backup_restore"]
        with jobs.alone():
            assert "is being made" in command(platform, "backup_create", passphrase="x").json()["message"]


class TestSchedule:
    def test_slots(self) -> None:
        assert last_slot(moment(4, 1, 2), 1, 24) == moment(4, 1, 2)
        assert last_slot(moment(4, 1, 1), 1, 24) == moment(3, 1, 2)
        assert last_slot(moment(4, 12, 0), 1, 4) == moment(4, 9, 2)
        assert last_slot(moment(4, 0, 0), 1, 4) == moment(3, 21, 2)
        assert last_slot(moment(4, 23, 59), 22, 1) == moment(4, 23, 2)
        assert last_slot(moment(4, 21, 0), 22, 1) == moment(3, 23, 2)

    @pytest.mark.spec("NODE-144", "SYS-128")
    def test_one_a_day(self, platform: Api, tmp_path: Path) -> None:
        schedule = Schedule()
        assert schedule.tick(moment(4, 0, 0)) is None, "not enabled"
        AutoBackup.objects.update(autobackup_enabled=True, autobackup_passphrase=PASSPHRASE)
        assert schedule.tick(moment(4, 1, 1)) is None
        made = schedule.tick(moment(4, 1, 3))
        assert made is not None
        file = keeping.path(made.filename)
        assert file is not None
        assert made.filename.startswith("rostra_auto_backup_")
        assert archive(file.read_bytes(), tmp_path).manifest.kind == "automatic"
        assert schedule.tick(moment(4, 1, 4)) is None
        assert schedule.tick(moment(5, 1, 1)) is None

    def test_what_was_missed_is_made_up_for(self, platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        AutoBackup.objects.update(autobackup_enabled=True, autobackup_passphrase=PASSPHRASE)
        made: list[str] = []

        def create(_passphrase: str, kind: str) -> SystemBackup:
            made.append(kind)
            return SystemBackup(filename="x")

        monkeypatch.setattr(keeping, "create", create)
        assert Schedule().tick(moment(4, 12, 0)) is None, "just enabled: the next slot is the first"
        SystemBackup.objects.create(filename="old", type="automatic", size=1, date=moment(4, 1, 2))
        assert Schedule().tick(moment(4, 12, 0)) is None
        assert Schedule().tick(moment(5, 12, 0)) is not None, "we were off at 01:02"
        assert made == ["automatic"]

    def test_what_failed_waits_for_the_next_slot(self, platform: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        AutoBackup.objects.update(autobackup_enabled=True, autobackup_passphrase=PASSPHRASE)
        calls: list[str] = []

        def create(*_: Any) -> SystemBackup:
            calls.append("")
            raise NoRoom("full")

        monkeypatch.setattr(keeping, "create", create)
        schedule = Schedule()
        schedule.tick(moment(4, 0, 0))
        for minute in (3, 4, 5):
            assert schedule.tick(moment(4, 1, minute)) is None
        assert len(calls) == 1
        schedule.tick(moment(5, 1, 3))
        assert len(calls) == 2

    def test_an_upload_that_fails_raises_an_alarm_until_one_works(self, platform: Api) -> None:
        AutoBackup.objects.update(
            autobackup_enabled=True, autobackup_passphrase=PASSPHRASE, autobackup_upload_url="ftp://files.example.test"
        )
        sent: list[Target] = []

        def send(target: Target, file: Path) -> None:
            sent.append(target)
            assert file.exists()
            if len(sent) == 1:
                raise NotSent("files.example.test: refused")

        schedule = Schedule(send)
        schedule.tick(moment(4, 0, 0))
        assert schedule.tick(moment(4, 1, 3)) is not None, "the backup itself is there"
        alarm = Alarm.objects.get(name="autobackup_upload_failed", time_lowered=None)
        assert "refused" in alarm.details
        schedule.tick(moment(5, 1, 3))
        assert not Alarm.objects.filter(name="autobackup_upload_failed", time_lowered=None).exists()


class Server(NamedTuple):
    url: str
    commands: list[str]
    files: dict[str, bytes]


class _Ftp(socketserver.StreamRequestHandler):
    """As much of a file server as sending a file takes."""

    def handle(self) -> None:
        server: Any = self.server
        data = socketserver.socket.create_server(("127.0.0.1", 0))
        port = data.getsockname()[1]
        self._say("220 ready")
        held = ""
        while line := self.rfile.readline().decode().strip():
            server.commands.append(line)
            word, _, rest = line.partition(" ")
            match word:
                case "USER":
                    self._say("331 password")
                case "PASS":
                    self._say("230 in" if rest == "letmein" else "530 wrong")
                case "EPSV":
                    self._say(f"229 Entering (|||{port}|)")
                case "PASV":
                    self._say(f"227 Entering (127,0,0,1,{port >> 8},{port & 255})")
                case "STOR":
                    self._say("150 go on")
                    connection, _ = data.accept()
                    with connection, connection.makefile("rb") as content:
                        server.files[rest] = content.read()
                    self._say("226 done")
                case "RNFR":
                    held = rest
                    self._say("350 to what")
                case "RNTO":
                    server.files[rest] = server.files.pop(held)
                    self._say("250 renamed")
                case "QUIT":
                    self._say("221 bye")
                    break
                case _:
                    self._say("200 well")
        data.close()

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def ftp() -> Iterator[Server]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Ftp) as server:
        found = Server(f"ftp://127.0.0.1:{server.server_address[1]}/backups/a%20b/", [], {})
        server.commands, server.files = found.commands, found.files  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class TestSending:
    def test_a_file_arrives_under_its_name_at_last(self, ftp: Server, tmp_path: Path) -> None:
        (tmp_path / "b.tar.gpg").write_bytes(b"x" * 100_000)
        sending.send(Target(ftp.url, "me", "letmein"), tmp_path / "b.tar.gpg")
        assert ftp.files == {"/backups/a b/b.tar.gpg": b"x" * 100_000}
        assert "STOR /backups/a b/b.tar.gpg.part" in ftp.commands

    def test_what_goes_wrong_is_said_without_the_password(self, ftp: Server, tmp_path: Path) -> None:
        (tmp_path / "b").write_bytes(b"x")
        for target in (
            Target(ftp.url, "me", "hidden"),
            Target(ftp.url.replace("ftp:", "ftps:"), "me", "hidden"),
            Target("ftp://127.0.0.1:1/", "me", "hidden"),
            Target("http://127.0.0.1/", "me", "hidden"),
        ):
            with pytest.raises(NotSent) as problem:
                sending.send(target, tmp_path / "b")
            assert "hidden" not in str(problem.value)
            assert "hidden" not in repr(target)
        assert ftp.files == {}
