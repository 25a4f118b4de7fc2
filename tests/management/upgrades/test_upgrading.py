"""Upgrading the platform: the bundle comes in, the machines take it one after the other."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rostra import bundle, release, software
from rostra.configuration.models import FabricMember, SystemLocation, WorkerVM
from rostra.management.upgrades import running, uploads
from rostra.management.upgrades.deciding import CALLS_CLEAR, OVERALL, Seen, Status
from rostra.management.upgrades.models import MANAGEMENT, Upgrade, UpgradeRequest
from tests.management.conftest import BASE, ENVIRONMENT, Api
from tests.test_bundle import KEY, make, manifest

COMMAND = "/api/admin/command/v1/platform/upgrade/"
PAGE = "/admin/utilities/upgrade/"


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle of version 99.1."""
    return make(tmp_path_factory.mktemp("bundle")).read_bytes()


@pytest.fixture
def trusting(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Management Node that takes software signed by KEY, with a node beside it and two others."""
    keys = tmp_path / "keys.pem"
    keys.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    own = dataclasses.replace(ENVIRONMENT, home=tmp_path / "home", software_keys=str(keys))
    own.management_home.mkdir(parents=True)
    monkeypatch.setattr(settings, "ROSTRA", own)
    for number in (2, 3):
        address = f"10.0.0.{number}"
        node = WorkerVM.objects.create(
            pk=number, name=f"node{number}", hostname=f"node{number}", domain="test", address=address,
            netmask="255.255.255.0", gateway="10.0.0.1", system_location=SystemLocation.objects.get(pk=1),
        )  # fmt: skip
        FabricMember.objects.create(node=node, fingerprint=str(number) * 64, address=address, port=6222)
    yield
    monkeypatch.undo()


class Nodes:
    """Nodes that do as they are told."""

    def __init__(self) -> None:
        self.seen = {key: Seen(alive=True, version=release.VERSION, build="0", progress="idle") for key in (1, 2, 3)}
        self.installed: list[int] = []

    def look(self, keys: list[int], ask: int | None) -> dict[int, Seen]:
        rows = dict(WorkerVM.objects.values_list("pk", "maintenance_mode"))
        return {key: dataclasses.replace(self.seen[key], maintenance=rows[key]) for key in keys}

    def install(self, key: int, upgrade: Upgrade) -> None:
        self.installed.append(key)
        self.change(key, progress="restarting")

    def change(self, key: int, **values: Any) -> None:
        self.seen[key] = dataclasses.replace(self.seen[key], **values)

    def upgrade(self, key: int) -> None:
        self.seen[key] = Seen(alive=True, version="99.1", build="7", progress="idle")


def post(api: Api, path: str, **values: Any) -> Any:
    return api._client.post(path, values, headers={"Authorization": api._authorization})


def package(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("bundle.tar", data)


def words() -> dict[int, str]:
    upgrade = Upgrade.objects.first()
    assert upgrade is not None
    return dict(upgrade.items.values_list("node", "status"))  # type: ignore[attr-defined]


def begun(data: bytes) -> Upgrade:
    return running.begin(uploads.take(len(data), [data]), now=1000.0)


def after_restart(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """The Management Node comes back by the new software."""
    monkeypatch.setattr(release, "VERSION", "99.1")
    monkeypatch.setattr(release, "build", lambda: "7")
    running.recover(now)


@pytest.mark.spec("NODE-094", "NODE-095", "NODE-101", "NODE-103", "NODE-107")
def test_the_whole_platform(trusting: None, bundled: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    restarts: list[str] = []
    nodes = Nodes()
    runner = running.Runner(nodes, lambda: restarts.append("all"))
    assert not runner.tick(999.0)
    begun(bundled)
    WorkerVM.objects.filter(pk=3).update(maintenance_mode=True)
    nodes.change(1, calls=2)
    runner.tick(1001.0)
    assert words() == {MANAGEMENT: Status.WAITING, 1: Status.PENDING, 2: Status.PENDING, 3: Status.PENDING}
    assert WorkerVM.objects.get(pk=1).maintenance_mode, "the node beside it goes with the Management Node"
    nodes.change(1, calls=0)
    runner.tick(1002.0)
    assert words()[MANAGEMENT] == Status.REBOOTING
    assert restarts == ["all"]
    current = software.current(uploads.environment().home)
    assert current is not None
    assert current.name == "99.1-7"
    after_restart(monkeypatch, 1010.0)
    nodes.upgrade(1)
    for tick in range(12):
        runner.tick(1020.0 + tick)
        for key in nodes.installed:
            if words()[key] == Status.REBOOTING:
                nodes.upgrade(key)
        assert sum(word not in (Status.NONE, Status.PENDING) for word in words().values()) <= 1, "one at a time"
    assert nodes.installed == [2, 3]
    assert set(words().values()) == {Status.NONE}
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()
    assert not runner.tick(1100.0)
    upgrade = Upgrade.objects.get()
    assert (upgrade.reason, upgrade.ended is not None) == ("", True)
    assert not uploads.path(upgrade.request).exists()


@pytest.mark.spec("NODE-096", "NODE-097")
def test_what_is_not_upgraded_keeps_its_version(
    trusting: None, bundled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = Nodes()
    runner = running.Runner(nodes, lambda: None)
    begun(bundled)
    runner.tick(1001.0)
    runner.tick(1002.0)
    after_restart(monkeypatch, 1010.0)
    nodes.upgrade(1)
    nodes.change(2, calls=3)
    nodes.seen[3] = Seen()
    for tick in range(6):
        runner.tick(1020.0 + tick)
    assert words()[2] in (Status.WAITING, Status.PREPARING)
    runner.tick(1030.0 + CALLS_CLEAR)
    assert words()[2] == Status.TIMEOUT
    assert not WorkerVM.objects.get(pk=2).maintenance_mode
    runner.tick(1031.0 + CALLS_CLEAR)
    assert words()[3] == Status.UNREACHABLE
    runner.tick(1001.0 + OVERALL)
    assert "24 hours" in Upgrade.objects.get().reason
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()


@pytest.mark.spec("NODE-099")
def test_one_upgrade_until_it_ends_or_the_management_node_is_restarted(trusting: None, bundled: bytes) -> None:
    begun(bundled)
    with pytest.raises(running.Failed, match="in progress"):
        running.begin(uploads.take(len(bundled), [bundled]))
    running.recover(1100.0)
    assert "was restarted" in Upgrade.objects.get().reason
    running.begin(uploads.take(len(bundled), [bundled]))


def test_new_software_that_does_not_come_up(trusting: None, bundled: bytes) -> None:
    runner = running.Runner(Nodes(), lambda: None)
    begun(bundled)
    runner.tick(1001.0)
    runner.tick(1002.0)
    assert words()[MANAGEMENT] == Status.REBOOTING
    running.recover(1100.0)
    assert "did not start with the new version" in Upgrade.objects.get().reason
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()


def test_software_that_cannot_take_over_the_database(trusting: None, bundled: bytes, tmp_path: Path) -> None:
    own = uploads.environment()
    sqlite3.connect(own.management_home / "management.db").close()
    good = make(tmp_path / "good").read_bytes()
    runner = running.Runner(Nodes(), lambda: None)
    source = tmp_path / "bad" / "tree"
    file = make(tmp_path / "bad", version="99.2")
    program = source / "src" / "rostra" / "cli" / "__main__.py"
    program.write_text("import rostra, sys; 'rehearsal' in sys.argv and sys.exit('no such column'); print('99.2')")
    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    bundle.write(file, source, names, manifest(version="99.2"), KEY)
    begun(file.read_bytes())
    runner.tick(1001.0)
    runner.tick(1002.0)
    assert "cannot take over the database; it says: no such column" in Upgrade.objects.get().reason
    assert software.current(own.home) is None
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()
    begun(good)
    runner.tick(1003.0)
    runner.tick(1004.0)
    assert words()[MANAGEMENT] == Status.REBOOTING
    assert not list(own.management_home.glob("rehearsal-*"))


def test_in_pieces(trusting: None, api: Api, bundled: bytes) -> None:
    opened = post(api, COMMAND, request="true", total_size=str(len(bundled))).json()["data"]
    assert opened["next_url"].endswith("/upload/")
    half = len(bundled) // 2
    answer = api("POST", opened["next_url"], bundled[:half])
    assert (answer.status_code, answer.json()["offset"], answer.json()["ok"]) == (200, half, True)
    again = api("POST", opened["next_url"], bundled[:half], **{"Content-Range": f"bytes 0-{half - 1}/{len(bundled)}"})
    assert (again.status_code, again.json()["offset"]) == (409, half)
    early = api("POST", answer.json()["next_url"].replace("upload", "finish"), {"validate_only": True})
    assert early.status_code == 400
    rest = f"bytes {half}-{len(bundled) - 1}/{len(bundled)}"
    answer = api("POST", opened["next_url"], bundled[half:], **{"Content-Range": rest})
    checked = api("POST", answer.json()["next_url"], {"validate_only": True}).json()
    assert checked["upgrade"]["version"] == "99.1 (7)"
    assert checked["current"]["major"] == release.VERSION
    assert not Upgrade.objects.exists()
    read = api.read(f"{BASE}upgrade_request/{opened['upload_id']}/")
    assert (read["state"], read["offset"], read["uuid"]) == ("ready", len(bundled), opened["upload_id"])
    assert api("POST", opened["next_url"], b"more").status_code == 400
    assert api("POST", checked["next_url"], {}).status_code == 200
    assert Upgrade.objects.get().version == "99.1"
    assert api("DELETE", f"{BASE}upgrade_request/{opened['upload_id']}/").status_code == 400, "in use"


def test_refusals(trusting: None, api: Api, bundled: bytes) -> None:
    assert "damaged" in post(api, COMMAND, package=package(bundled[:-1_000_000])).json()["message"]
    assert post(api, COMMAND).status_code == 400
    assert post(api, COMMAND, request="true").status_code == 400
    assert post(api, f"{BASE}upgrade/", package=package(b"nonsense")).status_code == 400
    assert api("GET", "upgrade/").status_code == 405
    assert post(api, COMMAND, request="true", total_size=str(10**13)).json()["status"] == "failed"
    assert not UpgradeRequest.objects.exists()
    assert list((uploads.environment().management_home / "upgrades").iterdir()) == []
    opened = post(api, COMMAND, request="true", total_size="10").json()["data"]
    assert api("POST", opened["next_url"], b"x" * 11).status_code == 400
    cancelled = api("POST", opened["next_url"].replace("upload", "cancel"), {})
    assert cancelled.status_code == 200
    assert api("GET", f"{BASE}upgrade_request/{opened['upload_id']}/").status_code == 404
    assert api("GET", f"{BASE}upgrade_request/nonsense/").status_code == 404
    nobody = Client()
    for path in (f"{BASE}upgrade/", opened["next_url"]):
        assert nobody.post(path, b"x", content_type="text/plain").status_code == 401


def test_nodes_get_the_bundle_by_its_token_only(trusting: None, bundled: bytes) -> None:
    nobody = Client()
    assert nobody.get("/api/enrol/software/x").status_code == 404
    upgrade = begun(bundled)
    answer = nobody.get(f"/api/enrol/software/{upgrade.token}")
    assert b"".join(answer.streaming_content) == bundled  # type: ignore[attr-defined]
    assert nobody.get(f"/api/enrol/software/{upgrade.token[:-1]}").status_code == 404
    running.end(upgrade, 2000.0)
    assert nobody.get(f"/api/enrol/software/{upgrade.token}").status_code == 404


@pytest.mark.spec("NODE-092", "NODE-093")
def test_in_the_site(trusting: None, browser: Client, bundled: bytes) -> None:
    assert "Continue" in browser.get(PAGE).content.decode()
    refused = browser.post(PAGE, {"package": package(b"nonsense")})
    assert refused.status_code == 400
    assert "not a software bundle" in refused.content.decode()
    address = browser.post(PAGE, {"package": package(bundled)})["Location"]
    question = browser.get(address).content.decode()
    assert "Existing software version" in question
    assert release.VERSION in question
    assert "99.1 (7)" in question
    assert not Upgrade.objects.exists()
    started = browser.post(address, {"start": "yes"})
    assert started["Location"] == f"{PAGE}status/"
    page = browser.get(started["Location"]).content.decode()
    assert '<meta http-equiv="refresh" content="5">' in page
    assert page.count("Upgrade pending") == 4
    for name in ("Management Node", "node1", "node2", "Installed version"):
        assert name in page
    assert running.going_on() == {MANAGEMENT: "PENDING", 1: "PENDING", 2: "PENDING", 3: "PENDING"}
    assert "An upgrade is in progress" in browser.get(PAGE).content.decode()
