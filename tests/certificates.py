"""Certificates for tests, made on the fly: elliptic curves, because their keys cost next to nothing."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
SERVER_AND_CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclasses.dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:X}"


def key_pem(key: Any, passphrase: str = "") -> str:
    protection = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection).decode()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name: str, organization: str = "Example") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def made(
    common_name: str,
    *,
    hosts: Iterable[str] | None = None,
    by: Made | None = None,
    authority: bool = False,
    key: Any = None,
    days: float = 365,
    since: float = -1,
    usages: Iterable[x509.ObjectIdentifier] = SERVER_AND_CLIENT,
) -> Made:
    """A certificate for `common_name`, signed `by` another or by itself; valid `days` from now."""
    own = key or new_key()
    signer = by.key if by else own
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(by.certificate.subject if by else name(common_name))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=since))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    found = [_host(host) for host in ([common_name] if hosts is None else hosts)]
    if found and not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    if usages and not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    return Made(builder.sign(signer, hashes.SHA256()), own)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def answer(request: str, by: Made, *, days: float = 365) -> str:
    """What an authority makes of a signing request (PEM both)."""
    asked = x509.load_pem_x509_csr(request.encode())
    assert asked.is_signature_valid
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(by.certificate.subject)
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=days))
    )
    for extension in asked.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
