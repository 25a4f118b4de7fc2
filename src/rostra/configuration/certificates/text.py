"""A certificate or signing request in words."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_USAGES = (
    ("digital_signature", "Digital signature"),
    ("content_commitment", "Content commitment"),
    ("key_encipherment", "Key encipherment"),
    ("data_encipherment", "Data encipherment"),
    ("key_agreement", "Key agreement"),
    ("key_cert_sign", "Certificate signing"),
    ("crl_sign", "CRL signing"),
)
_PURPOSES: dict[x509.ObjectIdentifier, str] = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS server authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS client authentication",
    ExtendedKeyUsageOID.CODE_SIGNING: "Code signing",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "E-mail protection",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP signing",
    ExtendedKeyUsageOID.TIME_STAMPING: "Time stamping",
}
MICROSOFT_TEMPLATE = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")
"""Extension with the name of a certificate template, a string of two-byte characters."""


def describe(certificate: x509.Certificate) -> str:
    """Everything that matters to who reads a certificate, one fact a line."""
    lines = [
        "Certificate",
        f"    Version: {certificate.version.name.removeprefix('v')}",
        f"    Serial number: {certificate.serial_number:X}",
        f"    Signature algorithm: {_algorithm(certificate)}",
        f"    Issuer: {printable(certificate.issuer.rfc4514_string())}",
        f"    Valid from: {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC",
        f"    Valid until: {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC",
        f"    Subject: {printable(certificate.subject.rfc4514_string())}",
        f"    Public key: {_key(certificate)}",
        *_extensions(certificate.extensions),
        f"    SHA-1 fingerprint: {hexadecimal(certificate.fingerprint(hashes.SHA1()))}",  # noqa: S303 - shown only
        f"    SHA-256 fingerprint: {hexadecimal(certificate.fingerprint(hashes.SHA256()))}",
    ]
    return "\n".join(lines) + "\n"


def describe_request(request: x509.CertificateSigningRequest) -> str:
    """The same of a signing request."""
    lines = [
        "Certificate signing request",
        f"    Subject: {printable(request.subject.rfc4514_string())}",
        f"    Public key: {_key(request)}",
        f"    Signature algorithm: {_algorithm(request)}",
        *_extensions(request.extensions),
    ]
    return "\n".join(lines) + "\n"


def names_text(certificate: x509.Certificate) -> str:
    """Subject alternative names, separated by commas."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return ", ".join(_name(one) for one in found)


def hexadecimal(value: bytes) -> str:
    """As in AB:CD:EF."""
    return value.hex(":").upper()


def printable(value: str | bytes) -> str:
    """Text that databases and pages can hold."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return "".join(c if c.isprintable() else "?" for c in text)


def _name(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return printable(name.value.rfc4514_string())
    if isinstance(name, x509.OtherName):
        return f"other name {name.type_id.dotted_string}"
    if isinstance(name, x509.RegisteredID):
        return name.value.dotted_string
    if isinstance(name.value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(name.value)
    return printable(str(name.value))


def _algorithm(signed: x509.Certificate | x509.CertificateSigningRequest) -> str:
    oid = signed.signature_algorithm_oid
    return str(getattr(oid, "_name", "")) or oid.dotted_string


def _key(holder: x509.Certificate | x509.CertificateSigningRequest) -> str:
    try:
        key = holder.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "of an unknown kind"
    match key:
        case rsa.RSAPublicKey():
            return f"RSA, {key.key_size} bits"
        case ec.EllipticCurvePublicKey():
            return f"ECDSA, curve {key.curve.name}"
        case dsa.DSAPublicKey():
            return f"DSA, {key.key_size} bits"
        case _:
            return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _extensions(extensions: x509.Extensions) -> Iterator[str]:
    for extension in extensions:
        said = _extension(extension.value)
        if said:
            yield f"    {said}{' (critical)' if extension.critical else ''}"


def _extension(value: x509.ExtensionType) -> str:
    match value:
        case x509.SubjectAlternativeName():
            return "Subject alternative names: " + ", ".join(_name(one) for one in value)
        case x509.BasicConstraints():
            length = "" if value.path_length is None else f", at most {value.path_length} below it"
            return f"Certificate authority: {'yes' + length if value.ca else 'no'}"
        case x509.KeyUsage():
            return "Key usage: " + ", ".join(words for name, words in _USAGES if getattr(value, name))
        case x509.ExtendedKeyUsage():
            return "Extended key usage: " + ", ".join(_PURPOSES.get(one) or one.dotted_string for one in value)
        case x509.SubjectKeyIdentifier():
            return f"Subject key identifier: {hexadecimal(value.digest)}"
        case x509.AuthorityKeyIdentifier():
            return f"Authority key identifier: {hexadecimal(value.key_identifier)}" if value.key_identifier else ""
        case x509.UnrecognizedExtension() if value.oid == MICROSOFT_TEMPLATE:
            return f"Certificate template: {printable(value.value[2:].decode('utf-16-be', 'replace'))}"
        case x509.MSCertificateTemplate():
            return f"Certificate template: {value.template_id.dotted_string}"
        case _:
            return _services(value)


def _services(value: x509.ExtensionType) -> str:
    match value:
        case x509.CRLDistributionPoints():
            names = [_name(one) for point in value for one in point.full_name or ()]
            return "Revocation lists: " + ", ".join(names) if names else ""
        case x509.AuthorityInformationAccess():
            return "Authority information: " + ", ".join(_name(one.access_location) for one in value)
        case _:
            return ""
