"""Whether a peer's certificate was revoked, by OCSP (SYS-231, SYS-232; RFC 6960). Without an answer it is refused."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterable

import httpx
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from rostra.configuration.certificates import chains, pem
from rostra.configuration.certificates.facts import is_signed_by

log = structlog.get_logger("rostra.sip")

TIMEOUT = 5.0
LARGEST = 64 * 1024
"""Bytes of an answer."""
SKEW = datetime.timedelta(minutes=5)
"""By how much clocks may differ."""
LONGEST = datetime.timedelta(hours=1)
"""An answer is used again for so long at most."""
KEPT = 5_000

Client = Callable[[], httpx.AsyncClient]


class Revocation:
    """Asks OCSP responders. A certificate that is good is not asked about again as long as the answer holds."""

    def __init__(
        self, *, override: bool, responder: str, authorities: Iterable[tuple[str, bool]], client: Client | None = None
    ) -> None:
        """`responder` is asked with `override`, and where the certificate names nobody."""
        self._override = override
        self._responder = responder
        uploaded = [(one, trusted) for text, trusted in authorities for one in pem.certificates(text)]
        self._pool = chains.trust(uploaded)
        self._client = client or (lambda: httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False))
        self._good: dict[bytes, datetime.datetime] = {}

    async def problem(self, certificate: bytes | None) -> str:
        """Why a peer with this certificate (DER) is refused; empty: it is not."""
        if not certificate:
            return "no certificate"
        now = datetime.datetime.now(datetime.UTC)
        if self._good.get(certificate, now) > now:
            return ""
        try:
            with warnings.catch_warnings(action="ignore"):
                until = await self._ask(x509.load_der_x509_certificate(certificate), now)
        except (_Refused, ValueError) as problem:
            return str(problem)
        except httpx.HTTPError as problem:
            return f"the OCSP responder cannot be asked: {type(problem).__name__}"
        if len(self._good) >= KEPT:
            self._good = {known: end for known, end in self._good.items() if end > now}
        if len(self._good) < KEPT:
            self._good[certificate] = min(until, now + LONGEST)
        return ""

    async def _ask(self, leaf: x509.Certificate, now: datetime.datetime) -> datetime.datetime:
        above = chains.chain(leaf, self._pool, chains.built_in()).certificates[1:]
        if not above:
            raise _Refused("who signed it is not known: upload that authority under Trusted CA Certificates")
        url = self._responder if self._override else _named(leaf) or self._responder
        if not url:
            raise _Refused("neither the certificate nor the global settings name an OCSP responder")
        asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, above[0], hashes.SHA1()).build()  # noqa: S303 - RFC 5019
        content = asked.public_bytes(serialization.Encoding.DER)
        async with self._client() as client:
            answer = await client.post(url, content=content, headers={"Content-Type": "application/ocsp-request"})
        if answer.status_code != 200 or len(answer.content) > LARGEST:
            raise _Refused(f"the OCSP responder answers {answer.status_code}")
        return judge(answer.content, asked, above[0], now)


class _Refused(Exception):
    """The text says why."""


def judge(
    answer: bytes, asked: ocsp.OCSPRequest, issuer: x509.Certificate, now: datetime.datetime
) -> datetime.datetime:
    """Until when the certificate is known to be good. Raises _Refused, ValueError."""
    response = ocsp.load_der_ocsp_response(answer)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise _Refused(f"the OCSP responder says {response.response_status.name.lower()}")
    same = (response.serial_number, response.issuer_key_hash, response.issuer_name_hash)
    if same != (asked.serial_number, asked.issuer_key_hash, asked.issuer_name_hash):
        raise _Refused("the OCSP responder answers for another certificate")
    if not _signed(response, issuer, now):
        raise _Refused("the answer of the OCSP responder is not signed by whom it should be")
    until = response.next_update_utc or now + LONGEST
    if response.this_update_utc > now + SKEW or until < now - SKEW:
        raise _Refused("the answer of the OCSP responder is not of today")
    if response.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise _Refused(f"its certificate is {response.certificate_status.name.lower()}")
    return until


def _signed(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime.datetime) -> bool:
    """By the authority, or by somebody to whom it gave a certificate for that (RFC 6960 4.2.2.2)."""
    delegates = [
        one
        for one in response.certificates
        if is_signed_by(one, issuer) and _may_sign(one) and one.not_valid_before_utc <= now <= one.not_valid_after_utc
    ]
    return any(_verifies(response, one) for one in (issuer, *delegates))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _verifies(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(response.signature, response.tbs_response_bytes)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _named(certificate: x509.Certificate) -> str:
    """The responder that a certificate names."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ""
    places = [one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    return next((str(place.value) for place in places if isinstance(place, x509.UniformResourceIdentifier)), "")
