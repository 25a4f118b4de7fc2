"""One statement does not keep a request for ever, and what is no request takes its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import OperationalError, connection
from django.test import AsyncRequestFactory, Client

from rostra.management import patience
from rostra.management.api import access
from tests.management.conftest import Api

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(0.3)",
}


def ask_slowly() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SLOW[connection.vendor])
        cursor.fetchall()


@pytest.fixture
def impatient(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(patience, "SECONDS", 0.05)
    monkeypatch.setattr(patience, "_STEPS", 10_000)
    connection.close()
    yield
    connection.close()


@pytest.mark.every_database
def test_a_request_does_not_wait_for_ever_but_the_platform_does(impatient: None) -> None:
    with patience.bounded(), pytest.raises(OperationalError):
        ask_slowly()
    connection.close()
    with patience.bounded():
        job = threading.Thread(target=lambda: done.append(_asked_elsewhere()))
        done: list[bool] = []
        job.start()
        job.join(20)
    assert done == [True], "a job that a request begins is none"
    ask_slowly()


@pytest.mark.parametrize("engine", ["postgresql"])
@pytest.mark.parametrize("setting", ["statement_timeout", "idle_in_transaction_session_timeout"])
def test_the_server_looks_after_the_time(engine: str, impatient: None, setting: str) -> None:
    """A request that waits for something else within a transaction keeps others from writing just as well."""
    with patience.bounded(), connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        assert cursor.fetchone() == ("50ms",)


def _asked_elsewhere() -> bool:
    try:
        ask_slowly()
    finally:
        connection.close()
    return True


@pytest.mark.sqlite_only
def test_a_full_disk_is_called_so_and_changes_nothing(database: Path, api: Api) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
    names = [f"room{number}" + "x" * 200 for number in range(60)]
    answers = [api("POST", "conference/", {"name": name, "service_type": "conference"}) for name in names]
    refused = [name for name, answer in zip(names, answers, strict=True) if answer.status_code != 201]
    assert refused
    for answer in answers:
        assert answer.status_code in (201, 503)
        assert answer.status_code == 201 or "disk" in answer.json()["error"]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1000000")
    for name in refused:
        assert api("GET", f"conference/?name={name}").json()["objects"] == []
        assert api("POST", "conference/", {"name": name, "service_type": "conference"}).status_code == 201


@pytest.mark.every_database
@pytest.mark.parametrize("path", ["/api/admin/configuration/v1/conference/", "/admin/login/", "/oauth/token/"])
def test_the_client_is_told(impatient: None, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "check", lambda *_, **__: ask_slowly())
    monkeypatch.setattr("rostra.management.accounts.sessions._note_use", lambda *_: ask_slowly())
    monkeypatch.setattr("rostra.management.accounts.entrance.watch.wait", lambda *_: ask_slowly())
    client = Client(raise_request_exception=False)
    if path.startswith("/admin"):
        session: Any = client.session
        session["_auth_user_id"] = "1"
        session.save()
        connection.close()
    answer = client.post(path) if path.startswith("/oauth") else client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1"), answer.content
    assert b"The database is busy" in answer.content


def test_what_else_fails_is_told_as_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("rostra.management.accounts.entrance.watch.wait", fail)
    answer = Client(raise_request_exception=False).post("/oauth/token/")
    assert answer.status_code == 500
    assert b"secret" not in answer.content


@pytest.mark.usefixtures("database")
async def test_the_bound_is_where_views_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind Django's asynchronous front, too."""
    seen: list[bool] = []
    monkeypatch.setattr("rostra.management.state.ready", lambda: seen.append(patience._bound.is_on))
    handler: Any = ASGIHandler()
    answer = await handler.get_response_async(AsyncRequestFactory().get("/healthz"))
    assert (answer.status_code, seen) == (503, [True])
