"""The Management Node's web half as one ASGI application: Django, and the files its pages are made of."""

from __future__ import annotations

from typing import Any

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_STATIC = ("unfold", "django.contrib.admin", "rostra.management")
"""Packages with a folder `static`; the first that has a file wins."""


def application() -> Starlette:
    """The application. Django has to be configured (`rostra.management.settings.configure`)."""
    static = StaticFiles(packages=[(package, "static") for package in _STATIC])
    django: Any = get_asgi_application()  # its type and Starlette's differ in names only
    return Starlette(routes=[Mount("/static", static), Mount("/", django)])
