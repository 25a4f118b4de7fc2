"""What happens around every request: which language is spoken, and after one that may have changed something the
publisher is told, so that nodes hear of it at once.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from rostra.management import state

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def speak(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware: the site speaks the browser's language, everything else English."""
    localised = LocaleMiddleware(get_response)  # type: ignore[arg-type] - its types know one kind of response

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            return localised(request)  # type: ignore[return-value]
        with translation.override("en"):
            return get_response(request)

    return handle


def announce_changes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method not in _READING:
            state.announce()
        return response

    return handle
