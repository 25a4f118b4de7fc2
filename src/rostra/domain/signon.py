"""Signing participants on at identity providers: who has to, and with which (API-036, API-037). Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from rostra.domain.vocabulary import Role

PLACEHOLDER = "__pexip-sso-token__"
"""In `sso_redirect_target` of clients: stands for the token."""
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)


class SignOnRules(msgspec.Struct, frozen=True, kw_only=True):
    """Of a service: identities of the providers for each role; None: that role need not sign on."""

    hosts: tuple[str, ...] | None = None
    guests: tuple[str, ...] | None = None
    others_if_trusted: bool = False
    """Callers that cannot sign on come in when they are trusted (registered); else none of them does."""

    def providers(self, role: Role) -> tuple[str, ...] | None:
        """Where somebody with `role` has to sign on; None: nowhere."""
        return self.hosts if role is Role.HOST else self.guests

    def admit(self, role: Role, *, trusted: bool) -> bool:
        """Does somebody come in that cannot sign on?"""
        return self.providers(role) is None or (self.others_if_trusted and trusted)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider has said of somebody."""

    provider: str
    """Identity (uuid) of the provider."""
    name: str = ""
    """Display name; empty: it tells none."""
    attributes: dict[str, str] = {}
    """What is configured to be passed on to policy."""
    since: float = 0.0
    """Unix seconds at which it said so."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider as configured, with its secrets; never leaves the node."""

    uuid: str
    name: str
    kind: Literal["saml", "oidc"]
    sso_url: str
    issuer: str
    """Entity ID of a SAML provider, issuer of another."""
    redirects: tuple[str, ...] = ()
    """Where it sends users back to."""
    hosts: tuple[str, ...] = ()
    """Names of nodes that users may be sent back to as well."""
    popup: bool = True
    certificates: str = ""
    """PEM; its signatures are checked with these."""
    entity_id: str = ""
    private_key: str = ""
    signature_algorithm: str = ""
    name_attribute: str = "NameId"
    flow: Literal["code", "implicit"] = "code"
    client_id: str = ""
    client_secret: str = ""
    token_url: str = ""
    user_info_url: str = ""
    keys_url: str = ""
    basic: bool = False
    """The token URL wants the secret by HTTP Basic."""
    id_signature: Literal["RS256", "HS256"] = "RS256"
    name_claim: str = "name"
    scopes: str = ""
    eidas: str = ""
    """Least level of assurance (`eidas1`…`eidas3`); empty: none is asked for."""
    attributes: tuple[str, ...] = ()

    def redirect_for(self, address: str) -> str | None:
        """Where the users of the web app at `address` (an origin) are sent back to; None: it is not known here.

        Tokens are told to pages of that address only, so an unknown one gets none. Nor does what is more than an
        origin: browsers and we might not find the same host in it.
        """
        parts = _origin(address)
        if parts is None:
            return None
        for redirect in self.redirects:
            if _place(urlsplit(redirect)) == _place(parts):
                return redirect
        if parts.hostname in self.hosts and parts.scheme == "https":
            return f"https://{parts.netloc}/api/v1/{self.kind}consumer/{self.uuid}"
        return None


def allowed_target(target: str, address: str) -> bool:
    """May users be sent to `target` with a token? To pages of the address that they came from only."""
    try:
        parts, known = urlsplit(target), urlsplit(address)
        return PLACEHOLDER in target and parts.scheme == known.scheme and parts.netloc == known.netloc
    except ValueError:
        return False


def _origin(address: str) -> SplitResult | None:
    try:
        return urlsplit(address) if _ORIGIN.fullmatch(address) else None
    except ValueError:
        return None


def _place(parts: SplitResult) -> tuple[str, str | None, int]:
    """Scheme, host and port: whoever serves another port of a host is somebody else."""
    return parts.scheme, parts.hostname, parts.port or {"http": 80}.get(parts.scheme, 443)
