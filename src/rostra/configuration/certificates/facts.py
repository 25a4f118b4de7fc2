"""What a certificate says, as the management API shows it (sheet 10)."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra.configuration.certificates.text import describe, hexadecimal, names_text, printable

_NAME, _SERIAL = 250, 128
_FOLDED = {12, 19, 20, 22, 28, 30}
"""Tags of the string types that OpenSSL writes anew before it hashes a name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """Decoded from a certificate; fields are those of the API."""

    start_date: datetime.datetime
    end_date: datetime.datetime
    subject_name: str
    subject_hash: str
    raw_subject: str
    subject_alt_names: str
    issuer_name: str
    issuer_hash: str
    raw_issuer: str
    serial_no: str
    key_id: str | None
    issuer_key_id: str | None
    client_auth_usage: bool
    server_auth_usage: bool
    text: str


def facts(certificate: x509.Certificate) -> Facts:
    """Everything the API tells of `certificate`."""
    usages = _usages(certificate)
    return Facts(
        start_date=certificate.not_valid_before_utc,
        end_date=certificate.not_valid_after_utc,
        subject_name=short_name(certificate.subject),
        subject_hash=name_hash(certificate.subject),
        raw_subject=printable(certificate.subject.rfc4514_string())[:_NAME],
        subject_alt_names=names_text(certificate),
        issuer_name=short_name(certificate.issuer),
        issuer_hash=name_hash(certificate.issuer),
        raw_issuer=printable(certificate.issuer.rfc4514_string())[:_NAME],
        serial_no=serial(certificate),
        key_id=_key_id(certificate),
        issuer_key_id=_issuer_key_id(certificate),
        client_auth_usage=usages is None or ExtendedKeyUsageOID.CLIENT_AUTH in usages,
        server_auth_usage=usages is None or ExtendedKeyUsageOID.SERVER_AUTH in usages,
        text=describe(certificate),
    )


def short_name(name: x509.Name) -> str:
    """The common name, or the organisation, or all there is."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(kind)
        if found:
            return printable(found[0].value)[:_NAME]
    return printable(name.rfc4514_string())[:_NAME]


def serial(certificate: x509.Certificate) -> str:
    """The serial number, hexadecimal."""
    return f"{certificate.serial_number:X}"[:_SERIAL]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Did it sign itself? A root, or a temporary certificate."""
    return certificate.subject == certificate.issuer and is_signed_by(certificate, certificate)


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Did the key of `issuer` sign it, under its name? No for algorithms nobody here can check."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """May it sign other certificates? Those of version 1 that signed themselves are taken for roots."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.version is x509.Version.v1 and is_self_signed(certificate)


def _usages(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None  # then it may be used for everything (RFC 5280, 4.2.1.12)


def _key_id(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None
    return hexadecimal(found)[:_SERIAL]


def _issuer_key_id(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None
    return None if found is None else hexadecimal(found)[:_SERIAL]


# ---- the hash that OpenSSL names files in a directory of CAs by


def name_hash(name: x509.Name) -> str:
    """Eight hexadecimal digits, the same as `openssl x509 -subject_hash`."""
    canonical = b"".join(
        _der(0x31, b"".join(sorted(_der(0x30, _attribute(part)) for part in rdn))) for rdn in name.rdns
    )
    return hashlib.sha1(canonical, usedforsecurity=False).digest()[3::-1].hex()


def _attribute(part: x509.NameAttribute[str | bytes]) -> bytes:
    encoded = x509.Name([part]).public_bytes()
    # Name > set > sequence: identifier, then the value with its type.
    inner = _content(_content(_content(encoded)))
    oid_length = 2 + inner[1]
    oid, value = inner[:oid_length], inner[oid_length:]
    if value[0] in _FOLDED and isinstance(part.value, str):
        value = _der(12, " ".join(_lower(part.value).split()).encode())
    return oid + value


def _lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _content(der: bytes) -> bytes:
    if der[1] < 0x80:
        return der[2:]
    return der[2 + (der[1] & 0x7F) :]


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
