"""TLS certificates, trusted CA certificates and certificate signing requests."""

from __future__ import annotations

import dataclasses
import ssl
from typing import Any, ClassVar

from cryptography import x509
from django.core.exceptions import ValidationError
from django.db import models, transaction

from rostra import tls
from rostra.configuration import vocabulary
from rostra.configuration.certificates import facts, names, pem, requests
from rostra.configuration.certificates.pem import CertificateProblem, PassphraseProblem
from rostra.configuration.fields import choice, flag, paragraph, reference, secret, text
from rostra.configuration.secretfield import reveal
from rostra.configuration.translating import gettext

_PEM, _KEY = 65536, 12288
"""Most characters of a certificate with its chain, and of a private key."""


def _moment(label: str, help_text: str) -> models.DateTimeField:
    return models.DateTimeField(label, help_text=help_text, editable=False, blank=True)


def _decoded(label: str, limit: int, help_text: str, **more: Any) -> models.CharField:
    return text(label, limit, help_text, default=None, editable=False, blank=True, **more)


class DecodedCertificate(models.Model):
    """What a certificate says, kept beside it."""

    start_date = _moment("Valid from", "When the certificate begins to be valid, in UTC.")
    end_date = _moment("Valid until", "When the certificate expires, in UTC.")
    subject_name = _decoded("Subject name", 250, "Whom the certificate is for: common name or organization.")
    subject_hash = _decoded("Subject hash", 8, "OpenSSL's hash of the subject.")
    raw_subject = _decoded("Subject", 250, "The whole distinguished name of the subject.")
    issuer_name = _decoded("Issuer", 250, "Who signed the certificate: common name or organization.")
    issuer_hash = _decoded("Issuer hash", 8, "OpenSSL's hash of the issuer.")
    raw_issuer = _decoded("Full issuer", 250, "The whole distinguished name of the issuer.")
    serial_no = _decoded("Serial number", 128, "Number its issuer gave it, hexadecimal.")
    key_id = _decoded("Subject key identifier", 128, "Identifies its public key.", null=True)
    issuer_key_id = _decoded("Authority key identifier", 128, "Identifies the key that signed it.", null=True)
    text = models.TextField("Decoded certificate", help_text="The certificate in words.", editable=False, blank=True)

    class Meta:
        abstract = True

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate that is decoded. Raises CertificateProblem."""
        raise NotImplementedError

    def save(self, *arguments: Any, **more: Any) -> None:
        found = dataclasses.asdict(facts.facts(self.leaf))
        known = {name for name in found if hasattr(self, name)}
        for name in known:
            setattr(self, name, found[name])
        if more.get("update_fields") is not None:
            more["update_fields"] = {*more["update_fields"], *known}
        super().save(*arguments, **more)


def name_problem(node: Any) -> dict[str, str]:
    """Why `node` cannot have the certificate assigned to it, by field: a DNS name given to it alone has to be in
    there (NODE-022, CLOUD-051)."""
    used: TlsCertificate | None = node.tls_certificate
    if used is None or not node.alternative_fqdn or used.is_for(node.alternative_fqdn):
        return {}
    return {"tls_certificate": f"This certificate is not valid for {node.alternative_fqdn}."}


class TlsCertificate(DecodedCertificate):
    """A certificate with its private key, for any number of nodes."""

    certificate = paragraph(
        "TLS certificate",
        _PEM,
        "The certificate in PEM form; intermediate certificates and TLS parameters may follow it.",
        default=None,
    )
    private_key = secret(
        "Private key", _KEY, "RSA or ECDSA key of the certificate in PEM form; cannot be changed.", default=None
    )
    private_key_passphrase = secret("Private key passphrase", 250, "Opens an encrypted private key; not kept.")
    parameters = paragraph(
        "TLS parameters", _PEM, "Diffie-Hellman parameters or the name of a curve for ephemeral keys, in PEM form."
    )
    subject_alt_names = models.TextField(
        "Subject alternative names", help_text="Hosts the certificate is valid for.", editable=False, blank=True
    )
    client_auth_usage = models.BooleanField(
        "TLS client authentication", help_text="It may prove who a client is.", editable=False, blank=True
    )
    server_auth_usage = models.BooleanField(
        "TLS server authentication", help_text="It may prove who a server is.", editable=False, blank=True
    )

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - Django's way
        verbose_name = "TLS certificate"
        verbose_name_plural = "TLS certificates"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.subject_name} ({self.issuer_name})"

    @property
    def key(self) -> pem.PrivateKey:
        """The private key. Raises CertificateProblem, or sealing.Locked where the platform's key is not known."""
        return pem.key(reveal(self, "private_key"), reveal(self, "private_key_passphrase"))

    @property
    def leaf(self) -> x509.Certificate:
        found = pem.paired(pem.certificates(self.certificate), self.key)
        if found is None:
            raise CertificateProblem(pem.NOT_A_PAIR)
        return found

    @property
    def shown(self) -> x509.Certificate:
        """The same certificate, found by what is known of it: the private key need not be opened."""
        found = pem.certificates(self.certificate)
        return next((one for one in found if facts.serial(one) == self.serial_no), found[0])

    def replace(self, certificate: str, private_key: str | None = None) -> None:
        """Give a new certificate and, in a renewal, its new key. Raises ValidationError; saves nothing."""
        self.certificate = certificate
        if private_key is not None:
            self.private_key = private_key
        self._renews = private_key is not None
        self.full_clean()

    _renews = False

    def clean(self) -> None:
        if not self.certificate or not self.private_key:
            return  # the fields themselves complain
        if "PRIVATE KEY-----" in self.certificate:  # this field is shown to everybody who may look
            raise ValidationError({"certificate": gettext("Give the private key in its own field.")})
        key = self._checked_key()
        try:
            found = pem.read(self.certificate)
            leaf = pem.paired(pem.certificates(self.certificate), key)
        except CertificateProblem as problem:
            raise ValidationError({"certificate": str(problem)}) from None
        if leaf is None:
            raise ValidationError({"certificate": pem.NOT_A_PAIR})
        parameters = self._checked_parameters()
        try:
            tls.server_context(
                pem.certificate_text(leaf),
                pem.key_text(key),
                dh=parameters.dh or found.dh,
                curve=parameters.curve or found.curve,
            )
        except (ssl.SSLError, ValueError) as problem:
            field = "parameters" if parameters.parameters and "DH" in str(problem).upper() else "certificate"
            reason = getattr(problem, "reason", None) or problem
            raise ValidationError(
                {field: gettext("OpenSSL does not take this: %(reason)s.") % {"reason": reason}}
            ) from None
        self._check_names(leaf)
        self.private_key, self.private_key_passphrase = pem.key_text(key), ""

    def _checked_key(self) -> pem.PrivateKey:
        try:
            key = self.key
        except PassphraseProblem as problem:
            raise ValidationError({"private_key_passphrase": str(problem)}) from None
        except CertificateProblem as problem:
            raise ValidationError({"private_key": str(problem)}) from None
        stored = TlsCertificate.objects.filter(pk=self.pk).first() if self.pk and not self._renews else None
        if stored is not None and not pem.same_key(key, stored.key):
            raise ValidationError({"private_key": gettext("The private key of a certificate cannot be changed.")})
        return key

    def _checked_parameters(self) -> pem.Bundle:
        try:
            found = pem.read(self.parameters)
        except CertificateProblem as problem:
            raise ValidationError({"parameters": str(problem)}) from None
        if found.certificates or found.keys or found.requests or (self.parameters.strip() and not found.parameters):
            raise ValidationError({"parameters": gettext("Give Diffie-Hellman or EC parameters in PEM form.")})
        return found

    def _check_names(self, leaf: x509.Certificate) -> None:
        """Nodes that use it keep their SIP TLS FQDN (NODE-022, CLOUD-051)."""
        if not self.pk:
            return
        for node in (*self.worker_vms.all(), *self.management_vms.all()):  # type: ignore[attr-defined] - reverse
            if node.alternative_fqdn and not names.covers(leaf, node.alternative_fqdn):
                raise ValidationError(
                    {
                        "certificate": gettext("%(node)s uses it, and needs it for %(alternative_fqdn)s.")
                        % {"node": node, "alternative_fqdn": node.alternative_fqdn}
                    }
                )

    def is_for(self, host: str) -> bool:
        """Is it valid for this host?"""
        return names.covers(self.shown, host)


