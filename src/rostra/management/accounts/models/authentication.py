"""How administrators are recognised: one row for the whole platform (sheet 10, authentication)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

from rostra.configuration.fields import choice, flag, paragraph, secret, text, whole
from rostra.configuration.models import CaCertificate
from rostra.management.accounts.ldap import templates

_USERS = "(&(objectclass=person)(!(objectclass=computer)))"
_USER = "(|(uid={username})(sAMAccountName={username}))"
_GROUPS = "(|(objectclass=group)(objectclass=groupOfNames)(objectclass=groupOfUniqueNames)(objectclass=posixGroup))"
_MEMBER = "(|(member={userdn})(uniquemember={userdn})(memberuid={useruid}))"
_KEPT = "Kept for later: signing in with OpenID Connect is not supported yet."


class LdapSettings(models.Model):
    """Where the directory is and how it is searched."""

    ldap_server = text(
        "LDAP server address",
        255,
        "A domain, looked up by DNS SRV; or a host name; or an IP address, which the server's certificate has to name. "
        "A port may follow after a colon.",
    )
    ldap_permit_no_tls = flag(
        "Allow insecure transport",
        "When the server offers no trusted TLS, go on without, with SASL DIGEST-MD5. Needs the server's own host name.",
        default=False,
    )
    ldap_bind_username = text(
        "LDAP bind username", 255, "A service account that may search the directory, not an administrator of it."
    )
    ldap_bind_password = secret(
        "LDAP bind password", 100, "The password of the service account.", sent_to=("ldap_server",)
    )
    ldap_base_dn = text("LDAP base DN", 255, "What is searched, for example dc=example,dc=com.")
    ldap_use_global_catalog = flag(
        "Search global catalog", "Search all domains of an Active Directory forest.", default=False
    )
    ldap_user_search_dn = text(
        "LDAP user search DN",
        255,
        "Where users are, relative to the base DN, for example ou=people; empty: everywhere.",
    )
    ldap_user_filter = text("LDAP user filter", 1024, "Which entries are users.", default=_USERS)
    ldap_user_search_filter = text(
        "LDAP user search filter",
        1024,
        "Finds the entry for a login; {username} stands for what was entered. To find users by their principal name, "
        "add (userPrincipalName={username}).",
        default=_USER,
    )
    ldap_user_group_attributes = text(
        "LDAP group attributes",
        100,
        "Attributes of users that name their groups, separated by commas. Where a user has none of them, groups are "
        "searched. Leave it empty to search always.",
        default="memberOf",
    )
    ldap_group_search_dn = text(
        "LDAP group search DN", 255, "Where groups are, relative to the base DN, for example ou=groups."
    )
    ldap_group_filter = text("LDAP group filter", 1024, "Which entries are groups.", default=_GROUPS)
    ldap_group_membership_filter = text(
        "LDAP group membership filter",
        1024,
        "Finds a user's groups; {userdn} and {useruid} stand for the user's DN and uid. Groups within groups count "
        "with (member:1.2.840.113556.1.4.1941:={userdn}) and the group attributes left empty; in another directory "
        "than Active Directory they are then searched step by step.",
        default=_MEMBER,
    )

    class Meta:
        abstract = True


class OAuth2Settings(models.Model):
    """Clients of the API that use tokens."""

    api_oauth2_disable_basic = flag("API by OAuth2 only", "No user names and passwords on the API.", default=False)
    api_oauth2_allow_all_perms = flag(
        "OAuth2 clients may change administrator access",
        "Else they cannot change accounts, roles and this page, whatever their role says.",
        default=False,
    )
    api_oauth2_expiration = whole("OAuth2 token lifetime", 60, 86400, "In seconds.", default=3600)

    class Meta:
        abstract = True


class OpenIdSettings(models.Model):
    """What signing in with OpenID Connect will use."""

    oidc_metadata_url = text("Metadata URL", 255, _KEPT)
    oidc_metadata = paragraph("Metadata", 65536, _KEPT)
    oidc_client_id = text("OIDC client ID", 255, _KEPT)
    oidc_client_secret = secret(
        "OIDC client secret", 255, _KEPT, sent_to=("oidc_token_endpoint_url", "oidc_metadata_url")
    )
    oidc_private_key = secret("OIDC private key", 12288, _KEPT)
    oidc_auth_method = choice(
        "Client authentication",
        [("client_secret", "Client secret"), ("private_key", "Private key")],
        _KEPT,
        default="client_secret",
    )
    oidc_scope = text("Scope", 255, _KEPT, default="openid email profile")
    oidc_authorize_url = text("Authorize URL", 255, _KEPT)
    oidc_token_endpoint_url = text("Token endpoint URL", 255, _KEPT)
    oidc_username_field = text("Username field", 255, _KEPT, default="preferred_username")
    oidc_groups_field = text("Groups field", 255, _KEPT, default="groups")
    oidc_required_key = text("Required key", 255, _KEPT)
    oidc_required_value = text("Required value", 255, _KEPT)
    oidc_domain_hint = text("Domain hint", 255, _KEPT)
    oidc_login_button = text("Login button text", 128, _KEPT)

    class Meta:
        abstract = True


class AuthenticationSettings(LdapSettings, OAuth2Settings, OpenIdSettings):
    """How administrators are recognised; always the row with id 1."""

    LOCAL = "LOCAL"
    LDAP = "LDAP"
    BOTH = "LDAP+LOCAL"

    source = choice(
        "Authentication source",
        [
            (LOCAL, "Local database"),
            (LDAP, "LDAP database"),
            (BOTH, "LDAP database and local database"),
            ("OIDC", "OpenID Connect"),
            ("OIDC+LOCAL", "OpenID Connect and local database"),
            ("LDAP+OIDC+LOCAL", "LDAP, OpenID Connect and local database"),
        ],
        "Where accounts are looked for. With LDAP alone nobody can sign in while the directory is away; "
        "“rostra authset LDAP LOCAL” on this machine gets you back in.",
        default=LOCAL,
    )
    client_certificate = choice(
        "Require client certificate",
        [
            ("NO", "Not required"),
            ("CN", "Required (user identity in subject CN)"),
            ("UPN", "Required (user identity in userPrincipalName)"),
        ],
        "Sign in to the site with a browser's certificate instead of a password. It has to be of an authority that "
        "was uploaded as a trusted CA certificate, and to name an account: whoever has none is locked out. "
        "“rostra authset CBA OFF” on this machine brings the login page back.",
        default="NO",
    )

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - those of abstract models are no bases
        verbose_name = "User authentication"
        verbose_name_plural = "User authentication"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return "User authentication"

    @property
    def uses_ldap(self) -> bool:
        return self.LDAP in self.source.split("+")

    def clean(self) -> None:
        """What the fields must be like together."""
        found = templates.problems(self)
        if self.client_certificate != "NO" and not CaCertificate.objects.exists():
            found["client_certificate"] = "Upload the CA certificate of your browsers' certificates first."
        if self.source not in (self.LOCAL, self.LDAP, self.BOTH):
            found["source"] = "Signing in with OpenID Connect is not supported yet."
        if self.uses_ldap and not self.ldap_server:
            found["ldap_server"] = "Enter the address of the LDAP server."
        if found:
            raise ValidationError(found)

    def full_clean(
        self, exclude: Iterable[str] | None = None, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """Last of all, and only if the rest is right, whether the directory answers (SYS-053): it hears a password."""
        left_out = set(exclude or ())
        super().full_clean(left_out, validate_unique, validate_constraints)
        if self.uses_ldap and not any(name.startswith("ldap_") for name in left_out):
            self._check_contact()

    def _check_contact(self) -> None:
        from rostra.management.accounts.ldap import directory  # reads this model

        try:
            with directory.connected(self):
                pass
        except directory.Unavailable as problem:
            raise ValidationError(
                {"ldap_server": gettext("The LDAP server cannot be used: %(problem)s") % {"problem": problem}}
            ) from None
