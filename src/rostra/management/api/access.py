"""Who may use the API: HTTP Basic with an administrator's account, or the admin site's session."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.management.api.errors import Refused

logger = structlog.get_logger("rostra.management.access")

_REMEMBERED_SECONDS = 60.0
_ACTIONS = {"GET": "view", "HEAD": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


class _Remembered:
    """Credentials found right in the last minute. Checking a password is slow by design, and is due at every
    request; the account itself is read anew each time, so a changed password or a closed account counts at once.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, str, float]] = {}
        self._lock = threading.Lock()

    def user(self, name: str, password: str) -> Any:
        digest = hmac.digest(settings.SECRET_KEY.encode(), f"{name}\0{password}".encode(), hashlib.sha256)
        now = time.monotonic()
        with self._lock:
            known = self._known.get(digest)
        if known is not None and now < known[2]:
            user = get_user_model().objects.filter(pk=known[0], password=known[1], is_active=True).first()
            if user is not None:
                return user
        user = authenticate(username=name, password=password)
        if user is not None:
            with self._lock:
                self._known = {key: entry for key, entry in self._known.items() if entry[2] > now}
                self._known[digest] = (user.pk, user.password, now + _REMEMBERED_SECONDS)
        return user


_remembered = _Remembered()


def check(request: HttpRequest, resource: Resource | None = None) -> None:
    """Let an administrator through who may do this to `resource`. Raises Refused: 401 or 403."""
    user = _basic(request.headers.get("Authorization", "")) or _session(request)
    if user is None:
        raise Refused(401, None, WWW_Authenticate='Basic realm="Rostra management API"')
    if not user.is_staff or (resource is not None and not may(user, request.method or "GET", resource)):
        raise Refused(403, {"error": "This account may not do that."})
    request.user = user


def may(user: Any, method: str, resource: Resource) -> bool:
    """May `user` do what HTTP's `method` means to objects of `resource`?"""
    meta = orm.meta(resource.model)
    action = _ACTIONS.get(method, "change")
    return user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")


def _basic(header: str) -> Any:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    if not colon or "\0" in name or "\0" in password:
        return None
    user = _remembered.user(name, password)
    if user is None:
        logger.warning("Wrong credentials for the management API", username=name)
    return user


def _session(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    # Browsers send the cookie on their own, so another site could make them write.
    refused = CsrfViewMiddleware(lambda _: None).process_view(request, None, (), {})  # type: ignore[arg-type,return-value]
    if refused is not None:
        raise Refused(403, {"error": "The CSRF token is missing or wrong."})
    return user
