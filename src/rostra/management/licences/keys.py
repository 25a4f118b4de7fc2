"""Whose licences this platform takes: the project's, and those of issuers its owner trusts."""

from __future__ import annotations

from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from rostra.management.licences.document import LicenceProblem, public_keys

logger = structlog.get_logger("rostra.management.licences")

_PROJECT = Path(__file__).parent / "keys" / "project.pem"


def trusted() -> list[Ed25519PublicKey]:
    """The keys, the project's first. A file that cannot be used is logged and left out."""
    found = public_keys(_PROJECT.read_bytes())
    own: str = settings.ROSTRA.licence_keys
    if own:
        try:
            found += public_keys(Path(own).read_bytes())
        except (OSError, LicenceProblem) as problem:
            logger.error("ROSTRA_LICENCE_KEYS cannot be used", file=own, problem=str(problem))
    return found
