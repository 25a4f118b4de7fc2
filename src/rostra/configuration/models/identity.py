"""Identity providers: where participants sign on before they come in (API-036, API-037)."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from cryptography import x509
from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, flag, paragraph, secret, several, text
from rostra.configuration.models.themes import identity
from rostra.configuration.translating import gettext

MORE_ADDRESSES = range(2, 11)
"""Numbers of the further redirect URLs."""


def _url(label: str, help_text: str, *, default: str | None = "") -> models.CharField:
    return text(label, 255, help_text, default=default, validators=[validators.url])


def _redirect(number: int) -> models.CharField:
    return _url(f"Redirect URL {number}", "For users of another address of the web app.")


def _are_certificates(value: str) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(value.encode()))
    except ValueError:
        return False


class IdentityProviderAttribute(models.Model):
    """Something a provider says of a user that policy is told."""

    name = text("Name", 250, "As the provider calls it.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")

    class Meta:
        verbose_name = "Identity provider attribute"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class IdentityProvider(models.Model):
    """Signs users on by SAML 2.0 or OpenID Connect."""

    name = text("Name", 250, "Shown to users who choose where to sign on.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    idp_type = choice("Type", vocabulary.IDENTITY_PROTOCOLS, "How we talk to it.", default="saml")
    uuid = identity("Identity", "Part of the redirect URLs.", editable=True)
    assertion_consumer_service_url = _url(
        "Redirect URL",
        "https://<address of the web app>/api/v1/samlconsumer/<identity>, or oidcconsumer; also known to the provider.",
        default=None,
    )
    assertion_consumer_service_url2 = _redirect(2)
    assertion_consumer_service_url3 = _redirect(3)
    assertion_consumer_service_url4 = _redirect(4)
    assertion_consumer_service_url5 = _redirect(5)
    assertion_consumer_service_url6 = _redirect(6)
    assertion_consumer_service_url7 = _redirect(7)
    assertion_consumer_service_url8 = _redirect(8)
    assertion_consumer_service_url9 = _redirect(9)
    assertion_consumer_service_url10 = _redirect(10)
    worker_fqdn_acs_urls = flag("Redirect to nodes", "Also to the DNS names of all nodes.", default=False)
    disable_popup_flow = flag("No pop-up window", "Users are sent to the provider and back.", default=False)
    sso_url = _url("Sign-on URL", "Where users are sent (OpenID Connect: authorization endpoint).")
    idp_entity_id = text("Provider's entity ID", 250, "Of a SAML provider; of others the issuer.")
    idp_public_key = paragraph("Provider's certificate", 4096, "PEM; what it signs is checked with it.")
    service_entity_id = text("Our entity ID", 250, "Names us to a SAML provider.")
    service_public_key = paragraph("Our certificate", 4096, "PEM; tells the provider how to check our requests.")
    service_private_key = secret("Our private key", 12288, "PEM (RSA); signs our requests. Empty: none is signed.")
    signature_algorithm = choice(
        "Signature algorithm", vocabulary.SAML_SIGNATURES, "Of our requests.", default=vocabulary.SAML_SIGNATURES[1][0]
    )
    digest_algorithm = choice(
        "Digest algorithm", vocabulary.SAML_DIGESTS, "Of our requests.", default=vocabulary.SAML_DIGESTS[1][0]
    )
    display_name_attribute_name = text("Display name attribute", 250, "Of SAML.", default="NameId")
    registration_alias_attribute_name = text("Registration alias attribute", 250, "Of SAML.", default="NameId")
    oidc_flow = choice("OpenID Connect flow", vocabulary.OIDC_FLOWS, "How we get the ID token.", default="code")
    oidc_client_id = text("Client ID", 250, "Given to us by the provider.")
    oidc_client_secret = secret("Client secret", 100, "Given to us by the provider.", sent_to=("oidc_token_url",))
    oidc_token_url = _url("Token URL", "Where codes are exchanged for tokens.")
    oidc_user_info_url = _url("UserInfo URL", "Asked for what the ID token does not say.")
    oidc_jwks_url = _url("JWKS URL", "Where the provider's keys are.")
    oidc_token_endpoint_auth_scheme = choice(
        "Authentication at the token URL", vocabulary.OIDC_CLIENTS, "How we prove who we are.",
        default="client_secret_post",
    )  # fmt: skip
    oidc_token_signature_scheme = choice(
        "Signature of ID tokens", vocabulary.OIDC_SIGNATURES, "Others are refused.", default="rs256"
    )
    oidc_display_name_claim_name = text("Display name claim", 250, "Of OpenID Connect.", default="name")
    oidc_registration_alias_claim_name = text("Registration alias claim", 250, "Of OpenID Connect.", default="sub")
    oidc_additional_scopes = text("Additional scopes", 250, "Asked for besides openid, profile and email.")
    oidc_france_connect_required_eidas_level = choice(
        "FranceConnect: eIDAS level", vocabulary.EIDAS_LEVELS, "Least assurance asked for.", default="disabled"
    )
    attributes = several(
        "Attributes", "configuration.IdentityProviderAttribute", "Passed on to policy.", related_name="+"
    )

    class Meta:
        verbose_name = "Identity provider"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def redirect_fields(self) -> list[str]:
        """Names of the fields with redirect URLs."""
        first = "assertion_consumer_service_url"
        return [first, *(f"{first}{number}" for number in MORE_ADDRESSES)]

    def clean(self) -> None:
        if self.idp_type not in dict(vocabulary.IDENTITY_PROTOCOLS):
            return  # refused already
        found = self._missing()
        path = f"/api/v1/{self.idp_type}consumer/{self.uuid}"
        for name in self.redirect_fields:
            if getattr(self, name) and urlsplit(getattr(self, name)).path != path:
                found[name] = gettext("The path of a redirect URL of this provider is %(path)s.") % {"path": path}
        for name in ("idp_public_key", "service_public_key"):
            if getattr(self, name) and not _are_certificates(getattr(self, name)):
                found[name] = gettext("Enter an X.509 certificate in PEM form.")
        if found:
            raise ValidationError(found)

    def _missing(self) -> dict[str, str]:
        """What cannot be left out for its type."""
        needed = {"sso_url": "Users cannot sign on without it."}
        if self.idp_type == "saml":
            needed |= {
                "idp_entity_id": "SAML needs it.",
                "idp_public_key": "SAML needs it.",
                "service_entity_id": "SAML needs it.",
            }
        else:
            needed |= {
                "idp_entity_id": "OpenID Connect needs the issuer.",
                "oidc_client_id": "OpenID Connect needs it.",
            }
            by_secret = self.oidc_token_signature_scheme == "hs256"  # noqa: S105 - no secret
            key = "oidc_client_secret" if by_secret else "oidc_jwks_url"
            needed[key] = "ID tokens cannot be checked without it."
            if self.oidc_flow == "code":
                needed["oidc_token_url"] = "Codes cannot be exchanged without it."  # noqa: S105 - no secret
        return {name: gettext(problem) for name, problem in needed.items() if not getattr(self, name)}


class IdentityProviderGroup(models.Model):
    """Providers that users can choose from."""

    name = text("Name", 250, "A name no other group has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    identity_provider = several(
        "Identity providers", "configuration.IdentityProvider", "What users can choose from.", related_name="+"
    )

    class Meta:
        verbose_name = "Identity provider group"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name
