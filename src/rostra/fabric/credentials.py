"""Who a machine is on the fabric: a private key that never leaves it, and a certificate of the platform's own CA.

Other machines know it by the fingerprint of its public key, which stays the same when the certificate is renewed.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rostra.tls import write_file

Key = ec.EllipticCurvePrivateKey


class NotOurs(Exception):
    """A certificate or signature is not of the platform's CA, or not for this key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """The three PEM files in `home/fabric`."""

    directory: Path

    @property
    def authority(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.directory / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.directory / "key.pem"

    @property
    def complete(self) -> bool:
        return self.authority.exists() and self.certificate.exists() and self.key.exists()

    def write(self, *, authority: bytes, certificate: bytes, key: bytes) -> None:
        """Write all three, the certificate last: with it they are complete."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(self.authority, authority)
        write_file(self.key, key)
        write_file(self.certificate, certificate)


def of(home: Path) -> Credentials:
    """The credentials kept in a home directory, there or not."""
    return Credentials(home / "fabric")


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def key_bytes(key: Key) -> bytes:
    """PEM, not encrypted: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> Key:
    """Raises ValueError for anything but a private key on an elliptic curve."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic-curve key")
    return key


def fingerprint(public_key: object) -> str:
    """SHA-256 of a public key, as NATS pins it."""
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise ValueError("not an elliptic-curve key")
    encoded = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()


def request(key: Key, name: str) -> bytes:
    """A certificate signing request (PEM) in the name of `name`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def check_certificate(pem: bytes, authority: bytes, key: Key, name: str) -> None:
    """Raises NotOurs unless `pem` is a certificate of `authority` for this key and name."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError, InvalidSignature) as problem:
        raise NotOurs("the certificate is not of this platform's authority") from problem
    if fingerprint(certificate.public_key()) != fingerprint(key.public_key()):
        raise NotOurs("the certificate is for another key")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [found.value for found in names] != [name]:
        raise NotOurs("the certificate is for another node")


def check_signature(content: bytes, signature: bytes, authority: bytes) -> None:
    """Raises NotOurs unless `authority` signed `content`."""
    try:
        public = x509.load_pem_x509_certificate(authority).public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise NotOurs("the authority has no elliptic-curve key")
        public.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature) as problem:
        raise NotOurs("the signature is not of this platform's authority") from problem
