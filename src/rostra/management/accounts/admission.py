"""Who may send more than a sign-in takes: asked before it is kept, as Django reads a whole body before it asks."""

from __future__ import annotations

import io
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.handlers.asgi import ASGIRequest
from django.db import connections

from rostra.management.accounts.backend import Accounts
from rostra.management.api import access
from rostra.management.api.errors import Refused
from rostra.management.limits import Scope


def is_known(scope: Scope) -> bool:
    """Is the sender of this request an administrator who may use the API or the site? Reads the database."""
    try:
        request = ASGIRequest(dict(scope), io.BytesIO())
        if "authorization" in request.headers:
            access.check(request)
            return True
        return _has_session(request.headers.get("Cookie", ""))
    except Refused:
        return False
    finally:
        connections.close_all()  # this thread is not one of Django's


def _has_session(cookies: str) -> bool:
    try:
        cookie = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    if cookie is None:
        return False
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    user: str = store(cookie.value).get(SESSION_KEY) or ""
    account = Accounts().get_user(int(user)) if user.isdecimal() else None
    return account is not None and (account.is_staff or account.may_use_api)