class CaCertificate(DecodedCertificate):
    """A certificate of an authority that this platform trusts, or that links others to such an authority."""

    certificate = paragraph("CA certificate", _PEM, "The certificate in PEM form.", default=None)
    trusted_intermediate = flag(
        "Trusted intermediate", "Chains may end with this certificate although it is no root.", default=False
    )

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - Django's way
        verbose_name = "Trusted CA certificate"
        verbose_name_plural = "Trusted CA certificates"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.subject_name

    @property
    def leaf(self) -> x509.Certificate:
        return pem.certificates(self.certificate)[0]

    def clean(self) -> None:
        if not self.certificate:
            return
        if "PRIVATE KEY-----" in self.certificate:
            raise ValidationError({"certificate": gettext("Give the certificate alone, without a private key.")})
        try:
            found = pem.certificates(self.certificate)
        except CertificateProblem as problem:
            raise ValidationError({"certificate": str(problem)}) from None
        if len(found) > 1:
            raise ValidationError({"certificate": gettext("Give one certificate; Import files takes several at once.")})
        given = found[0]
        if not facts.is_authority(given) and not facts.is_self_signed(given):
            raise ValidationError({"certificate": gettext("This is not the certificate of an authority.")})


class CertificateSigningRequest(models.Model):
    """Asks an authority for a certificate; kept until the answer is there."""

    subject_name = text("Subject name", 250, "Common name: the host the certificate is for.", default=None)
    dn = text("Distinguished name", 250, "More about the subject, as in O=Example,C=NO.")
    additional_subject_alt_names = models.TextField(
        "Additional subject alternative names",
        blank=True,
        default="",
        help_text="Further hosts the certificate is to be valid for, separated by commas.",
    )
    private_key_type = choice(
        "Private key type", vocabulary.PRIVATE_KEY_TYPES, "The key to make, or that there is one.", default="RSA2048"
    )
    private_key = secret("Private key", _KEY, "An RSA or ECDSA key of your own in PEM form.")
    private_key_passphrase = secret("Private key passphrase", 250, "Opens an encrypted private key; not kept.")
    ad_compatible = flag(
        "Include Microsoft certificate template extension",
        "Name the template WebServer, which Microsoft's certificate services want.",
        default=False,
    )
    tls_certificate = reference(
        "TLS certificate",
        "configuration.TlsCertificate",
        "Certificate that the answer replaces; nodes that use it go on doing so.",
        related_name="+",
    )
    csr = models.TextField("Signing request", help_text="The request in PEM form.", editable=False, blank=True)
    certificate = paragraph("Certificate", _PEM, "The authority's answer in PEM form; completes the request.")
    eku_client_auth = flag("TLS client authentication", "Ask for it to prove who a client is.", default=True)
    eku_server_auth = flag("TLS server authentication", "Ask for it to prove who a server is.", default=True)

    include_common_name = True
    """Is the common name among the subject alternative names? Not kept, since the request says it."""
    completed: TlsCertificate | None = None
    """What became of it, once it is saved with the authority's answer."""

    class Meta:
        verbose_name = "Certificate signing request"
        verbose_name_plural = "Certificate signing requests"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.subject_name

    def clean(self) -> None:
        if self.pk is None:
            self._make()
        else:
            self._check_unchanged()
            self._check_answer()

    def save(self, *arguments: Any, **more: Any) -> None:
        if self.pk is not None and self.certificate:
            self.complete()
        else:
            super().save(*arguments, **more)

    def _make(self) -> None:
        if not self.subject_name:
            return
        if self.certificate:
            raise ValidationError({"certificate": gettext("There is no request yet that this could be the answer to.")})
        key = self._own_key()
        try:
            subject = requests.distinguished_name(self.dn, self.subject_name)
        except CertificateProblem as problem:
            raise ValidationError(
                {"subject_name" if "common" in str(problem) else "dn": gettext(str(problem))}
            ) from None
        try:
            hosts = requests.alternative_names(self.additional_subject_alt_names)
        except CertificateProblem as problem:
            raise ValidationError({"additional_subject_alt_names": str(problem)}) from None
        if self.include_common_name and requests.is_host(self.subject_name):
            hosts = [self.subject_name, *hosts]
        self.csr = requests.make(
            subject,
            hosts,
            key,
            server=self.eku_server_auth,
            client=self.eku_client_auth,
            template=self.ad_compatible,
        )

    def _own_key(self) -> pem.PrivateKey:
        given = reveal(self, "private_key")
        if self.private_key_type != "UPLOAD":
            if given:
                raise ValidationError({"private_key": gettext("Only requests of type UPLOAD bring a private key.")})
            key = requests.new_key(self.private_key_type)
        elif not given:
            raise ValidationError({"private_key": gettext("Give the private key that is to be used.")})
        else:
            try:
                key = pem.key(given, reveal(self, "private_key_passphrase"))
            except PassphraseProblem as problem:
                raise ValidationError({"private_key_passphrase": str(problem)}) from None
            except CertificateProblem as problem:
                raise ValidationError({"private_key": str(problem)}) from None
        self.private_key, self.private_key_passphrase = pem.key_text(key), ""
        return key

    def _check_unchanged(self) -> None:
        """A request cannot be modified (SYS-248)."""
        stored = CertificateSigningRequest.objects.get(pk=self.pk)
        fields = (
            *("subject_name", "dn", "additional_subject_alt_names", "private_key_type", "private_key"),
            *("ad_compatible", "tls_certificate_id", "eku_client_auth", "eku_server_auth"),
        )
        changed = [name.removesuffix("_id") for name in fields if getattr(self, name) != getattr(stored, name)]
        if changed:
            problem = "A signing request cannot be changed; delete it and create another."
            raise ValidationError(dict.fromkeys(changed, problem))

    def _check_answer(self) -> None:
        if not self.certificate:
            return
        try:
            found = pem.paired(pem.certificates(self.certificate), pem.key(reveal(self, "private_key")))
        except CertificateProblem as problem:
            raise ValidationError({"certificate": str(problem)}) from None
        if found is None:
            raise ValidationError({"certificate": pem.NOT_A_PAIR})
        try:
            self._result().replace(self.certificate, reveal(self, "private_key"))
        except ValidationError as problem:
            raise ValidationError({"certificate": list(problem.messages)}) from None

    def _result(self) -> TlsCertificate:
        return self.tls_certificate or TlsCertificate()

    def complete(self) -> TlsCertificate:
        """Make the authority's answer a TLS certificate and go (SYS-246). Raises ValidationError."""
        with transaction.atomic():
            result = self._result()
            result.replace(self.certificate, reveal(self, "private_key"))
            result.save()
            self.delete()
        self.completed = result
        return result
