"""Sessions of the site end when they have not been used for a while (SYS-126)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from rostra.configuration.models import GlobalSettings

_LAST = "last_used"
_STEP = 30
"""Seconds; more often the time of use is not written down."""
_BACKGROUND = "data.json"
"""End of addresses that pages fetch by themselves: nobody is using the session."""


def end_idle(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware, before the one that knows the session's user."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        session: Any = request.session
        if "_auth_user_id" in session:
            _note_use(request, session, time.time())
        return get_response(request)

    return handle


def _note_use(request: HttpRequest, session: Any, now: float) -> None:
    last = session.get(_LAST)
    limit = _limit()
    if limit is not None and last is not None and now - last > limit:
        logout(request)
        if request.path.startswith("/admin/"):
            minutes = round(limit / 60)
            messages.info(request, f"You were logged out, as nothing was done for {minutes} minutes.")
        return
    if last is None or (now - last > _STEP and not request.path.endswith(_BACKGROUND)):
        session[_LAST] = now


def _limit() -> float | None:
    """Seconds; None: sessions do not end by themselves."""
    fields = ("session_timeout_enabled", "management_session_timeout")
    row = GlobalSettings.objects.filter(pk=1).values_list(*fields).first()
    return row[1] * 60.0 if row is not None and row[0] else None
