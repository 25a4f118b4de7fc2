"""An issuer of licences whom the Management Node under test trusts."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import override_settings

from rostra.management.licences import document
from rostra.management.licences.document import Grant
from tests.management.conftest import ENVIRONMENT


class Issuer:
    """Signs what it is asked to."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def licence(self, concurrent: int = 10, **more: Any) -> str:
        """A licence file."""
        grant = Grant(**{"id": secrets.token_hex(4), "concurrent": concurrent, **more})
        return f"# for tests\n{document.sign(grant, self.key)}\n"


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    found = Issuer()
    file = tmp_path / "issuers.pem"
    file.write_bytes(found.pem)
    with override_settings(ROSTRA=dataclasses.replace(ENVIRONMENT, licence_keys=str(file))):
        yield found


def day(offset: int) -> datetime.date:
    """So many days from now."""
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=offset)
