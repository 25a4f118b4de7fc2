"""Which hosts a certificate is valid for (RFC 6125, RFC 5922)."""

from __future__ import annotations

import ipaddress

from cryptography import x509
from cryptography.x509.oid import NameOID


def identities(certificate: x509.Certificate) -> frozenset[str]:
    """Host names and addresses in lower case: the subject alternative names, or without any the common name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _common_names(certificate)
    found = {name.lower().rstrip(".") for name in names.get_values_for_type(x509.DNSName)}
    found |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    for uri in names.get_values_for_type(x509.UniformResourceIdentifier):  # sip:host names a domain (RFC 5922, 7.1)
        scheme, _, rest = uri.partition(":")
        if scheme.lower() in ("sip", "sips") and "@" not in rest:
            found.add(rest.partition(";")[0].lower())
    return frozenset(found) if found else _common_names(certificate)


def _common_names(certificate: x509.Certificate) -> frozenset[str]:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return frozenset(str(one.value).lower().rstrip(".") for one in found)


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Is `certificate` valid for this host name or address?"""
    names = identities(certificate)
    host = host.lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(host)) in names
    except ValueError:
        pass
    _, _, parent = host.partition(".")
    return host in names or bool(parent and f"*.{parent}" in names)


def has_wildcard(certificate: x509.Certificate) -> bool:
    """Does it name hosts by a pattern? Peers over SIP do not accept that (SYS-213)."""
    return any(name.startswith("*.") for name in identities(certificate))
