"""Tokens for clients of the API that sign an assertion with their key (sheet 10, 1.2; RFC 7523)."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import urllib.parse
from typing import Any

import jwt
from django.db import IntegrityError, transaction
from django.utils import timezone

from rostra.management.accounts.models import AccessToken, AuthenticationSettings, OAuth2Client, UsedAssertion
from rostra.management.accounts.permissions import ADMINISTRATORS, Holder, effective

PATH = "/oauth/token/"
GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LEEWAY = 60
"""Seconds that clocks may differ."""
_LONGEST = 86400
"""Seconds an assertion may be good for."""
_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti"]


class NotGranted(Exception):
    """No token; `code` is that of RFC 6749."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Caller(Holder):
    """A client of the API in a request, where else an account is."""

    is_authenticated = True
    is_anonymous = False
    pk = id = None

    def __init__(self, client: OAuth2Client, *, everything: bool) -> None:
        self.client = client
        self.username = f"OAuth2 client {client.client_name}"
        granted = set(client.role.permissions.values_list("codename", flat=True))
        if not everything:
            granted -= {f"modify_{ADMINISTRATORS}"}
        self.permissions = effective(granted)

    @property
    def is_staff(self) -> bool:
        """Never the site."""
        return False

    def get_username(self) -> str:
        return self.username

    def __str__(self) -> str:
        return self.username


def grant(form: dict[str, str]) -> tuple[str, int]:
    """A new token for a form that asks for one, and the seconds it is good for. Raises NotGranted."""
    if form.get("grant_type") != GRANT:
        raise NotGranted("unsupported_grant_type", f"The grant type has to be {GRANT}.")
    if form.get("client_assertion_type") != ASSERTION:
        raise NotGranted("invalid_request", f"The type of the client assertion has to be {ASSERTION}.")
    client = _client(form.get("client_assertion", ""))
    settings = AuthenticationSettings.objects.get(pk=1)
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    AccessToken.objects.filter(expires__lt=now).delete()
    expires = now + datetime.timedelta(seconds=settings.api_oauth2_expiration)
    AccessToken.objects.create(digest=_digest(token), client=client, expires=expires)
    return token, settings.api_oauth2_expiration


def claimed(assertion: str) -> str:
    """Whose assertion it says it is; nothing is checked yet."""
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("sub", ""))[:250]
    except jwt.PyJWTError:
        return ""


def _client(assertion: str) -> OAuth2Client:
    client = OAuth2Client.objects.filter(client_id=claimed(assertion)).select_related("key").first()
    if client is None:
        raise NotGranted("invalid_client", "The client is unknown.")
    try:
        claims = jwt.decode(
            assertion,
            client.key.public_key,  # type: ignore[attr-defined] - the other way of ClientKey.client
            algorithms=["ES256"],
            issuer=client.client_id,
            leeway=_LEEWAY,
            options={"require": _CLAIMS, "verify_aud": False},
        )
    except jwt.PyJWTError as problem:
        raise NotGranted("invalid_client", f"The assertion is not valid: {problem}") from None
    if not _for_us(claims["aud"]):
        raise NotGranted("invalid_client", f"The audience has to be the address of {PATH}.")
    _use(client, claims)
    return client


def _for_us(audience: Any) -> bool:
    """Is an audience this address? The host is whatever we are reached by, so it says nothing."""
    for one in audience if isinstance(audience, list) else [audience]:
        parts = urllib.parse.urlsplit(str(one))
        if parts.scheme in ("http", "https") and parts.netloc and parts.path.rstrip("/") == PATH.rstrip("/"):
            return True
    return False


def _use(client: OAuth2Client, claims: dict[str, Any]) -> None:
    """Note that an assertion was used. Raises NotGranted when it was before, or would have to be noted for ages."""
    now, jti = timezone.now(), str(claims["jti"])
    expires = datetime.datetime.fromtimestamp(min(float(claims["exp"]), 4e9), datetime.UTC)
    if expires > now + datetime.timedelta(seconds=_LONGEST + _LEEWAY):
        raise NotGranted("invalid_client", "The assertion is good for too long; a day is the most.")
    if not 0 < len(jti) <= 255:
        raise NotGranted("invalid_client", "The assertion's jti has to have 1 to 255 characters.")
    # Kept for as long as clocks may make it look good.
    UsedAssertion.objects.filter(expires__lt=now - datetime.timedelta(seconds=2 * _LEEWAY)).delete()
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(client=client, jti=jti, expires=expires)
    except IntegrityError:
        raise NotGranted("invalid_client", "This assertion was used before.") from None


def caller(token: str) -> Caller | None:
    """Whose token it is; None when it is nobody's or no longer good."""
    found = AccessToken.objects.filter(digest=_digest(token), expires__gt=timezone.now())
    row = found.select_related("client__role").first()
    if row is None:
        return None
    settings = AuthenticationSettings.objects.filter(pk=1, api_oauth2_allow_all_perms=True)
    return Caller(row.client, everything=settings.exists())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
