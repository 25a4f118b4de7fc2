"""Backups of a small but complete configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rostra.configuration import sealing
from rostra.management.backups import identity, keeping, openpgp
from rostra.management.backups.archive import Archive
from tests.management.conftest import ENVIRONMENT, Api

PASSPHRASE = "correct horse"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretching a passphrase takes time by design."""
    monkeypatch.setattr(openpgp, "COUNT", 0)


@pytest.fixture
def platform(api: Api, quick: None) -> Iterator[Api]:
    """A Management Node whose files are as they were when the test ends."""
    files = identity.read(ENVIRONMENT)
    yield api
    for name, place in identity.places(ENVIRONMENT).items():
        if name in files:
            place.write_bytes(files[name])
        else:
            place.unlink(missing_ok=True)
    identity.drop(ENVIRONMENT)
    sealing.unlock(sealing.make_key(sealing.key_file(ENVIRONMENT.management_home)))
    for file in keeping.directory().iterdir():
        file.unlink()


def command(api: Api, name: str, **values: Any) -> Any:
    """Give a command of the API; bytes are sent as a file."""
    files = {key: SimpleUploadedFile("backup", value) for key, value in values.items() if isinstance(value, bytes)}
    return api._client.post(
        f"/api/admin/command/v1/platform/{name}/",
        {**values, **files},
        headers={"Authorization": api._authorization},
    )


def backup(passphrase: str = PASSPHRASE) -> bytes:
    """What a backup made now holds."""
    file = keeping.path(keeping.create(passphrase).filename)
    assert file is not None
    return file.read_bytes()


def archive(data: bytes, directory: Path, passphrase: str = PASSPHRASE) -> Archive:
    """The backup in `data`, opened."""
    file = directory / "uploaded"
    file.write_bytes(data)
    return Archive(file, passphrase)
