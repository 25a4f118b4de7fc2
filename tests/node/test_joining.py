"""A Management Node and nodes as real processes: how a machine becomes a node, how it ends being one."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from rostra.environment import Environment
from rostra.fabric import nodefile
from tests.e2e.platform import ROOT, Platform, fresh_environment, wait_until

pytestmark = pytest.mark.e2e

CONFIGURATION = "/api/admin/configuration/v1"
COMMAND = "/api/admin/command/v1/platform/node_configuration/"


@pytest.fixture(scope="module")
def management(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A Management Node on a machine of its own."""
    running = Platform(fresh_environment(tmp_path_factory.mktemp("management")), "management").start()
    try:
        yield running
    finally:
        running.stop()


def add(management: Platform, name: str, address: str) -> tuple[int, bytes]:
    """Add a node; its id and its configuration file."""
    with management.api() as api:
        location = f"{CONFIGURATION}/system_location/1/"
        network = {"address": address, "netmask": "255.0.0.0", "gateway": "127.0.0.1", "system_location": location}
        body = {"name": name, "hostname": name, "domain": "example.com", "password": "x", **network}
        created = api.post(f"{CONFIGURATION}/worker_vm/", json=body)
        assert created.status_code == 201, created.text
        key = int(created.headers["location"].rstrip("/").rsplit("/", 1)[1])
        answer = api.post(COMMAND, json={"worker_vm_id": key})
        assert answer.status_code == 200, answer.text
        return key, answer.content


def delete(management: Platform, key: int) -> None:
    with management.api() as api:
        assert api.delete(f"{CONFIGURATION}/worker_vm/{key}/").status_code == 204


def machine(home: Path, address: str, **changes: Any) -> Environment:
    return dataclasses.replace(fresh_environment(home), address=address, media_address="", **changes)


def page(node: Platform) -> httpx.Client:
    """The bootstrap page's client."""
    base = f"https://{node.environment.address}:{node.environment.bootstrap_port}"
    return httpx.Client(base_url=base, verify=False, timeout=20)


def upload(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/", files={"file": ("any name.xml", content, "application/xml")})


def hosts_calls(node: Platform) -> bool:
    """Does the node let somebody into the demo room?"""
    with node.client() as client:
        try:
            path = "/api/client/v2/conferences/meet.demo/request_token"
            return client.post(path, json={"display_name": "Ada"}).status_code == 200
        except httpx.TransportError:
            return False


def ended(node: Platform, code: int, seconds: float = 30) -> float:
    took = wait_until(lambda: node.process.poll() is not None, seconds, "it goes on:\n" + node.logs())
    assert node.process.returncode == code, "".join(node.output)
    return took


def said(node: Platform, text: str, seconds: float = 10) -> None:
    wait_until(lambda: text in "".join(node.output), seconds, f"did not say {text!r}")


def refused(home: Path, file: Path, **changes: Any) -> str:
    """Why `rostra node --config` does not become the node."""
    environment = machine(home, "127.0.0.9", **changes)
    command = [str(Path(sys.executable).parent / "rostra"), "node", "--config", str(file)]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment.variables()}, capture_output=True, timeout=60
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.decode()


@pytest.mark.spec("NODE-058", "NODE-038", "NODE-039", "NODE-055")
def test_a_page_makes_a_machine_the_node_its_file_is_for(management: Platform, tmp_path: Path) -> None:
    key, good = add(management, "page", "127.0.0.2")
    file = nodefile.read(good)
    node = Platform(machine(tmp_path / "node", "127.0.0.2"), "node").start("Waiting for a configuration file")
    try:
        with page(node) as client:
            first = client.get("/")
            assert (first.status_code, 'type="file"' in first.text, "Upload" in first.text) == (200, True, True)
            variant = variants(file)
            for content, reason in (
                (b"nonsense", "not XML"),
                (b"<html/>", "not a Conferencing Node configuration"),
                (good[:-20], "damaged"),
                (b" " * 600_000, "too large"),
                (variant(version="0.0.9"), "version 0.0.9"),
                (variant(address="192.0.2.99"), "not an address of this machine"),
                (variant(secret=bytes(32)), "does not accept this configuration"),
                (variant(management=("127.0.0.1",), management_port=1), "Nothing is lost"),
            ):
                answer = upload(client, content)
                assert answer.status_code == (503 if "lost" in reason else 400)
                assert reason in answer.text, answer.text
            assert client.post("/", content=b"").status_code == 400
            assert client.post("/", data={"x": "y"}, files={"other": b""}).status_code == 400
            began = time.monotonic()
            accepted = client.post("/configuration/bootstrap", content=good, headers={"Content-Type": "text/xml"})
        assert accepted.status_code == 200, accepted.text
        assert f"page (n{key})" in accepted.text
        said(node, "ready", 60)
        wait_until(lambda: hosts_calls(node), 30, node.logs())
        print(f"hosts calls {time.monotonic() - began:.1f} s after the upload")
        assert time.monotonic() - began < 60

        with management.api() as api:  # and follows the configuration
            body = {"name": "Far", "service_type": "conference", "aliases": [{"alias": "far"}]}
            created = api.post(f"{CONFIGURATION}/conference/", json=body)
            assert created.status_code == 201
        with node.client() as client:
            path = "/api/client/v2/conferences/far/request_token"
            took = wait_until(lambda: client.post(path, json={"display_name": "A"}).status_code == 200, 5)
            print(f"a change is in force after {took * 1000:.0f} ms")

        second = tmp_path / "second.xml"
        second.write_bytes(variants(file)(address="127.0.0.9"))
        assert "used before" in refused(tmp_path / "second", second)

        assert node.stop() == 0
        node.start()  # without a file or a page
        wait_until(lambda: hosts_calls(node), 30, node.logs())
        private = [node.environment.home / "fabric" / "key.pem", node.environment.home / "node" / "identity.json"]
        assert [oct(path.stat().st_mode & 0o777) for path in private] == ["0o600", "0o600"]
    finally:
        node.stop()


