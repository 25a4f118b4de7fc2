"""The machine's TLS certificate: self-signed by us on first start, kept across restarts, replaceable by a real one.

An administrator may put another certificate and key in the same two files; only certificates that we signed
ourselves are renewed.
"""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import os
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra import machine
from rostra.environment import EnvironmentProblem

_OURS = "Rostra self-signed certificate"
_LIFETIME = datetime.timedelta(days=825)
_RENEWAL = datetime.timedelta(days=30)


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Where the certificate (PEM, with its chain) and its private key (PEM, readable by us only) are."""

    certificate: Path
    key: Path


def prepare(home: Path) -> Identity:
    """The identity kept in `home`, made or renewed when due.

    Raises EnvironmentProblem when the certificate that is there cannot be read.
    """
    identity = Identity(home / "tls" / "certificate.pem", home / "tls" / "key.pem")
    if not identity.certificate.exists() or not identity.key.exists() or _due(identity.certificate):
        identity.certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _issue(identity)
    return identity


def _due(certificate: Path) -> bool:
    try:
        present = x509.load_pem_x509_certificate(certificate.read_bytes())
    except ValueError as problem:
        raise EnvironmentProblem(f"{certificate} is not a certificate in PEM: {problem}") from None
    ours = any(name.value == _OURS for name in present.issuer.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME))
    return ours and present.not_valid_after_utc - _RENEWAL < datetime.datetime.now(datetime.UTC)


def _issue(identity: Identity) -> None:
    # RSA, because older room systems cannot check elliptic-curve signatures.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    host = socket.gethostname()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, host[:64] or "localhost"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _OURS),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks of peers differ
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_file(identity.key, private, mode=0o600)
    write_file(identity.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _names(host: str) -> list[x509.GeneralName]:
    addresses = dict.fromkeys(["127.0.0.1", "::1", machine.primary_address()])
    hosts = dict.fromkeys(name for name in ("localhost", host) if name.isascii() and name)
    return [
        *(x509.DNSName(name) for name in hosts),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]


def write_file(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `file` in one step, so that a reader never sees half of it."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)
    fresh.replace(file)
