"""PEM files sorted into what they hold: certificates, private keys, signing requests, TLS parameters."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import ssl
from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from rostra import tls
from rostra.configuration.translating import gettext

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""What a node can prove itself with (SYS-216)."""

NOT_A_PAIR = "Certificate and private key do not appear to be part of the same key pair"
"""Part of the interface (SYS-247)."""

LARGEST = 1024 * 1024
"""Characters of a file."""

_CERTIFICATES = {"CERTIFICATE", "X509 CERTIFICATE"}
_KEYS = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"}
_REQUESTS = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}
_DH = {"DH PARAMETERS", "X9.42 DH PARAMETERS"}
_EC = "EC PARAMETERS"
_CURVES = {"1.2.840.10045.3.1.7": "prime256v1", "1.3.132.0.34": "secp384r1", "1.3.132.0.35": "secp521r1"}
"""Curves for ephemeral keys: object identifier, OpenSSL's name."""
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)


class CertificateProblem(ValueError):
    """What is wrong with a certificate, key or file; a sentence for people."""


class PassphraseProblem(CertificateProblem):
    """An encrypted key does not open with the passphrase given, or none was given."""


@dataclasses.dataclass(frozen=True, slots=True)
class Bundle:
    """What a PEM file holds, in the order of the file."""

    certificates: tuple[x509.Certificate, ...] = ()
    keys: tuple[PrivateKey, ...] = ()
    requests: int = 0
    dh: str = ""
    """The first Diffie-Hellman parameters, PEM."""
    curve: str = ""
    """OpenSSL's name of the first curve named."""
    parameters: str = ""
    """Every block of parameters, unchanged."""


def read(text: str, passphrase: str = "") -> Bundle:
    """Sort a PEM file; text around the blocks is left out. Raises CertificateProblem."""
    if len(text) > LARGEST:
        raise CertificateProblem(gettext("This file is too large for certificates."))
    certificates: list[x509.Certificate] = []
    keys: list[PrivateKey] = []
    requests = 0
    dh_parameters = curve = parameters = ""
    for label, block in _blocks(text):
        if label in _CERTIFICATES:
            certificates.append(_certificate(block))
        elif label in _KEYS:
            keys.append(_key(block, passphrase))
        elif label in _REQUESTS:
            requests += 1
        elif label in _DH:
            dh_parameters = dh_parameters or _check_dh(block)
            parameters += block
        elif label == _EC:
            curve = curve or _curve(block)
            parameters += block
        else:
            raise CertificateProblem(gettext("A block of type %(label)s cannot be used here.") % {"label": label[:60]})
    return Bundle(tuple(certificates), tuple(keys), requests, dh_parameters, curve, parameters)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    label, lines = "", list[str]()
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("-----BEGIN ") and line.endswith("-----"):
            if label:
                raise CertificateProblem(gettext("A block of type %(label)s is not complete.") % {"label": label[:60]})
            label, lines = line[11:-5], [line]
        elif label:
            lines.append(line)
            if line == f"-----END {label}-----":
                yield label, "\n".join(lines) + "\n"
                label = ""
    if label:
        raise CertificateProblem(gettext("A block of type %(label)s is not complete.") % {"label": label[:60]})


def certificates(text: str) -> list[x509.Certificate]:
    """The certificates of a field; at least one. Raises CertificateProblem."""
    bundle = read(text)
    if bundle.certificates:
        return list(bundle.certificates)
    if bundle.requests:
        raise CertificateProblem(gettext("This is a certificate signing request, not a certificate."))
    raise CertificateProblem(gettext("This is not a certificate in PEM form."))


def key(text: str, passphrase: str = "") -> PrivateKey:
    """The private key of a field. Raises CertificateProblem."""
    found = read(text, passphrase).keys
    if len(found) == 1:
        return found[0]
    if found:
        raise CertificateProblem(gettext("Give one private key."))
    raise CertificateProblem(gettext("This is not a private key in PEM form."))


def paired(certificates: Iterable[x509.Certificate], key: PrivateKey) -> x509.Certificate | None:
    """The certificate that belongs to `key`; None when there is none."""
    wanted = _public(key.public_key())
    return next((one for one in certificates if _public_of(one) == wanted), None)


def same_key(one: PrivateKey, other: PrivateKey) -> bool:
    return _public(one.public_key()) == _public(other.public_key())


def key_text(key: PrivateKey) -> str:
    """`key` in PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def certificate_text(certificate: x509.Certificate) -> str:
    """`certificate` in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _public_of(certificate: x509.Certificate) -> bytes:
    try:
        return _public(certificate.public_key())
    except _UNREADABLE:
        return b""


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _certificate(block: str) -> x509.Certificate:
    body = block.replace(" X509 CERTIFICATE-", " CERTIFICATE-")
    try:
        found = x509.load_pem_x509_certificate(body.encode())
        # Looked at only when asked for; whoever asks later must not find it broken.
        _ = found.subject, found.issuer, list(found.extensions), found.not_valid_after_utc
    except _UNREADABLE:
        raise CertificateProblem(gettext("A certificate cannot be read.")) from None
    return found


def _key(block: str, passphrase: str) -> PrivateKey:
    encrypted = "ENCRYPTED" in block
    if encrypted and not passphrase:
        raise PassphraseProblem(gettext("The private key is encrypted; its passphrase is needed."))
    try:
        found = serialization.load_pem_private_key(block.encode(), passphrase.encode() if encrypted else None)
    except _UNREADABLE:
        if encrypted:
            raise PassphraseProblem(gettext("The private key does not open with this passphrase.")) from None
        raise CertificateProblem(gettext("The private key cannot be read.")) from None
    if not isinstance(found, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CertificateProblem(gettext("Only RSA and ECDSA private keys can be used."))
    return found


def _check_dh(block: str) -> str:
    try:
        tls.load_dh(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), block)
    except ssl.SSLError as problem:
        raise CertificateProblem(
            gettext("The Diffie-Hellman parameters cannot be used: %(reason)s.") % {"reason": problem.reason}
        ) from None
    return block


def _curve(block: str) -> str:
    """The block holds an object identifier in DER."""
    try:
        der = base64.b64decode("".join(block.splitlines()[1:-1]), validate=True)
        if len(der) < 3 or der[0] != 0x06 or der[1] != len(der) - 2:
            raise ValueError
        return _CURVES[_dotted(der[2:])]
    except (ValueError, LookupError, binascii.Error):
        raise CertificateProblem(
            gettext("The EC parameters have to name one of the curves P-256, P-384 and P-521.")
        ) from None


def _dotted(encoded: bytes) -> str:
    numbers, value = list[int](), 0
    for byte in encoded:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
