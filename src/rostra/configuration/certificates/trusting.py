"""Whom the platform believes over TLS: Mozilla's authorities and those that were uploaded (SYS-233, SYS-234)."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

import certifi
import structlog
from cryptography import x509

from rostra.configuration.certificates.facts import is_self_signed

logger = structlog.get_logger("rostra.certificates")

Authorities = Iterable[tuple[str, bool]]
"""Uploaded CA certificates (PEM), each with whether it is trusted though it is no root."""


def client_context(authorities: Authorities) -> ssl.SSLContext:
    """For connections to servers of the web, whose certificates have to name them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    trust(context, authorities)
    return context


def trust(context: ssl.SSLContext, authorities: Authorities) -> None:
    """Have `context` believe them and Mozilla's. A certificate that cannot be read is left out, and said so."""
    context.load_verify_locations(cafile=certifi.where())
    trust_only(context, authorities)


def ask(context: ssl.SSLContext, authorities: Authorities) -> None:
    """Have a server's `context` ask clients for a certificate of one of `authorities`; who has none is served too.

    Nobody else's: whom the web trusts to know servers need not know our administrators.
    """
    trust_only(context, authorities)
    context.verify_mode = ssl.CERT_OPTIONAL


def trust_only(context: ssl.SSLContext, authorities: Authorities) -> None:
    """Have `context` believe the uploaded ones."""
    uploaded = list(authorities)
    partial = any(trusted for _, trusted in uploaded)
    if partial:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    for text, trusted in uploaded:
        try:
            # Where a chain may end anywhere, it would end with those that are not trusted by themselves as well.
            if trusted or not partial or is_self_signed(x509.load_pem_x509_certificate(text.encode())):
                context.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError) as problem:
            logger.warning("An uploaded authority cannot be used", problem=str(problem))
