"""What travels through the user's browser, sealed: any node of the platform can go on where another one began.

Nothing is kept for sign-ons under way, so nobody can fill a memory with them. What has been used is remembered until
it would have expired.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rostra.clientapi.signon.problems import SignOnFailed
from rostra.domain.signon import Identity

PATIENCE = 600.0
"""Seconds in which a user has to come back from the provider."""
LIFETIME = 120.0
"""Seconds in which the token has to be used."""
REJOINING = 12 * 3600.0
"""Seconds after signing on in which somebody may join anew, should the node be lost: a long day of meetings."""
MOST_SPENT = 100_000
_NONCE = 12


class Pending(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A sign-on under way."""

    provider: str
    alias: str
    """Case-folded."""
    redirect: str
    """Where the provider sends the user back to."""
    address: str
    """Origin of the page that gets the token."""
    target: str
    """Where the user is sent then; empty: the page waits for a message."""
    verifier: str
    """PKCE's secret (RFC 7636)."""
    begun: float

    @property
    def nonce(self) -> str:
        """Ties the ID token to this sign-on."""
        return hashlib.sha256(b"nonce " + self.verifier.encode()).hexdigest()[:32]

    @property
    def request(self) -> str:
        """ID of the SAML request."""
        return "_" + hashlib.sha256(b"request " + self.verifier.encode()).hexdigest()[:40]


class SignedOn(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a token of somebody who has signed on says."""

    identity: Identity
    alias: str
    expires: float


def begin(provider: str, alias: str, redirect: str, address: str, target: str) -> Pending:
    """A new sign-on."""
    return Pending(
        provider=provider, alias=alias.casefold(), redirect=redirect, address=address, target=target,
        verifier=secrets.token_urlsafe(32), begun=time.time(),
    )  # fmt: skip


Kind = TypeVar("Kind", Pending, SignedOn)


class Seals:
    """Seals and opens. `key` gives the platform's secret, the same at all nodes; it may raise SignOnFailed."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def seal(self, content: Pending | SignedOn) -> str:
        """Text of the alphabet of API-011."""
        nonce = os.urandom(_NONCE)
        purpose = type(content).__name__.encode()
        sealed = self._cipher().encrypt(nonce, msgspec.msgpack.encode(content), purpose)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: str, kind: type[Kind]) -> Kind | None:
        """None: it was not sealed by this platform, or for something else."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            plain = self._cipher().decrypt(raw[:_NONCE], raw[_NONCE:], kind.__name__.encode())
            return msgspec.msgpack.decode(plain, type=kind)
        except (ValueError, InvalidTag, msgspec.MsgspecError, SignOnFailed):
            return None

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self._key(), b"single sign-on", hashlib.sha256))


class Spent:
    """What is good only once and has been used."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def spend(self, what: str, until: float, now: float) -> bool:
        """Use it; False: it was used before."""
        mark = hashlib.sha256(what.encode()).hexdigest()
        if self._until.get(mark, 0.0) > now:
            return False
        if len(self._until) >= MOST_SPENT:
            self._until = {known: end for known, end in self._until.items() if end > now}
        self._until[mark] = until
        return True

    def give_back(self, what: str) -> None:
        """It led nowhere, and may be tried again."""
        self._until.pop(hashlib.sha256(what.encode()).hexdigest(), None)
