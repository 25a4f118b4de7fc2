"""The Management Node as a process: first start, health, restart, taken port."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import sqlite3
import ssl
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from rostra.environment import Environment, EnvironmentProblem, Secret
from rostra.management.prepare import prepare
from tests.certificates import made
from tests.ports import free_port

from .conftest import ENVIRONMENT
from .processes import answer, running


async def _another_certificate(environment: Environment, client: httpx.AsyncClient, api: dict[str, Any]) -> None:
    """The one that is assigned is presented to who connects; `client`, which trusts the first, goes on (SYS-221)."""
    base = "/api/admin/configuration/v1"
    server = made("manager.example.test")
    body = {"certificate": server.pem, "private_key": server.key_pem, "nodes": [f"{base}/management_vm/1/"]}
    answered = await client.post(f"{base}/tls_certificate/", json=body, **api)
    assert answered.status_code == 201, answered.text
    assert answered.headers["strict-transport-security"] == "max-age=31536000"
    where = ("127.0.0.1", environment.management_https_port)
    async with asyncio.timeout(30):
        while await asyncio.to_thread(ssl.get_server_certificate, where) != server.pem:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (await client.get(f"{base}/tls_certificate/", **api)).status_code == 200
    assert (await client.delete(f"{base}/tls_certificate/1/", **api)).status_code == 204


@pytest.mark.spec("SYS-208", "SYS-211", "SYS-221", "SVC-114")
async def test_first_start_and_restart(fabric: Environment) -> None:
    async with running(fabric) as (process, client):
        await answer(client, "/healthz", 200)
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readuntil(b"password: "), 5)  # after what is logged
        password = (await process.stdout.readline()).decode().strip()
        assert len(password) >= 16
        api: dict[str, Any] = {"auth": ("admin", password)}
        base = "/api/admin/configuration/v1"
        assert (await client.get("/")).headers["location"] == "/admin/"
        assert (await client.get("/admin/login/")).status_code == 200
        assert (await client.get("/static/unfold/css/styles.css")).status_code == 200
        assert (await client.get("/static/rostra/favicon.svg")).status_code == 200
        rooms = (await client.get(f"{base}/conference/", **api)).json()["objects"]
        assert [(room["name"], room["aliases"][0]["alias"]) for room in rooms] == [
            ("Demo", "meet.demo"),
            ("Test Call Service", "test_call"),
        ]
        node = (await client.get(f"{base}/worker_vm/", **api)).json()["objects"][0]
        assert node["name"] == "node1"
        assert (await client.delete(f"{base}/conference/1/", **api)).status_code == 204
        await _another_certificate(fabric, client, api)
    home = fabric.management_home
    for file in ("secret.key", "management.db") if not fabric.database_url else ("secret.key",):
        assert stat.S_IMODE((home / file).stat().st_mode) == 0o600
    async with running(dataclasses.replace(fabric, admin_password=Secret("ignored"))) as (process, client):
        await answer(client, "/healthz", 200)
        rooms = (await client.get(f"{base}/conference/", **api)).json()["objects"]
        assert [room["name"] for room in rooms] == ["Test Call Service"], "a deleted Demo stays deleted"
        assert (await client.get(f"{base}/conference/", auth=("admin", "ignored"))).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_not_ready_without_the_fabric(environment: Environment) -> None:
    async with running(environment) as (_, client):
        assert (await answer(client, "/healthz", 503)).json() == {"ready": False}
        assert (await client.get("/admin/login/")).status_code == 200


async def test_taken_port_names_the_variable(environment: Environment) -> None:
    async def nothing(_reader: Any, _writer: Any) -> None: ...

    other = await asyncio.start_server(nothing, "0.0.0.0", environment.management_https_port)
    async with other, running(environment) as (process, _):
        assert process.stderr is not None
        errors = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
    assert f"ROSTRA_MANAGEMENT_HTTPS_PORT: port {environment.management_https_port}" in errors


@pytest.mark.parametrize("url", ["mysql://x/y", "postgres://host", "nonsense"])
def test_bad_database_address(tmp_path: Path, url: str) -> None:
    from rostra.environment import EnvironmentProblem
    from rostra.management.settings import database

    with pytest.raises(EnvironmentProblem, match="ROSTRA_DATABASE_URL"):
        database(url, tmp_path / "x")


async def test_an_unreachable_database_names_the_variable(environment: Environment) -> None:
    nowhere = dataclasses.replace(environment, database_url=f"postgres://rostra:hidden@127.0.0.1:{free_port()}/rostra")
    async with running(nowhere) as (process, _):
        assert process.stderr is not None
        errors = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
    assert "ROSTRA_DATABASE_URL: the database cannot be used" in errors
    assert "hidden" not in errors


@pytest.mark.sqlite_only
def test_database_survives_a_kill(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_of_another_version_is_refused(database: Path) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("configuration", "0999_of_the_future")
    with pytest.raises(EnvironmentProblem, match=r"configuration\.0999_of_the_future"):
        prepare(ENVIRONMENT)
