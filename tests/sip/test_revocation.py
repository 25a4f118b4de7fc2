"""Peers whose certificates were revoked: an OCSP responder that says so, lies, is late, or is not there."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from rostra.environment import Environment
from rostra.sip.revocation import Revocation
from tests.certificates import Made, made
from tests.sip.pair import serving
from tests.sip.test_trust import KNOWN, OTHER, OWN, ROOT, SERVER, _options, outcome, settings

NOW = datetime.datetime.now(datetime.UTC)
HOUR = datetime.timedelta(hours=1)
DELEGATE = made("ocsp", by=ROOT, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
NOBODY = made("nobody", by=ROOT)


@dataclasses.dataclass
class Responder:
    """Answers as it is told, and counts."""

    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    signer: Made = ROOT
    about: Made | None = None
    since: datetime.datetime = NOW
    until: datetime.datetime | None = NOW + HOUR
    http: int = 200
    urls: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        asked = ocsp.load_der_ocsp_request(request.content)
        subject = self.about or next(one for one in (OWN, SERVER, WITH_URL) if _number(one) == asked.serial_number)
        revoked = self.status is ocsp.OCSPCertStatus.REVOKED
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                subject.certificate, ROOT.certificate, hashes.SHA1(), self.status, self.since, self.until,
                NOW - HOUR if revoked else None, None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.signer.certificate)
        )  # fmt: skip
        if self.signer is not ROOT:
            builder = builder.certificates([self.signer.certificate])
        made_ = builder.sign(self.signer.key, hashes.SHA256())
        return httpx.Response(self.http, content=made_.public_bytes(serialization.Encoding.DER))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def _number(one: Made) -> int:
    return one.certificate.serial_number


def _with_url() -> Made:
    """A certificate that names its responder."""
    plain = made("url.example.org", by=ROOT)
    known = plain.certificate
    access = x509.AccessDescription(
        x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://named.test/")
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .public_key(known.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    )
    return Made(builder.sign(ROOT.key, hashes.SHA256()), plain.key)


WITH_URL = _with_url()


def asking(
    client: Callable[[], httpx.AsyncClient], *, override: bool = False, url: str = "http://set.test/"
) -> Revocation:
    return Revocation(override=override, responder=url, authorities=KNOWN, client=client)


def der(one: Made) -> bytes:
    return one.certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.spec("SYS-231")
@pytest.mark.parametrize(
    ("responder", "problem"),
    [
        (Responder(), ""),
        (Responder(signer=DELEGATE), ""),
        (Responder(until=None), ""),
        (Responder(status=ocsp.OCSPCertStatus.REVOKED), "its certificate is revoked"),
        (Responder(status=ocsp.OCSPCertStatus.UNKNOWN), "its certificate is unknown"),
        (Responder(signer=NOBODY), "not signed by whom"),
        (Responder(signer=OTHER), "not signed by whom"),
        (Responder(about=SERVER), "for another certificate"),
        (Responder(since=NOW - 9 * HOUR, until=NOW - 8 * HOUR), "not of today"),
        (Responder(since=NOW + HOUR, until=NOW + 2 * HOUR), "not of today"),
        (Responder(http=503), "answers 503"),
    ],
)
async def test_what_the_responder_says(responder: Responder, problem: str) -> None:
    found = await asking(responder.client).problem(der(OWN))
    assert (found == "") is (problem == "")
    assert problem in found


@pytest.mark.spec("SYS-232")
async def test_who_is_asked() -> None:
    responder = Responder()
    for one, override, url, expected in (
        (OWN, False, "http://set.test/", "http://set.test/"),
        (WITH_URL, False, "http://set.test/", "http://named.test/"),
        (WITH_URL, True, "http://set.test/", "http://set.test/"),
    ):
        assert await asking(responder.client, override=override, url=url).problem(der(one)) == ""
        assert responder.urls.pop() == expected
    assert "neither" in await asking(responder.client, url="").problem(der(OWN))
    assert "not known" in await asking(responder.client).problem(der(made("stranger", by=OTHER)))
    assert "no certificate" in await asking(responder.client).problem(None)
    assert not responder.urls


async def test_nobody_answers_and_garbage() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    gone = asking(lambda: httpx.AsyncClient(transport=httpx.MockTransport(down)))
    assert "cannot be asked" in await gone.problem(der(OWN))
    garbage = asking(
        lambda: httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"x")))
    )
    assert await garbage.problem(der(OWN))


async def test_what_is_good_is_not_asked_about_again() -> None:
    responder = Responder()
    known = asking(responder.client)
    for _ in range(3):
        assert await known.problem(der(OWN)) == ""
    assert len(responder.urls) == 1


async def test_a_fault_of_ours_lets_nobody_in(environment: Environment) -> None:
    revocation = asking(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    verifying = dataclasses.replace(settings(SERVER, verify=True), revocation=revocation)
    async with serving(environment, verifying) as here:
        assert await _options(here, OWN, "conf.example.test") == b""


@pytest.mark.spec("SYS-231")
async def test_peers_both_ways(environment: Environment) -> None:
    """A revoked certificate gets nothing said, and nobody with one is called."""
    for status, expected in ((ocsp.OCSPCertStatus.GOOD, True), (ocsp.OCSPCertStatus.REVOKED, False)):
        revocation = asking(Responder(status=status).client)
        verifying = dataclasses.replace(settings(SERVER, verify=True), revocation=revocation)
        async with serving(environment, verifying) as here:
            reply = await _options(here, OWN, "conf.example.test")
            assert reply == (b"SIP/2.0 200 OK" if expected else b"")
            named = made("127.0.0.1", by=ROOT)
            responder = Responder(status=status, about=named)
            revoking = dataclasses.replace(settings(verify=True), revocation=asking(responder.client))
            async with (
                serving(environment, settings(named, verify=False)) as called,
                serving(environment, revoking) as ours,
            ):
                assert (await outcome(ours, called) == "") is expected
