"""TLS with SIP peers: who has to show which certificate, and whether it names whom we deal with (RFC 5922).

Without verification (SYS-224, SYS-227) peers that come to us need no certificate, and those we call need one that
somebody trusted signed, or may have none at all; with it, both sides need one (SYS-225, SYS-228).
"""

from __future__ import annotations

import ssl
import warnings

import structlog
from cryptography import x509

from rostra.configuration.certificates import names, trusting
from rostra.configuration.certificates.trusting import Authorities
from rostra.sip.locating import is_address

log = structlog.get_logger("rostra.sip")

_ANONYMOUS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:RSA+AESGCM:ADH-AES256-GCM-SHA384:ADH-AES128-GCM-SHA256:@SECLEVEL=0"
"""Also for peers without certificates, which OpenSSL does not take on any higher level of security."""
_WRONG_USE = 26
"""OpenSSL's X509_V_ERR_INVALID_PURPOSE."""


class _Telling(ssl.SSLObject):
    """Says why a handshake failed, which asyncio keeps to itself."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLCertVerificationError as problem:
            used_wrongly = problem.verify_code == _WRONG_USE
            reason = "unsupported certificate" if used_wrongly else problem.verify_message
            log.warning("sip_tls_peer_refused", reason=reason, incoming=self.server_side, remedy=_remedy(problem))
            raise
        except ssl.SSLError as problem:
            log.info("sip_tls_failed", reason=problem.reason or str(problem), incoming=self.server_side)
            raise


def _remedy(problem: ssl.SSLCertVerificationError) -> str:
    if problem.verify_code == _WRONG_USE:
        return "give the peer a certificate whose extended key usage allows what it is used for"
    return "upload the authority that signed the peer's certificate under Trusted CA Certificates"


def serving(context: ssl.SSLContext, *, verify: bool, authorities: Authorities = ()) -> ssl.SSLContext:
    """Complete a fresh context of ours for connections that come in."""
    context.sslobject_class = _Telling
    if verify:
        trusting.trust(context, authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def calling(*, verify: bool, authorities: Authorities = ()) -> ssl.SSLContext:
    """For connections of ours; a certificate to present is loaded by who has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = _Telling
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # OpenSSL's rules are those of the web: see `names_it`
    context.verify_mode = ssl.CERT_REQUIRED
    trusting.trust(context, authorities)
    if not verify:
        context.set_ciphers(_ANONYMOUS)
    return context


def identities(certificate: bytes | None) -> frozenset[str]:
    """Hosts that a peer's certificate (DER) is for; none without one."""
    if not certificate:
        return frozenset()
    try:
        with warnings.catch_warnings(action="ignore"):
            return names.identities(x509.load_der_x509_certificate(certificate))
    except ValueError:
        return frozenset()


def names_it(known: frozenset[str], host: str) -> bool:
    """Is a certificate with these identities for `host`? Wildcards stand for nothing (7.2)."""
    return host.strip("[]").lower().rstrip(".") in known


def server_name(host: str) -> str | None:
    """What to ask for by SNI: a name, never an address (RFC 6066 3)."""
    return None if is_address(host) or not host else host.rstrip(".")
