"""Who acts now. Requests say it by themselves; other parts of the platform say it with `by`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

SITE, API, CSV, COMMAND_LINE, PLATFORM = "site", "API", "CSV", "command line", "platform"


@dataclasses.dataclass(eq=False)
class Actor:
    """Somebody doing something, in one request or one command."""

    name: str = ""
    """Of the account; empty: see `request`, else the platform itself."""
    address: str = ""
    port: int | None = None
    way: str = PLATFORM
    request: HttpRequest | None = None
    """Its user counts, who may become known only while it is handled."""
    recent: dict[tuple[str, str], Any] = dataclasses.field(default_factory=dict[tuple[str, str], Any])
    """Entries that a next change of the same object adds to."""

    @property
    def user(self) -> str:
        found = getattr(self.request, "user", None)
        if self.name or found is None:
            return self.name
        return str(found.get_username()) if hasattr(found, "get_username") else str(found)


_current: ContextVar[Actor | None] = ContextVar("rostra_actor", default=None)


def current() -> Actor:
    """Who acts now; by default the platform."""
    return _current.get() or Actor()


@contextlib.contextmanager
def by(user: str | None = None, *, way: str = "", address: str = "") -> Generator[Actor]:
    """Let `user` be the one who acts, in this `way`. What is not given stays as it is. Also a decorator."""
    now = current()
    actor = dataclasses.replace(
        now, name=now.name if user is None else user, way=way or now.way, address=address or now.address
    )
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def _of(request: HttpRequest) -> Actor:
    port = str(request.META.get("REMOTE_PORT", ""))
    return Actor(
        address=str(request.META.get("REMOTE_ADDR", ""))[:64],
        port=int(port) if port.isdecimal() else None,
        way=API if request.path.startswith("/api/") else SITE if request.path.startswith("/admin/") else PLATFORM,
        request=request,
    )


def know_actor(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django middleware, after the one that knows the session's user."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        token = _current.set(_of(request))
        try:
            return get_response(request)
        finally:
            _current.reset(token)

    return handle
