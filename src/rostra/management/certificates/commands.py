"""The command `platform/certificates_import`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rostra.management.certificates import importing
from rostra.management.commands import Command, Parameter


def _import(values: Mapping[str, Any]) -> dict[str, Any]:
    return dataclasses.asdict(importing.load([values["bundle"]], values.get("private_key_passphrase", "")))


COMMANDS = (
    Command(
        scope="platform",
        name="certificates_import",
        summary="Import certificates: those with a private key as TLS certificates, the others as trusted CAs.",
        parameters=(
            Parameter("bundle", "string", "Certificates, private keys and TLS parameters in PEM form."),
            Parameter("private_key_passphrase", "string", "Opens encrypted private keys.", required=False),
        ),
        run=_import,
        permission="configuration.add_tlscertificate",
    ),
)
