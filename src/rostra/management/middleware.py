"""After a request that may have changed something: tell the publisher, so that nodes hear of it at once."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from rostra.management import state

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def announce_changes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method not in _READING:
            state.announce()
        return response

    return handle
