"""The machine's TLS certificate: self-signed by us on first start, kept across restarts, replaceable by a real one.

An administrator may put another certificate and key in the same two files; only certificates that we signed
ourselves are renewed. The configuration may assign another one, which a server presents from then on to whoever
connects: see `LiveContext`.
"""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import os
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra import machine
from rostra.environment import EnvironmentProblem

_OURS = "Rostra self-signed certificate"
_LIFETIME = datetime.timedelta(days=825)
_RENEWAL = datetime.timedelta(days=30)
KEY_BITS = 4096
"""Size of the self-signed certificate's key (SYS-209)."""

STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")
"""Header of every answer over HTTPS: browsers use nothing else for this name any more, for a year (SYS-211).

By address the web interfaces stay reachable whatever the certificate says: the rule is for names only (RFC 6797).
"""

DH_PARAMETERS = """\
-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
"""For ephemeral Diffie-Hellman keys of 2048 bits: the group ffdhe2048 of RFC 7919."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Where the certificate (PEM, with its chain) and its private key (PEM, readable by us only) are."""

    certificate: Path
    key: Path


# ---- what a server presents


class LiveContext(ssl.SSLContext):
    """A context for servers whose certificate and parameters can be exchanged while they run.

    Every new connection is made by the context presented last; those that are open go on with theirs. Exchanging
    contexts rather than loading into one leaves nothing of the former certificate behind: OpenSSL keeps one for
    each type of key.
    """

    _presented: ssl.SSLContext

    def __new__(cls, context: ssl.SSLContext) -> LiveContext:
        live = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        live._presented = context
        return live

    def __init__(self, context: ssl.SSLContext) -> None:
        """`context` is presented first."""

    def present(self, context: ssl.SSLContext) -> None:
        """Use `context` for connections from now on."""
        self._presented = context

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        return self._presented.wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        return self._presented.wrap_socket(*arguments, **named)


def server_context(certificate: str, key: str, *, dh: str = "", curve: str = "") -> ssl.SSLContext:
    """A context for servers that present `certificate` (PEM, the own one first) with its private key (PEM).

    `dh` are Diffie-Hellman parameters (PEM), `curve` is OpenSSL's name of the curve of ephemeral keys; without them
    OpenSSL chooses. Raises ssl.SSLError for what OpenSSL does not take, ValueError for a curve it does not know.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load(context, certificate, key)
    if dh:
        load_dh(context, dh)
    if curve:
        context.set_ecdh_curve(curve)
    return context


def load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Have `context` show a certificate (PEM, the own one first) with its private key (PEM). Raises ssl.SSLError."""
    # Memory only: the key of the configuration is on no disk but sealed.
    with os.fdopen(os.memfd_create("certificate"), "wb") as memory:
        memory.write(f"{key}\n{certificate}".encode())
        memory.flush()
        context.load_cert_chain(f"/proc/self/fd/{memory.fileno()}")


def load_dh(context: ssl.SSLContext, dh: str) -> None:
    """Give `context` Diffie-Hellman parameters (PEM). Raises ssl.SSLError."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(dh)
        file.flush()
        context.load_dh_params(file.name)


def context_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context for servers that present the certificate in these files (PEM).

    Raises OSError or ssl.SSLError.
    """
    text = certificate.read_text()
    return server_context(text, key.read_text(), dh=text if "BEGIN DH PARAMETERS" in text else DH_PARAMETERS)


# ---- our own certificate


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
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
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
    public_file = certificate.public_bytes(serialization.Encoding.PEM) + DH_PARAMETERS.encode()
    write_file(identity.key, private, mode=0o600)
    write_file(identity.certificate, public_file, mode=0o644)


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
