"""Import of PEM files: each certificate goes to the list it belongs in (SYS-222, SYS-223, SYS-236)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TypeVar

from cryptography import x509
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext, ngettext

from rostra.configuration.certificates import facts, pem
from rostra.configuration.certificates.pem import Bundle, CertificateProblem, PassphraseProblem, PrivateKey
from rostra.configuration.models import CaCertificate, TlsCertificate

_Row = TypeVar("_Row", TlsCertificate, CaCertificate)


@dataclasses.dataclass(slots=True)
class Outcome:
    """What an import did; ids of the rows that were made or changed."""

    tls_certificates: list[int] = dataclasses.field(default_factory=list)
    ca_certificates: list[int] = dataclasses.field(default_factory=list)
    ignored: int = 0
    """Certificates that were there already."""

    @property
    def summary(self) -> str:
        tls, ca = len(self.tls_certificates), len(self.ca_certificates)
        counts = {"tls": tls, "ca": ca, "ignored": self.ignored}
        own = ngettext("Imported: %(tls)d TLS certificate", "Imported: %(tls)d TLS certificates", tls) % counts
        others = ngettext("%(ca)d CA certificate.", "%(ca)d CA certificates.", ca) % counts
        more = " " + gettext("%(ignored)d were there already.") % counts if self.ignored else ""
        return f"{own}, {others}{more}"


def load(files: Iterable[str], passphrase: str = "") -> Outcome:
    """Take everything in PEM files, or nothing. Raises ValidationError (`bundle`, `private_key_passphrase`)."""
    try:
        bundle = _together([pem.read(text, passphrase) for text in files])
        with transaction.atomic():
            return _Import(bundle).run()
    except PassphraseProblem as problem:
        raise ValidationError({"private_key_passphrase": str(problem)}) from None
    except CertificateProblem as problem:
        raise ValidationError({"bundle": str(problem)}) from None


def _together(bundles: list[Bundle]) -> Bundle:
    """Keys and certificates may come in separate files."""
    return Bundle(
        tuple({facts.fingerprint(one): one for bundle in bundles for one in bundle.certificates}.values()),
        tuple(key for bundle in bundles for key in bundle.keys),
        sum(bundle.requests for bundle in bundles),
        parameters="".join(bundle.parameters for bundle in bundles),
    )


class _Import:
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._outcome = Outcome()

    def run(self) -> Outcome:
        if self._bundle.requests:
            raise CertificateProblem(gettext("Certificate signing requests cannot be imported."))
        if not self._bundle.certificates and not self._bundle.keys:
            raise CertificateProblem(gettext("There are no certificates in PEM form in this."))
        used: list[PrivateKey] = []
        for certificate in self._bundle.certificates:
            key = next((key for key in self._bundle.keys if pem.paired((certificate,), key)), None)
            if key is not None:
                used.append(key)
            self._take(certificate, key)
        self._check_keys(used)
        return self._outcome

    def _check_keys(self, used: list[PrivateKey]) -> None:
        for key in self._bundle.keys:
            if not any(pem.same_key(key, other) for other in used) and not _is_stored(key):
                raise CertificateProblem(gettext("One of the private keys belongs to none of the certificates."))

    def _take(self, certificate: x509.Certificate, key: PrivateKey | None) -> None:
        if key is not None:
            return self._take_tls(certificate, key)
        if facts.is_authority(certificate):
            return self._take_authority(certificate)
        if _pairs_with_stored(certificate):
            return self._take_tls(certificate, None)
        if facts.is_self_signed(certificate):  # a server that vouches for itself can be trusted, if somebody says so
            return self._take_authority(certificate)
        raise CertificateProblem(
            gettext(
                "There is no private key for %(subject)s. A certificate that answers a signing request "
                "is given on the page of that request."
            )
            % {"subject": facts.short_name(certificate.subject)}
        )

    def _take_tls(self, certificate: x509.Certificate, key: PrivateKey | None) -> None:
        name = facts.short_name(certificate.subject)
        rows = list(TlsCertificate.objects.filter(subject_name=name).order_by("pk"))
        if any(row.shown == certificate for row in rows):
            self._outcome.ignored += 1
            return
        rows = [row for row in rows if row.pk not in self._outcome.tls_certificates]
        if key is None:
            rows = [row for row in rows if pem.paired((certificate,), row.key) is not None]
        row = _nearest(rows, certificate) or TlsCertificate()
        if self._bundle.parameters:
            row.parameters = self._bundle.parameters
        try:
            row.replace(pem.certificate_text(certificate), None if key is None else pem.key_text(key))
        except ValidationError as problem:
            raise CertificateProblem(f"{name}: {' '.join(problem.messages)}") from None
        row.save()
        self._outcome.tls_certificates.append(row.pk)

    def _take_authority(self, certificate: x509.Certificate) -> None:
        rows = list(CaCertificate.objects.filter(subject_name=facts.short_name(certificate.subject)).order_by("pk"))
        if any(row.leaf == certificate for row in rows):
            self._outcome.ignored += 1
            return
        # Of one file several may have the same name: the same authority, vouched for by several others.
        rows = [row for row in rows if row.pk not in self._outcome.ca_certificates]
        row = _nearest(rows, certificate) or CaCertificate()
        row.certificate = pem.certificate_text(certificate)
        row.full_clean()
        row.save()
        self._outcome.ca_certificates.append(row.pk)


def _nearest(rows: list[_Row], certificate: x509.Certificate) -> _Row | None:
    """Of rows with the same subject name, the one whose contents are to be replaced."""
    issuer, subject = facts.name_hash(certificate.issuer), facts.name_hash(certificate.subject)
    return min(rows, key=lambda row: (row.issuer_hash != issuer, row.subject_hash != subject), default=None)


def _pairs_with_stored(certificate: x509.Certificate) -> bool:
    rows = TlsCertificate.objects.filter(subject_name=facts.short_name(certificate.subject))
    return any(pem.paired((certificate,), row.key) is not None for row in rows)


def _is_stored(key: PrivateKey) -> bool:
    return any(pem.paired((row.shown,), key) is not None for row in TlsCertificate.objects.all())
