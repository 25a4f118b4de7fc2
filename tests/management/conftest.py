"""A Management Node for tests: its Django settings for the whole process, its database new for every test.

Configured on import, so before any test runs: Django can be configured only once in a process, and the settings
of the Management Node hold everything a node's need.
"""

from __future__ import annotations

import base64
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rostra.environment import Environment, Secret
from rostra.management import settings

_home = tempfile.TemporaryDirectory(prefix="rostra-tests-")
ENVIRONMENT = dataclasses.replace(Environment(), home=Path(_home.name), admin_password=Secret("secret"))
settings.configure(ENVIRONMENT)

from django.db import connections  # noqa: E402 - needs the settings
from django.test import Client  # noqa: E402

from rostra.management.prepare import prepare  # noqa: E402

BASE = "/api/admin/configuration/v1/"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first start leaves it."""
    file = tmp_path_factory.mktemp("prepared") / "management.db"
    use(file)
    prepare(ENVIRONMENT)
    connections["default"].close()
    return file


def use(file: Path) -> None:
    """Let Django's default connection lead to `file`."""
    connections["default"].close()
    connections.databases["default"]["NAME"] = str(file)
    connections["default"].settings_dict["NAME"] = str(file)


@pytest.fixture
def database(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    """A database of the test's own, after the first start."""
    file = tmp_path / "management.db"
    shutil.copy(prepared, file)
    use(file)
    yield file
    connections["default"].close()


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


@pytest.fixture
def api(database: Path) -> Api:
    return Api()


@pytest.fixture
def browser(database: Path) -> Client:
    """The admin site as a logged-in administrator sees it."""
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client
