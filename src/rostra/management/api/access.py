"""Who may use the API: an account's name and password (HTTP Basic), a token of OAuth2, or the site's session."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.management.accounts import entrance, oauth
from rostra.management.api import schema
from rostra.management.api.errors import Refused

_ACTIONS = {"GET": "view", "HEAD": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}
_CHALLENGE = 'Basic realm="Rostra management API", charset="UTF-8"'


def check(request: HttpRequest, resource: Resource | None = None, *, needs: str = "") -> None:
    """Let an administrator through who may do this to `resource`, or has the permission `needs`.

    Raises Refused: 401 for who is nobody, 403 for who may not, 429 for who guesses.
    """
    user = _user(request)
    if not user.may_use_api or (needs and not user.has_perm(needs)):
        raise _forbidden()
    if resource is not None and not may(user, request.method or "GET", resource):
        raise _forbidden()
    request.user = user


def may(user: Any, method: str, resource: Resource) -> bool:
    """May `user` do what HTTP's `method` means to objects of `resource`?"""
    meta = orm.meta(resource.model)
    action = _ACTIONS.get(method, "change")
    return user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")


def may_create(user: Any, resource: Resource) -> bool:
    """May `user` create objects of `resource` along with another object that refers to them?"""
    return "post" in schema.list_methods(resource) and may(user, "POST", resource)


def _forbidden() -> Refused:
    return Refused(403, {"error": "This account may not do that."})


def _user(request: HttpRequest) -> Any:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            client = oauth.caller(credentials.strip())
            if client is None:
                raise Refused(
                    401,
                    {"error": "The token is unknown or has expired."},
                    WWW_Authenticate='Bearer error="invalid_token"',
                )
            return client
        case "basic":
            return _basic(request, credentials)
        case _:
            return _session(request)


def _basic(request: HttpRequest, encoded: str) -> Any:
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _nobody() from None
    if not colon:
        raise _nobody()
    try:
        verdict = entrance.enter_api(request, name, password)
    except entrance.HeldBack as held:
        raise Refused(429, {"error": str(held)}, Retry_After=str(held.seconds)) from None
    if verdict.unavailable:
        raise Refused(401, {"error": "The directory cannot be asked; try again later."}, WWW_Authenticate=_CHALLENGE)
    if verdict.account is None:
        raise _nobody()
    if getattr(verdict.account, "basic_disabled", False):
        raise Refused(401, {"error": "This API takes OAuth2 tokens only."}, WWW_Authenticate="Bearer")
    return verdict.account


def _session(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        raise _nobody()
    # Browsers send the cookie on their own, so another site could make them write.
    refused = CsrfViewMiddleware(lambda _: None).process_view(request, None, (), {})  # type: ignore[arg-type,return-value]
    if refused is not None:
        raise Refused(403, {"error": "The CSRF token is missing or wrong."})
    return user


def _nobody() -> Refused:
    return Refused(401, None, WWW_Authenticate=_CHALLENGE)
