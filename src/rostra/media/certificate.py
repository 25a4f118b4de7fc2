"""DTLS certificates: one for each WebRTC connection.

GStreamer would use one for the whole process. But a browser that restarts ICE keeps its DTLS association as
long as the fingerprint stays the same, and a connection built anew knows nothing of that association: only a
new fingerprint makes both sides begin anew (RFC 8842 section 4).
"""

from __future__ import annotations

import dataclasses
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFE = datetime.timedelta(days=30)


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """Certificate and key as PEM, and the value of `a=fingerprint` (RFC 8122)."""

    pem: str = dataclasses.field(repr=False)
    fingerprint: str


def make() -> Certificate:
    """A fresh self-signed certificate. It says nothing about us: its fingerprint in the SDP counts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WebRTC")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    digest = signed.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate((signed.public_bytes(serialization.Encoding.PEM) + private).decode(), f"sha-256 {digest}")
