"""The licence file: what an issuer grants, signed with Ed25519. Pure, apart from making keys.

A licence is one word, `ROSTRA1.<content>.<signature>`: content is JSON, both parts are base64url. What surrounds it
in a file or in an XML answer is for people; a file may hold several. Anybody can issue licences for platforms that
trust his key (`ROSTRA_LICENCE_KEYS`).
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import re
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from rostra.domain.licensing import LicenceKind, LicenceTerms

PREFIX = "ROSTRA1"
_CONTEXT = b"rostra licence 1\0"
"""Signed along with the content, so that the key's signatures are good for nothing else."""
_WORD = re.compile(PREFIX + r"\.([A-Za-z0-9_-]{4,60000})\.([A-Za-z0-9_-]{86})(?![A-Za-z0-9_-])")
MOST = 20
"""Licences in a file."""
LARGEST = 10_000_000
"""Calls of a licence."""


class LicenceProblem(Exception):
    """The file is no licence, or not one of somebody trusted; the text is a sentence for an administrator."""


class Grant(msgspec.Struct, frozen=True, kw_only=True, tag="licence", tag_field="is"):
    """A licence as it is issued."""

    id: str
    """Never given to another licence."""
    entitlement: str = ""
    """The key it was ordered by."""
    issued_to: str = ""
    product: str = "Rostra"
    kind: LicenceKind = LicenceKind.PORT
    concurrent: int = 0
    overdraft: int = 0
    start: datetime.date | None = None
    end: datetime.date | None = None
    deployment: str = ""
    """UUID of the deployment it is bound to; empty: any."""
    data: dict[str, str] = {}
    """Whatever the issuer wants to note."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag="receipt", tag_field="is"):
    """The issuer has noted that a licence was returned."""

    id: str
    """Of the licence."""
    deployment: str = ""


Content = Grant | Receipt

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Content).decode


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A verified word."""

    content: Content
    word: str
    key: str
    """Fingerprint of the key."""


def fingerprint(key: Ed25519PublicKey) -> str:
    """Short name of a key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def sign(content: Content, key: Ed25519PrivateKey) -> str:
    """The word for a licence file. Raises LicenceProblem for content that nobody would take."""
    if isinstance(content, Grant):
        _check(content)
    payload = _encode(content)
    return ".".join((PREFIX, _text(payload), _text(key.sign(_CONTEXT + payload))))


def read(text: str, keys: Iterable[Ed25519PublicKey]) -> list[Signed]:
    """Everything signed in a file. Raises LicenceProblem when there is nothing, or something is not to be trusted."""
    found = list(dict.fromkeys(match.group() for match in _WORD.finditer(text)))
    if not found:
        raise LicenceProblem("This is no license file.")
    if len(found) > MOST:
        raise LicenceProblem(f"A file holds at most {MOST} licenses.")
    trusted = list(keys)
    return [_verified(word, trusted) for word in found]


def holds(text: str) -> bool:
    """Looks a text as if it held a licence?"""
    return f"{PREFIX}." in text


def _verified(word: str, keys: list[Ed25519PublicKey]) -> Signed:
    _, content, signature = word.split(".")
    try:
        payload, signed = _bytes(content), _bytes(signature)
    except (ValueError, binascii.Error):
        raise LicenceProblem("The license is damaged.") from None
    for key in keys:
        try:
            key.verify(signed, _CONTEXT + payload)
        except InvalidSignature:
            continue
        return Signed(content=_content(payload), word=word, key=fingerprint(key))
    raise LicenceProblem("The license is damaged, or was signed by nobody this platform trusts.")


def _content(payload: bytes) -> Content:
    try:
        content = _decode(payload)
    except msgspec.DecodeError as problem:
        raise LicenceProblem(f"The license is of a kind that this version does not know: {problem}") from None
    if isinstance(content, Grant):
        _check(content)
    return content


def _check(grant: Grant) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", grant.id):
        raise LicenceProblem("A license has an ID of letters, digits, dots and hyphens.")
    if not (0 <= grant.concurrent <= LARGEST and 0 <= grant.overdraft <= LARGEST):
        raise LicenceProblem(f"Numbers of calls are within 0 and {LARGEST}.")
    if grant.start is not None and grant.end is not None and grant.end < grant.start:
        raise LicenceProblem("The license ends before it begins.")
    for day in (grant.start, grant.end):
        if day is not None and not 1971 <= day.year <= 9000:
            raise LicenceProblem("Licenses begin and end between the years 1971 and 9000.")


def terms(grant: Grant, deployment: str) -> LicenceTerms:
    """What counts of a verified licence on the deployment with this UUID."""
    return LicenceTerms(
        id=grant.id,
        kind=grant.kind,
        concurrent=grant.concurrent,
        overdraft=grant.overdraft,
        start=grant.start,
        end=grant.end,
        intact=grant.deployment in ("", deployment),
    )


def corrupt(identity: str) -> LicenceTerms:
    """What counts of a licence that cannot be verified any more: only that there is one."""
    return LicenceTerms(id=identity, intact=False)


def public_keys(pem: bytes) -> list[Ed25519PublicKey]:
    """The keys in a PEM file, one after the other. Raises LicenceProblem for anything but Ed25519 public keys."""
    found: list[Ed25519PublicKey] = []
    for part in re.findall(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", pem, re.DOTALL):
        try:
            key = load_pem_public_key(part)
        except (ValueError, UnsupportedAlgorithm):
            raise LicenceProblem("not an Ed25519 public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise LicenceProblem("not an Ed25519 public key in PEM")
        found.append(key)
    if not found:
        raise LicenceProblem("no public key in PEM")
    return found


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """An issuer's key, not encrypted. Raises LicenceProblem for anything else."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LicenceProblem("not an unencrypted Ed25519 private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LicenceProblem("not an unencrypted Ed25519 private key in PEM")
    return key


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
