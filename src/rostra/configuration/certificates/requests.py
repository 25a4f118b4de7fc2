"""Making private keys and certificate signing requests (SYS-238 … SYS-244)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra.configuration.certificates.pem import CertificateProblem, PrivateKey
from rostra.configuration.certificates.text import MICROSOFT_TEMPLATE
from rostra.configuration.translating import gettext_noop

_TEMPLATE = "WebServer"
_MOST = {"state": 128, "city": 128}
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


def new_key(kind: str) -> PrivateKey:
    """A private key: `RSA2048`, `RSA4096` or `ECDSAP256`."""
    if kind == "ECDSAP256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=4096 if kind == "RSA4096" else 2048)


def distinguished_name(text: str, common_name: str) -> x509.Name:
    """The name in `text` (RFC 4514, may be empty) with this common name. Raises CertificateProblem."""
    try:
        given = x509.Name.from_rfc4514_string(text) if text.strip() else x509.Name([])
    except (ValueError, TypeError) as problem:
        if "ountry" in str(problem):
            raise CertificateProblem(gettext_noop("A country is given by its two letters.")) from None
        raise CertificateProblem(gettext_noop("This is not a distinguished name, as in O=Example,C=NO.")) from None
    if len(common_name) > 64:
        raise CertificateProblem(gettext_noop("A common name has at most 64 characters."))
    try:
        own = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError:
        raise CertificateProblem(gettext_noop("This cannot be a common name.")) from None
    rest = [rdn for rdn in given.rdns if not rdn.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return x509.Name([*rest, own])


def compose(common_name: str, **parts: str) -> str:
    """A distinguished name as text from the parts of a form; empty ones are left out. Raises CertificateProblem."""
    kinds = {
        "country": NameOID.COUNTRY_NAME,
        "state": NameOID.STATE_OR_PROVINCE_NAME,
        "city": NameOID.LOCALITY_NAME,
        "organization": NameOID.ORGANIZATION_NAME,
        "department": NameOID.ORGANIZATIONAL_UNIT_NAME,
    }
    found: list[x509.NameAttribute[str]] = []
    for part, kind in kinds.items():
        value = parts.get(part, "").strip()
        if value:
            found.append(_attribute(part, kind, value))
    found.append(_attribute("common name", NameOID.COMMON_NAME, common_name))
    return x509.Name(found).rfc4514_string()


def _attribute(part: str, kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    if kind == NameOID.COUNTRY_NAME and re.fullmatch("[A-Za-z]{2}", value) is None:
        raise CertificateProblem(gettext_noop("A country is given by its two letters."))
    if len(value) > _MOST.get(part, 64):  # RFC 5280, appendix A
        raise CertificateProblem(f"The {part} is too long.")
    return x509.NameAttribute(kind, value.upper() if kind == NameOID.COUNTRY_NAME else value)


def alternative_names(text: str) -> list[str]:
    """The names of a list separated by commas, white space or lines; each once. Raises CertificateProblem."""
    found = dict.fromkeys(part for part in re.split(r"[\s,]+", text) if part)
    for name in found:
        _general(name)
    return list(found)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise CertificateProblem(f"{name[:80]!r} is neither a host name nor an IP address.")
    return x509.DNSName(name)


def is_host(name: str) -> bool:
    """Can `name` stand among the subject alternative names?"""
    try:
        _general(name)
    except CertificateProblem:
        return False
    return True


def make(
    subject: x509.Name,
    names: Iterable[str],
    key: PrivateKey,
    *,
    server: bool = True,
    client: bool = True,
    template: bool = False,
) -> str:
    """A signing request in PEM for `subject`, valid for the hosts `names`.

    `server`, `client`: what the certificate is to be good for; `template` names Microsoft's WebServer template.
    Raises CertificateProblem.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    found = [_general(name) for name in dict.fromkeys(names)]
    if found:
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    wanted = ((server, ExtendedKeyUsageOID.SERVER_AUTH), (client, ExtendedKeyUsageOID.CLIENT_AUTH))
    usages = [usage for is_wanted, usage in wanted if is_wanted]
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if template:
        content = _TEMPLATE.encode("utf-16-be")
        value = bytes([0x1E, len(content)]) + content
        builder = builder.add_extension(x509.UnrecognizedExtension(MICROSOFT_TEMPLATE, value), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def read(text: str) -> x509.CertificateSigningRequest:
    """The signing request in PEM. Raises ValueError."""
    return x509.load_pem_x509_csr(text.encode())
