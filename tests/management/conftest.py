"""A Management Node for tests: its Django settings for the whole process, its database new for every test.

Configured on import, so before any test runs: Django can be configured only once in a process, and the settings
of the Management Node hold everything a node's need.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings as django_settings

from rostra.environment import Environment, Secret
from rostra.management import settings
from tests import postgresql

_home = tempfile.TemporaryDirectory(prefix="rostra-tests-")
ENVIRONMENT = dataclasses.replace(Environment(), home=Path(_home.name), admin_password=Secret("secret"))
settings.configure(ENVIRONMENT)
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""Passwords of tests are no secrets, and every test signs in."""

from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.db import connections  # noqa: E402 - needs the settings
from django.test import Client  # noqa: E402
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart  # noqa: E402

from rostra.configuration import contents  # noqa: E402
from rostra.configuration.contents import Values  # noqa: E402
from rostra.configuration.local import open_database  # noqa: E402
from rostra.configuration.replica import Replica  # noqa: E402
from rostra.configuration.resources import register  # noqa: E402
from rostra.management.prepare import prepare  # noqa: E402
from rostra.management.setup import applying  # noqa: E402

BASE = "/api/admin/configuration/v1/"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `every_database` run on PostgreSQL too, on top of the engine chosen for all."""
    marked = metafunc.definition.get_closest_marker("every_database")
    if marked and "engine" in metafunc.fixturenames and postgresql.CHOSEN == "sqlite":
        metafunc.parametrize("engine", ["sqlite", "postgresql"])


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of the test's database."""
    if postgresql.CHOSEN != "sqlite" and request.node.get_closest_marker("sqlite_only"):
        pytest.skip("about SQLite itself")
    return postgresql.CHOSEN


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Takes the name of an engine; returns the file or name of a database as the first start leaves it."""

    @functools.cache
    def make(engine: str) -> str:
        if engine == "postgresql":
            made = postgresql.server().create()
            use(settings.database(postgresql.server().url(made), Path()))
        else:
            made = str(tmp_path_factory.mktemp("prepared") / "management.db")
            use(settings.database("", Path(made)))
        prepare(ENVIRONMENT)
        applying.finished()  # else the dashboard leads to the first steps
        connections["default"].close()
        return made

    return make


@pytest.fixture(scope="session")
def empty_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's database before its first snapshot, to be copied: making the tables takes a while."""
    file = tmp_path_factory.mktemp("node") / "node.db"
    Replica(file).close()
    return file


def use(database: dict[str, Any]) -> None:
    """Let Django's default connection lead to `database` (as in settings)."""
    connections["default"].close()
    connections.databases["default"] = database
    connections.configure_settings(connections.databases)
    del connections["default"]


@pytest.fixture
def database(prepared: Callable[[str], str], tmp_path: Path, engine: str) -> Iterator[Path]:
    """A database of the test's own, after the first start. On SQLite it is the file at this path."""
    file = tmp_path / "management.db"
    template = prepared(engine)
    if engine == "postgresql":
        name = postgresql.server().create(template)
        use(settings.database(postgresql.server().url(name), file))
    else:
        shutil.copy(template, file)
        use(settings.database("", file))
    yield file
    connections["default"].close()
    if engine == "postgresql":
        postgresql.server().drop(name)


def content(path: Path | None = None) -> dict[str, list[Values]]:
    """Every replicated row by table: of the Management Node's database, or of a node's at `path`."""
    if path is None:
        with ThreadPoolExecutor(1) as thread:  # Django refuses to wait for a database in an event loop's own
            return thread.submit(_own_content).result()
    with contextlib.closing(open_database(path, read_only=True)) as opened:
        cursor = opened.cursor()
        return {name: _rows(table, contents.pages(table, cursor)) for name, table in register.tables.items()}


def _own_content() -> dict[str, list[Values]]:
    try:
        return {name: _rows(table, contents.pages(table)) for name, table in register.tables.items()}
    finally:
        connections["default"].close()


def _rows(table: Any, pages: Iterator[list[Values]]) -> list[Values]:
    return [contents.canonical(table, row) for rows in pages for row in rows]


class Api:
    """The management API as a client sees it."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)
        self._authorization = "Basic " + base64.b64encode(b"admin:secret").decode()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self._client.generic(
            method,
            path if path.startswith("/") else BASE + path,
            content,
            content_type="application/json",
            headers={"Authorization": self._authorization, **headers},
        )

    def upload(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Send a form; values of bytes are files."""
        parts = {k: SimpleUploadedFile(f"{k}.zip", v) if isinstance(v, bytes) else v for k, v in body.items()}
        return self._client.generic(
            method,
            path if path.startswith("/") else BASE + path,
            encode_multipart(BOUNDARY, parts),
            content_type=MULTIPART_CONTENT,
            headers={"Authorization": self._authorization},
        )

    def create(self, resource: str, **body: Any) -> str:
        """Create an object; returns its path."""
        response = self("POST", f"{resource}/", body)
        assert response.status_code == 201, response.content
        return response["Location"].removeprefix("http://testserver")

    def read(self, path: str) -> Any:
        response = self("GET", path)
        assert response.status_code == 200, response.content
        return response.json()

    def list(self, path: str) -> list[Any]:
        return self.read(path)["objects"]


@pytest.fixture(autouse=True)
def sources_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directories to make objects from need not be there, and are not read, but in tests that are about them."""
    from rostra.configuration.models import LdapSyncSource
    from rostra.management.provisioning import running

    monkeypatch.setattr(LdapSyncSource, "contact", None)
    monkeypatch.setattr(running, "queue", running.Queue())
    monkeypatch.setattr(running.Queue, "_start", lambda *_: None)


@pytest.fixture
def api(database: Path) -> Api:
    return Api()


@pytest.fixture
def browser(database: Path) -> Client:
    """The admin site as a logged-in administrator sees it."""
    from rostra.management.accounts.models import Account

    client = Client()
    client.force_login(Account.objects.get(username="admin"))
    return client
