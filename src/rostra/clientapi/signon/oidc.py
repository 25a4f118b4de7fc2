"""OpenID Connect Core 1.0: what is sent to a provider, and what of its answers is believed. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt

from rostra.clientapi.signon.problems import SignOnFailed
from rostra.clientapi.signon.state import Pending
from rostra.domain.signon import Identity, Provider

LEEWAY = 60
"""Seconds that clocks may differ."""
_LEVELS = ("eidas1", "eidas2", "eidas3")
_REQUIRED = ("exp", "iat", "aud", "iss", "sub")
LONGEST = 250
"""Characters of what is kept of a claim."""


def authorization_url(provider: Provider, pending: Pending, state: str) -> str:
    """Where the user is sent (section 3.1.2.1, RFC 7636; implicit: section 3.2.2.1 with `form_post`)."""
    scopes = ["openid", "profile", "email", *provider.scopes.split()]
    asked = {
        "client_id": provider.client_id,
        "redirect_uri": pending.redirect,
        "scope": " ".join(dict.fromkeys(scopes)),
        "state": state,
        "nonce": pending.nonce,
    }
    if provider.flow == "code":
        digest = hashlib.sha256(pending.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        asked |= {"response_type": "code", "code_challenge": challenge, "code_challenge_method": "S256"}
    else:
        asked |= {"response_type": "id_token", "response_mode": "form_post"}
    if provider.eidas:
        asked["acr_values"] = provider.eidas
    parts = urlsplit(provider.sso_url)
    kept = [pair for pair in parse_qsl(parts.query) if pair[0] not in asked]
    return parts._replace(query=urlencode([*kept, *asked.items()])).geturl()


def token_request(provider: Provider, pending: Pending, code: str) -> tuple[dict[str, str], dict[str, str]]:
    """Body and headers of the request that exchanges a code (section 3.1.3.1)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect,
        "code_verifier": pending.verifier,
    }
    if provider.basic:
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
        return form, {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    form["client_id"] = provider.client_id
    if provider.client_secret:
        form["client_secret"] = provider.client_secret
    return form, {}


def key_named(token: str) -> str | None:
    """Name of the key that an ID token is signed with, as it says. Raises SignOnFailed."""
    try:
        named = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as problem:
        raise SignOnFailed(f"no ID token: {problem}") from None
    return named if isinstance(named, str) else None


def key_of(keys: Mapping[str, Any], name: str | None) -> jwt.PyJWK | None:
    """The RSA key of that name in a JWKS; without a name the only one."""
    listed: Any = keys.get("keys")
    if not isinstance(listed, list):
        return None
    fitting = [
        entry
        for entry in listed  # pyright: ignore[reportUnknownVariableType]
        if isinstance(entry, dict)
        and entry.get("kty") == "RSA"  # pyright: ignore[reportUnknownMemberType]
        and entry.get("use", "sig") == "sig"  # pyright: ignore[reportUnknownMemberType]
        and (name is None or entry.get("kid") == name)  # pyright: ignore[reportUnknownMemberType]
    ]
    if len(fitting) != 1:
        return None
    try:
        return jwt.PyJWK(fitting[0], "RS256")  # pyright: ignore[reportUnknownArgumentType]
    except jwt.PyJWTError:
        return None


def checked_claims(provider: Provider, pending: Pending, token: str, key: jwt.PyJWK | None) -> dict[str, Any]:
    """What an ID token says, once it is found to be meant for us, now (section 3.1.3.7). Raises SignOnFailed.

    `key`: the provider's; with HS256 the client secret is used.
    """
    by_secret = provider.id_signature == "HS256"
    if not by_secret and key is None:
        raise SignOnFailed("the ID token is signed with a key that the provider does not publish")
    try:
        claims = jwt.decode(
            token,
            provider.client_secret.encode() if by_secret or key is None else key,
            algorithms=[provider.id_signature],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": list(_REQUIRED)},
        )
    except (jwt.PyJWTError, ValueError) as problem:
        raise SignOnFailed(f"the ID token is refused: {problem}") from None
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), pending.nonce.encode()):
        raise SignOnFailed("the ID token is of another sign-on")
    audience = claims["aud"]
    if (isinstance(audience, list) or "azp" in claims) and claims.get("azp", provider.client_id) != provider.client_id:
        raise SignOnFailed("the ID token was issued to somebody else")
    if provider.eidas and claims.get("acr") not in _LEVELS[_LEVELS.index(provider.eidas) :]:
        raise SignOnFailed("the level of assurance is too low")
    return claims


def with_user_info(claims: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Claims completed by those of the UserInfo endpoint, if they are of the same user (section 5.3.4)."""
    if told.get("sub") != claims.get("sub"):
        raise SignOnFailed("the UserInfo endpoint speaks of somebody else")
    return {**told, **claims}


def needs_user_info(provider: Provider, claims: Mapping[str, Any]) -> bool:
    """Is something missing that the ID token does not say?"""
    wanted = (provider.name_claim, *provider.attributes)
    return bool(provider.user_info_url) and provider.flow == "code" and any(name not in claims for name in wanted)


def identity_of(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    """What is kept."""
    attributes = {name: _text(claims[name]) for name in provider.attributes if name in claims}
    return Identity(
        provider=provider.uuid, name=_text(claims.get(provider.name_claim, ""))[:LONGEST], attributes=attributes
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(one) for one in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value) if isinstance(value, str | int | float) else ""
