"""The platform's certificate authority: made by the Management Node at its first start, and only there.

Certificates last as long as the authority: what ends a membership is that others no longer list its fingerprint.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra.environment import Environment
from rostra.fabric import credentials, membership
from rostra.fabric.credentials import Key
from rostra.fabric.membership import Member, Membership, node_name
from rostra.tls import write_file

_LIFETIME = datetime.timedelta(days=20 * 365)
_CLOCKS_DIFFER = datetime.timedelta(days=1)


class Authority:
    """Signs for the platform. Raises ValueError when its files are damaged."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        self.pem = certificate
        self._certificate = x509.load_pem_x509_certificate(certificate)
        self._key = credentials.read_key(key)

    @property
    def platform(self) -> str:
        """Identity of the platform."""
        return credentials.fingerprint(self._key.public_key())[:32]

    def issue(self, public_key: object, name: str, address: str) -> bytes:
        """A certificate (PEM) for the machine `name` at `address`, good for both ends of a connection."""
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise ValueError("not an elliptic-curve key")
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        ]
        return _sign(name, public_key, self._certificate.subject, self._key, extensions)

    def sign(self, content: bytes) -> bytes:
        """A signature that `credentials.check_signature` accepts."""
        return self._key.sign(content, ec.ECDSA(hashes.SHA256()))


def prepare(environment: Environment) -> Authority:
    """The platform's authority, made on first use."""
    directory = environment.management_home / "ca"
    certificate, key = directory / "ca.pem", directory / "ca.key"
    if not certificate.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(certificate, key)
    return Authority(certificate.read_bytes(), key.read_bytes())


def found(environment: Environment) -> Member:
    """Give the Management Node's machine its place on the fabric, at its address of today; returns its entry.

    Idempotent. The key, and so the fingerprint, stays; the certificate follows the address.
    """
    authority = prepare(environment)
    address = environment.own_address
    own = credentials.of(environment.home)
    key = credentials.read_key(own.key.read_bytes()) if own.key.exists() else credentials.new_key()
    if not own.complete or _address(own.certificate) != address:
        certificate = authority.issue(key.public_key(), node_name(None), address)
        own.write(authority=authority.pem, certificate=certificate, key=credentials.key_bytes(key))
    entry = Member(node_name(None), credentials.fingerprint(key.public_key()), address, environment.fabric_port)
    present = membership.load(environment.home) or Membership(authority.platform, entry.name, address)
    others = [member for member in present.members if member.name != entry.name]
    place = Membership(authority.platform, entry.name, address).with_members([entry, *others])
    if place != present:
        membership.store(environment.home, place)
    return entry


def _address(certificate: Path) -> str:
    present = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return str(names.get_values_for_type(x509.IPAddress)[0])


def _make(certificate: Path, key: Path) -> None:
    private = credentials.new_key()
    public = private.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rostra platform")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    extensions = [(x509.BasicConstraints(ca=True, path_length=0), True), (usage, True)]
    write_file(key, credentials.key_bytes(private))
    write_file(certificate, _sign("Rostra platform", public, name, private, extensions))


def _sign(
    subject: str,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    key: Key,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
