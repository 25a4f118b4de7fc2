"""Who becomes part of the platform while it works, who leaves it, and who stays out."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from rostra.fabric import credentials
from tests.cluster.callers import Caller, phone, sip, until_same
from tests.cluster.cluster import Cluster
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(platform: Cluster) -> Cluster:
    platform.location("A")
    platform.room("meet")
    platform.grow("one", "two", location="A")
    return platform


@pytest.mark.spec("CONF-016", "CONF-023", "CONF-024")
def test_a_device_registered_at_one_node_is_called_by_another(site: Cluster, tmp_path: Path) -> None:
    with site.api() as api:
        device = {"alias": "desk", "username": "desk", "password": "sesame"}
        assert api.post("/api/admin/configuration/v1/device/", json=device).status_code == 201
    host = Caller(site, "two", "meet", "host")
    registrar = sip(site, "one", "desk").partition("@")[2]
    with phone(site, tmp_path, "desk", 700, registrar=registrar, password="sesame", answers=True) as desk:
        (row,) = wait_for_rows(site, "registration_alias")
        assert (row["username"], row["node"]) == ("desk", site.address("one"))
        (called,) = host.post("dial", {"destination": "desk", "protocol": "sip", "role": "guest"})
        desk.wait_for("CALL_ESTABLISHED")
        wait_until(lambda: host.told("desk", "service_type") == "conference", 10)
        assert site.media()["desk"][0] == "one", "who holds the registration signals the call"
        host.act(called, "disconnect")
        desk.wait_for("CALL_CLOSED")
    host.leave()


def wait_for_rows(site: Cluster, resource: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = site.rows("status", resource)
        return bool(found)

    wait_until(there, 10)
    return found


@pytest.mark.spec("CONF-131", "DIAG-037", "DIAG-046")
def test_an_administrator_rules_over_conferences_of_several_nodes(site: Cluster, tmp_path: Path) -> None:
    """Commands of the management API reach whoever they are about, on whichever node; media statistics come back."""
    first, second = Caller(site, "one", "meet", "first"), Caller(site, "two", "meet", "second")
    until_same(first, second, names=["first", "second"])
    (conference,) = site.rows("status", "conference")
    meeting, two = {"conference_id": conference["id"]}, {"participant_id": second.uuid}
    site.command("participant/mute", **two)
    wait_until(lambda: first.told("second", "is_muted") == "YES", 5)
    site.command("conference/lock", **meeting)
    wait_until(lambda: first.flags["locked"] and second.flags["locked"], 5)
    late = Caller(site, "two", "meet", "late")
    assert late.names == ["late"], "who waits sees others"
    site.command("participant/unlock", participant_id=late.uuid)
    until_same(first, second, late, names=["first", "late", "second"])
    site.command("conference/unlock", **meeting)
    with phone(site, tmp_path, "talker", 700) as talker:
        talker.call(sip(site, "one", "meet"))
        (row,) = site.rows("status", "participant", display_name="talker")

        _figures_of_a_call(site, row)
        site.command("participant/disconnect", participant_id=row["id"])
        wait_until(lambda: talker.events("CALL_CLOSED"), 5)
    _what_is_kept_of_it(site, row)
    site.command("conference/disconnect", **meeting)
    for one in (first, second, late):
        wait_until(lambda one=one: one.left == "Conference terminated by an administrator", 5)
        one.leave()


def _figures_of_a_call(site: Cluster, row: dict[str, Any]) -> None:
    """Sound of 64 kbit/s each way, whole at first; then a tenth of what comes is lost."""
    assert (row["protocol"], row["bandwidth"], row["encryption"]) == ("SIP", 64, "Off")
    assert row["remote_port"] > 0

    def audio() -> dict[str, Any]:
        found = site.rows("status", f"participant/{row['id']}/media_stream", type="audio")
        return found[0] if found else dict.fromkeys(("rx_bitrate", "tx_packets_sent", "rx_packets_received"), 0)

    wait_until(lambda: 58 < audio()["rx_bitrate"] < 70 and audio()["rx_packets_received"] > 150, 15)
    stream = audio()
    print(stream)
    assert (stream["rx_codec"], stream["tx_codec"]) == ("PCMU", "PCMU")
    assert stream["tx_packets_sent"] > 100
    assert max(stream["rx_packets_lost"], stream["tx_packets_lost"]) <= 1
    assert 0 <= stream["rx_jitter"] < 30
    machine = next(one for one in site.network.machines.values() if one.address == stream["node"])
    machine.lose(site.network.gateway, 10)
    wait_until(lambda: audio()["rx_windowed_packet_loss"] > 2 and audio()["rx_packets_lost"] > 10, 15)


def _what_is_kept_of_it(site: Cluster, row: dict[str, Any]) -> None:
    wait_until(lambda: site.rows("history", "media_stream", participant=row["id"]), 15, "no streams in history")
    (stream,) = site.rows("history", "media_stream", participant=row["id"])
    print(stream)
    (call,) = site.rows("history", "participant", id=row["id"])
    assert [kept["stream_id"] for kept in call["media_streams"]] == ["0"]
    assert (stream["stream_type"], stream["rx_codec"], stream["tx_codec"]) == ("audio", "PCMU", "PCMU")
    assert 50 < stream["rx_bitrate"] < 70
    assert stream["rx_packets_received"] > 200
    assert stream["rx_packets_lost"] > 10
    assert 1 < stream["rx_packet_loss"] < 20
    assert stream["start_time"] < stream["end_time"]


@pytest.mark.spec("NODE-082")
def test_a_node_joins_and_is_deleted_while_people_talk(site: Cluster, tmp_path: Path) -> None:
    """From the configuration file to calls within a minute; deleted, it is out at once and so are its calls."""
    first = Caller(site, "one", "meet", "first")
    with phone(site, tmp_path, "near", 500) as near, phone(site, tmp_path, "far", 900) as far:
        near.call(sip(site, "one", "meet"))
        file = site.add("three", "A")
        started = time.monotonic()
        joined = site.start("three", file)
        print(f"node joined within {time.monotonic() - started:.1f} s")
        assert time.monotonic() - started < 60
        third = Caller(site, "three", "meet", "third")
        far.call(sip(site, "three", "meet"))
        until_same(first, third, names=["first", "third", "near", "far"])
        wait_until(lambda: near.hear(900)[0] > -50 and far.hear(500)[0] > -50, 20)

        before = credentials.of(joined.home)
        kept = str(shutil.copy(before.certificate, tmp_path)), str(shutil.copy(before.key, tmp_path))
        assert welcome(site.address("one"), 6222, *kept), "a member is not let in"
        with site.api() as api:
            deleted = api.delete(f"/api/admin/configuration/v1/worker_vm/{site.nodes.pop('three')}/")
            assert deleted.status_code == 204, deleted.text
        started = time.monotonic()
        until_same(first, names=["first", "near"], within=10)
        print(f"its calls were off the roster {time.monotonic() - started:.1f} s after it was deleted")
        wait_until(lambda: joined.process.poll() is not None, 30, "the deleted node goes on running")
        assert not near.events("CALL_CLOSED")
        near.hang_up()
        third.leave()
    assert not welcome(site.address("one"), 6222, *kept), "the deleted node's credentials still work"
    again = site.start("three", wait=False)
    wait_until(lambda: "Waiting for a configuration file" in "".join(again.output), 60, "a deleted node starts again")
    assert first.names == ["first"]
    first.leave()


def test_a_second_machine_with_the_same_file_is_refused(site: Cluster, tmp_path: Path) -> None:
    file = site.add("four", "A")
    site.start("four", file).stop()
    thief = site.network.add("thief")
    site.network.machines["four"].cut()
    thief.inside("ip", "address", "add", f"{site.address('four')}/24", "dev", "eth0")
    site.directory = tmp_path
    started = site.start("thief", file, wait=False)
    wait_until(lambda: started.process.poll() is not None, 30, "a file was accepted a second time")
    assert started.process.returncode == 1
    print("".join(started.output).strip().splitlines()[-1])


def test_nobody_without_a_certificate_reaches_the_fabric(site: Cluster, tmp_path: Path) -> None:
    """The port between machines wants a certificate of a member; the one inside a machine is not to be reached."""
    one = site.address("one")
    assert not welcome(one, 6222), "let in without a certificate"
    key = credentials.new_key()
    (tmp_path / "key.pem").write_bytes(credentials.key_bytes(key))
    made = ("openssl", "req", "-x509", "-key", tmp_path / "key.pem", "-subj", "/CN=n1", "-days", "2")
    subprocess.run([*made, "-out", tmp_path / "own.pem"], check=True, capture_output=True, timeout=20)
    assert not welcome(one, 6222, str(tmp_path / "own.pem"), str(tmp_path / "key.pem")), "let in by a made-up one"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((one, 4222), 5)


def welcome(address: str, port: int, certificate: str = "", key: str = "") -> bool:
    """Does the fabric greet whoever comes with this certificate?"""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    try:
        with socket.create_connection((address, port), 5) as plain, context.wrap_socket(plain) as secure:
            secure.settimeout(5)
            return secure.recv(4096).startswith(b"INFO")
    except OSError:
        return False
