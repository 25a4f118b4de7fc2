"""What a server presents: the certificate assigned to its node, its chain completed by trusted intermediates."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable

import structlog
from cryptography import x509

from rostra import tls
from rostra.configuration.certificates import chains, pem, trusting
from rostra.configuration.certificates.chains import Chain
from rostra.configuration.certificates.pem import Bundle, CertificateProblem
from rostra.configuration.sealing import Locked

logger = structlog.get_logger("rostra.certificates")


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Material:
    """A configured certificate and what belongs to it; everything PEM, the key in clear."""

    certificate: str
    private_key: str
    parameters: str = ""
    authorities: tuple[tuple[str, bool], ...] = ()
    """Uploaded CA certificates, each with whether it is trusted though it is no root."""


Asked = tuple[tuple[str, bool], ...]
"""Authorities, as in `Material`, of which clients are asked for a certificate; empty: they are not asked."""


def chain_of(leaf: x509.Certificate, with_it: Bundle, authorities: tuple[tuple[str, bool], ...]) -> Chain:
    """From `leaf` to its root, through what came in the same file, what was uploaded and what is built in."""
    uploaded = [(one, trusted) for text, trusted in authorities for one in pem.certificates(text)]
    also = [one for one in with_it.certificates if one != leaf]
    return chains.chain(leaf, chains.trust(uploaded, also), chains.built_in())


def context(material: Material) -> ssl.SSLContext:
    """For servers that present `material` (SYS-217, SYS-235). Raises CertificateProblem."""
    found, own = pem.read(material.certificate), pem.read(material.parameters)
    try:
        return tls.server_context(
            *_texts(material, found),
            dh=own.dh or found.dh or tls.DH_PARAMETERS,
            curve=own.curve or found.curve,
        )
    except (ssl.SSLError, ValueError) as problem:
        raise CertificateProblem(f"OpenSSL does not take it: {problem}") from None


def load(context: ssl.SSLContext, material: Material) -> None:
    """Have a context for connections of ours show `material` to whoever asks. Raises CertificateProblem."""
    try:
        tls.load(context, *_texts(material, pem.read(material.certificate)))
    except ssl.SSLError as problem:
        raise CertificateProblem(f"OpenSSL does not take it: {problem}") from None


def _texts(material: Material, found: Bundle) -> tuple[str, str]:
    """The chain that is presented, and its key."""
    key = pem.key(material.private_key)
    leaf = pem.paired(found.certificates, key)
    if leaf is None:
        raise CertificateProblem(pem.NOT_A_PAIR)
    presented = chain_of(leaf, found, material.authorities).presented
    return "".join(pem.certificate_text(one) for one in presented), pem.key_text(key)


def _asking(context: ssl.SSLContext, asked: Asked) -> ssl.SSLContext:
    if asked:
        trusting.ask(context, asked)
    return context


class Presenter:
    """Keeps a server presenting what is configured, and the machine's own certificate while there is nothing else.

    `again` makes a further context with the machine's own certificate, for servers that may ask clients for theirs.
    """

    def __init__(
        self, live: tls.LiveContext, own: ssl.SSLContext, again: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        self._live = live
        self._own = own
        self._again = again
        self._presented: tuple[Material | None, Asked] = (None, ())
        self._refused = False

    def present(self, material: Material | None, asked: Asked = ()) -> None:
        """Present `material` from now on, None: the machine's own certificate.

        Material that cannot be used is logged, and the own certificate is presented.
        """
        if material is not None:
            self._refused = False
        if (material, asked) == self._presented:
            return
        self._presented = material, asked
        try:
            self._live.present(_asking(self._mine(asked) if material is None else context(material), asked))
        except CertificateProblem as problem:
            self._live.present(_asking(self._mine(asked), asked))
            logger.error("The assigned TLS certificate cannot be used; presenting our own", problem=str(problem))
        else:
            logger.info("TLS certificate exchanged", configured=material is not None)

    def _mine(self, asked: Asked) -> ssl.SSLContext:
        return self._again() if asked and self._again is not None else self._own

    def refuse(self, problem: Locked) -> None:
        """The private key cannot be opened (yet): present the machine's own certificate."""
        if not self._refused:
            logger.error("The private key of the assigned TLS certificate cannot be opened", problem=str(problem))
        self._refused = True
        self.present(None, self._presented[1])
