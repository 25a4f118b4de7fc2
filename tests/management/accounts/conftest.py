"""Nobody is held back for what another test tried, and passwords are checked without taking their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from rostra.management.accounts import entrance
from rostra.management.guessing import Watch

_QUICK = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=_QUICK):
        yield


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(entrance, "watch", made)
    return made
