"""What an administrator changes reaches calls at once; calls go on without the Management Node."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.platform import Platform, wait_until

pytestmark = pytest.mark.e2e

CONFERENCES = "/api/admin/configuration/v1/conference/"
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
