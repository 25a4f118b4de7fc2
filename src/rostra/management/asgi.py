"""The Management Node's web half as one ASGI application: Django, and the files its pages are made of."""

from __future__ import annotations

import re
from typing import Any

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from rostra.management.limits import MIB, App, Limits, Receive, Scope, Send

_STATIC = ("unfold", "django.contrib.admin", "rostra.management")
"""Packages with a folder `static`; the first that has a file wins."""

UPLOADS = (
    ("/api/admin/command/v1/platform/backup_restore/", 4096 * MIB),
    ("/api/admin/command/v1/backup/restore/", 4096 * MIB),
    ("/api/admin/command/v1/platform/upgrade/", 4096 * MIB),
    ("/api/admin/command/v1/upgrade/", 4096 * MIB),
    ("/api/admin/configuration/v1/upgrade/", 4096 * MIB),
    ("/api/admin/configuration/v1/upgrade_request/", 64 * MIB),
    ("/admin/utilities/backup/", 4096 * MIB),
    ("/admin/utilities/upgrade/", 4096 * MIB),
    ("/admin/csv/import/", 51 * MIB),
)
"""Addresses that take large files, and how large."""


def application() -> Starlette:
    """The application. Django has to be configured (`rostra.management.settings.configure`)."""
    static = StaticFiles(packages=[(package, "static") for package in _STATIC])
    from rostra.management.accounts.admission import is_known  # reads models, which Django loads first

    django: Any = get_asgi_application()  # its type and Starlette's differ in names only
    limits: Any = Limits
    routes = [Mount("/static", static), Mount("/", django)]
    single: Any = SingleSlashes
    bounded = Middleware(limits, uploads=UPLOADS, known=is_known)
    return Starlette(routes=routes, middleware=[Middleware(single), bounded])


class SingleSlashes:
    """Takes `//api/admin/` for `/api/admin/`: existing clients put addresses together so."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        await self._app({**scope, "path": re.sub("/{2,}", "/", path)} if "//" in path else scope, receive, send)
