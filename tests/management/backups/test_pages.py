"""Utilities > Backup/Restore, as an administrator uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rostra.configuration.models import Conference
from rostra.management import restart
from rostra.management.backups import keeping, pending
from rostra.management.backups.models import SystemBackup
from tests.management.conftest import Api

from .conftest import PASSPHRASE, backup

PAGE = "/admin/utilities/backup/"


def upload(browser: Any, data: bytes, passphrase: str = PASSPHRASE) -> Any:
    return browser.post(f"{PAGE}restore/", {"passphrase": passphrase, "package": SimpleUploadedFile("b.gpg", data)})


@pytest.mark.spec("NODE-137", "NODE-138", "NODE-140")
def test_create_download_and_delete(platform: Api, browser: Any) -> None:
    wrong = browser.post(PAGE, {"passphrase": "one", "again": "two"})
    assert wrong.status_code == 400
    assert "not the same" in wrong.content.decode()
    assert not SystemBackup.objects.exists()
    made = browser.post(PAGE, {"passphrase": "one", "again": "one"}, follow=True).content.decode()
    row = SystemBackup.objects.get()
    assert f"Successfully created the backup file: {row.filename}" in made
    for words in ("Create backup", "Restore backup", "Existing backup files", "Download backup", "Delete backup"):
        assert words in made
    answer = browser.get(f"{PAGE}{row.filename}/download/")
    assert answer["Content-Disposition"] == f'attachment; filename="{row.filename}"'
    file = keeping.path(row.filename)
    assert file is not None
    assert b"".join(answer.streaming_content) == file.read_bytes()
    assert browser.get(f"{PAGE}{row.filename}/delete/").status_code == 405
    browser.post(f"{PAGE}{row.filename}/delete/")
    assert not file.exists()
    assert browser.get(f"{PAGE}{row.filename}/download/").status_code == 404
    assert browser.get(f"{PAGE}..%2f..%2fplatform.key/download/").status_code == 404


@pytest.mark.spec("NODE-149", "NODE-150")
def test_what_cannot_be_restored_is_said_at_once(platform: Api, browser: Any) -> None:
    page = upload(browser, backup(), "wrong").content.decode()
    assert "Failed to restore the system from the backup file" in page
    assert "Decryption Error: decryption failed" in page
    assert "Decryption Error" in upload(browser, b"something else").content.decode()
    assert list((keeping.environment().management_home / "uploads").iterdir()) == []


@pytest.mark.spec("NODE-151", "NODE-152")
def test_restore_asks_before_it_replaces(platform: Api, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(restart, "request", lambda *, whole_machine: asked.append(whole_machine))
    data = backup()
    Conference.objects.filter(name="Demo").delete()
    answer = upload(browser, data)
    assert answer.status_code == 302
    question = browser.get(answer["Location"]).content.decode()
    described = keeping.describe("manual")
    assert described.management_address in question
    assert described.created.strftime("%Y-%m-%d") in question
    assert not Conference.objects.filter(name="Demo").exists()
    done = browser.post(answer["Location"], {"confirmed": "yes"}).content.decode()
    assert "Successfully restored the backup file" in done
    assert Conference.objects.filter(name="Demo").exists()
    assert asked == [False], "calls on the node beside are not touched"
    assert browser.get(PAGE).status_code == 302, "everybody signs in again"


def test_cancelled_and_forgotten(platform: Api, browser: Any) -> None:
    address = upload(browser, backup())["Location"]
    token = address.rstrip("/").rpartition("/")[2]
    assert pending.find(token, "admin") is not None
    assert pending.find(token, "somebody else") is None
    browser.post(address, {"cancel": "yes"})
    assert pending.find(token, "admin") is None
    assert "upload it again" in browser.get(address, follow=True).content.decode()
    assert list((keeping.environment().management_home / "uploads").iterdir()) == []
