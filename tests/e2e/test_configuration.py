"""What an administrator changes reaches calls at once; calls go on without the Management Node."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.platform import Platform, wait_until

pytestmark = pytest.mark.e2e

CONFERENCES = "/api/admin/configuration/v1/conference/"
GLOBAL = "/api/admin/configuration/v1/global/1/"
ALIASES = "/api/admin/configuration/v1/conference_alias/"


def join(client: httpx.Client, alias: str) -> httpx.Response:
    return client.post(f"/api/client/v2/conferences/{alias}/request_token", json={"display_name": "Ada"})


def token(answer: httpx.Response) -> dict[str, str]:
    return {"token": answer.json()["result"]["token"]}


def test_a_new_room_can_be_called_within_two_seconds(platform: Platform) -> None:
    with platform.api() as api, platform.client() as client:
        delays = []
        for index in range(5):
            alias = f"room{index}@example.org"
            assert join(client, alias).status_code == 404
            body = {"name": f"Room {index}", "service_type": "conference", "aliases": [{"alias": alias}]}
            created = api.post(CONFERENCES, json=body)
            assert created.status_code == 201, created.text
            delays.append(wait_until(lambda name=alias: join(client, name).status_code == 200, 2))
        print(f"configuration change to callable: {sorted(delays)[2] * 1000:.0f} ms (median of 5)")


def test_removing_an_alias_stops_new_calls_and_not_running_ones(platform: Platform) -> None:
    with platform.api() as api, platform.client() as client:
        body = {"name": "Short lived", "service_type": "conference", "aliases": [{"alias": "short.lived"}]}
        api.post(CONFERENCES, json=body)
        wait_until(lambda: join(client, "short.lived").status_code == 200, 2)
        running = token(join(client, "short.lived"))
        alias = api.get(ALIASES, params={"alias": "short.lived"}).json()["objects"][0]
        assert api.delete(alias["resource_uri"]).status_code == 204
        wait_until(lambda: join(client, "short.lived").status_code == 404, 2)
        path = "/api/client/v2/conferences/short.lived"
        assert client.get(f"{path}/participants", headers=running).status_code == 200
        assert client.post(f"{path}/refresh_token", headers=running).status_code == 200


def test_a_pin_is_asked_for_and_three_wrong_ones_admit_nobody(platform: Platform) -> None:
    with platform.api() as api, platform.client() as client:
        body = {"name": "Private", "service_type": "conference", "pin": "1234", "aliases": [{"alias": "private"}]}
        api.post(CONFERENCES, json=body)
        wait_until(lambda: join(client, "private").status_code == 403, 2)
        assert join(client, "private").json()["result"]["pin"] == "required"
        path = "/api/client/v2/conferences/private/request_token"
        for _ in range(3):
            wrong = client.post(path, json={"display_name": "Eve"}, headers={"pin": "9999"})
            assert (wrong.status_code, wrong.json()["result"]) == (403, "Invalid PIN")
        right = client.post(path, json={"display_name": "Ada"}, headers={"pin": "1234"})
        assert right.json()["result"]["role"] == "HOST"


@pytest.mark.spec("SYS-098", "SYS-100", "SYS-143")
def test_sip_ports_come_and_go_with_the_settings(platform: Platform) -> None:
    """A phone without transport settings is heard at first; UDP switched off it is not, and TCP goes on."""
    port = platform.environment.sip_port
    with platform.api() as api:
        assert _options(socket.SOCK_DGRAM, port) == b"SIP/2.0 200 OK"
        delays = []
        for on in (False, True):
            changed = api.patch(GLOBAL, json={"enable_sip_udp": on})
            assert changed.status_code in (200, 202), changed.text
            delays.append(wait_until(lambda on=on: (_options(socket.SOCK_DGRAM, port) != b"") is on, 5))
            assert _options(socket.SOCK_STREAM, port) == b"SIP/2.0 200 OK"
        print(f"SIP over UDP off and on again: {delays[0] * 1000:.0f} ms, {delays[1] * 1000:.0f} ms")


def _options(kind: socket.SocketKind, port: int) -> bytes:
    """First line of the answer to OPTIONS; nothing without one."""
    with socket.socket(socket.AF_INET, kind) as phone:
        phone.settimeout(0.3 if kind == socket.SOCK_DGRAM else 5)
        phone.connect(("127.0.0.1", port))
        name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        number = time.monotonic_ns()
        try:
            phone.sendall(
                (
                    f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{name} 127.0.0.1;rport;branch=z9hG4bK{number}\r\n"
                    f"From: <sip:phone@127.0.0.1>;tag=a\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {number}\r\n"
                    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                ).encode()
            )
            return phone.recv(4000).partition(b"\r\n")[0]
        except (TimeoutError, ConnectionRefusedError):
            return b""


def test_calls_go_on_without_the_management_node(platform: Platform) -> None:
    """Killed and restarted by the supervisor; the node never notices."""
    with platform.client() as client:
        running = token(join(client, "meet.demo"))
        node = platform.child("node")
        os.kill(platform.child("management"), signal.SIGKILL)
        path = "/api/client/v2/conferences/meet.demo"
        assert client.post(f"{path}/refresh_token", headers=running).status_code == 200
        assert join(client, "meet.demo").status_code == 200
        assert platform.child("node") == node
        wait_until(lambda: _answers(f"{platform.management}/healthz"), 30, "the supervisor did not restart it")
    add_a_room_and_call_it(platform)


def add_a_room_and_call_it(platform: Platform) -> None:
    with platform.api() as api, platform.client() as client:
        name = f"after.{time.monotonic_ns()}"
        body = {"name": name, "service_type": "conference", "aliases": [{"alias": name}]}
        created = api.post(CONFERENCES, json=body)
        assert created.status_code == 201, created.text
        wait_until(lambda: join(client, name).status_code == 200, 5, platform.logs())


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, verify=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_node_starts_and_serves_without_the_management_node(tmp_path: Path) -> None:
    """First a whole platform, so that the node has its configuration; then the fabric and the node alone."""
    from tests.e2e.platform import fresh_environment

    platform = Platform(fresh_environment(tmp_path)).start()
    assert platform.stop() == 0
    alone = Platform(platform.environment, "node").start()
    try:
        with platform.client() as client:
            assert join(client, "meet.demo").status_code == 200
    finally:
        code = alone.stop()
    assert code == 0, alone.logs()