def variants(file: nodefile.NodeFile) -> Any:
    """Makes variants of the file."""

    def variant(**changes: Any) -> bytes:
        return nodefile.write(msgspec.structs.replace(file, **changes))

    return variant


def test_unattended_it_waits_for_the_management_node(management: Platform, tmp_path: Path) -> None:
    """The file is there at the first start, the Management Node is not yet."""
    _, content = add(management, "early", "127.0.0.3")
    file = tmp_path / "node.xml"
    file.write_bytes(content)
    node = Platform(machine(tmp_path / "node", "127.0.0.3"), "node", "--config", str(file))
    try:
        assert management.stop() == 0
        try:
            node.start("The Management Node at https://127.0.0.1:")
        finally:
            management.start()
        said_ready = wait_until(lambda: "ready\n" in node.output, 100)
        print(f"ready {said_ready:.1f} s after the Management Node")
        wait_until(lambda: hosts_calls(node), 30)
        assert node.stop() == 0
        node.start()  # the file of an earlier start does no harm
    finally:
        node.stop()


@pytest.mark.spec("NODE-078")
def test_a_deleted_node_ends_and_the_same_names_come_again(management: Platform, tmp_path: Path) -> None:
    file = tmp_path / "node.xml"
    key, content = add(management, "phoenix", "127.0.0.4")
    file.write_bytes(content)
    node = Platform(machine(tmp_path / "node", "127.0.0.4"), "node", "--config", str(file)).start()
    wait_until(lambda: hosts_calls(node), 30)
    began = time.monotonic()
    delete(management, key)
    ended(node, 3)
    print(f"ended {time.monotonic() - began:.1f} s after it was deleted")
    said(node, "was deleted from the platform")
    log = (management.environment.home / "nats" / "nats.conf").read_text()
    assert f'"n{key}"' not in log
    assert "127.0.0.4" not in log

    again = Platform(node.environment, "node", "--config", str(file))
    with pytest.raises(AssertionError):
        again.start()
    assert "does not accept this configuration" in "".join(again.output)
    _, content = add(management, "phoenix", "127.0.0.4")
    file.write_bytes(content)
    again = Platform(node.environment, "node", "--config", str(file)).start()
    try:
        wait_until(lambda: hosts_calls(again), 30)
    finally:
        assert again.stop() == 0


def test_a_node_deleted_while_it_was_off_is_told_so(management: Platform, tmp_path: Path) -> None:
    """Nobody lets it in, so it cannot hear of it over the fabric."""
    file = tmp_path / "node.xml"
    key, content = add(management, "sleeper", "127.0.0.5")
    file.write_bytes(content)
    node = Platform(machine(tmp_path / "node", "127.0.0.5"), "node", "--config", str(file)).start()
    wait_until(lambda: hosts_calls(node), 30)
    assert node.stop() == 0
    delete(management, key)
    node.launch()
    took = ended(node, 3, 60)
    print(f"noticed {took:.0f} s after its start")
    said(node, "was deleted from the platform")


@pytest.mark.spec("NODE-006")
def test_a_copied_machine_is_no_second_node(management: Platform, tmp_path: Path) -> None:
    file = tmp_path / "node.xml"
    _, content = add(management, "original", "127.0.0.6")
    file.write_bytes(content)
    original = Platform(machine(tmp_path / "original", "127.0.0.6"), "node", "--config", str(file)).start()
    copy = Platform(machine(tmp_path / "copy", "127.0.0.6"), "node")
    try:
        wait_until(lambda: hosts_calls(original), 30)
        shutil.copytree(original.environment.home, copy.environment.home, ignore=shutil.ignore_patterns("lock", "pid"))
        copy.start("Starting")
        ended(copy, 3, 30)
        said(copy, "Another machine runs with this node's identity")
        assert original.process.poll() is None
        assert hosts_calls(original)
        # On a machine with another address it does not even start.
        identity = copy.environment.home / "node" / "identity.json"
        identity.write_text(json.dumps({**json.loads(identity.read_text()), "address": "192.0.2.66"}))
        assert "not an address of this machine" in refused_start(copy.environment)
    finally:
        original.stop()
        if copy.process.poll() is None:
            copy.stop()


def refused_start(environment: Environment) -> str:
    command = [str(Path(sys.executable).parent / "rostra"), "node"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment.variables()}, capture_output=True, timeout=60
    )
    assert done.returncode == 1
    return done.stderr.decode()


def test_a_damaged_file_ends_an_unattended_start(tmp_path: Path) -> None:
    file = tmp_path / "node.xml"
    assert "cannot be read" in refused(tmp_path / "a", file)
    file.write_text("<rostra-node")
    assert "not XML" in refused(tmp_path / "b", file)


def test_the_fabric_of_a_machine_is_back_within_a_second(management: Platform) -> None:
    (nats,) = management.find("nats-server")
    os.kill(nats, signal.SIGKILL)
    took = wait_until(lambda: [pid for pid in management.find("nats-server") if pid != nats], 5)
    print(f"nats-server is back after {took * 1000:.0f} ms")
    assert took < 1
    with httpx.Client(verify=False) as client:
        wait_until(lambda: client.get(f"{management.management}/healthz").status_code == 200, 10)
