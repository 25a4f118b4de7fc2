"""The API's addresses. Resources are looked up when asked for, so a declared one is served at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from rostra.configuration.resources import Resource, register
from rostra.management.api import access, openapi, wire
from rostra.management.api.endpoint import Endpoint
from rostra.management.api.errors import Refused, respond

logger = structlog.get_logger("rostra.management.api")

View = Callable[..., HttpResponse]


def _answer(view: View) -> View:
    """Turn what a view raises into a response; nothing escapes."""

    @csrf_exempt  # sessions are checked by `access.check`; Basic needs no token
    @functools.wraps(view)
    def handle(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            return view(request, **arguments)
        except Refused as refusal:
            return respond(refusal.body, refusal.status, **refusal.headers)
        except OperationalError:
            logger.exception("The database did not answer", path=request.path)
            return respond({"error": "The database is busy; try again."}, 503, Retry_After="1")
        except Exception as problem:
            logger.exception("A request failed", path=request.path, method=request.method)
            return respond({"error_message": type(problem).__name__}, 500)

    return handle


def _resource(request: HttpRequest, name: str) -> Resource:
    found = register.get(name)
    access.check(request, found)
    if found is None:
        raise Refused(404)
    return found


@_answer
def _list(request: HttpRequest, name: str) -> HttpResponse:
    return Endpoint(_resource(request, name)).list(request)


@_answer
def _detail(request: HttpRequest, name: str, key: int) -> HttpResponse:
    resource = _resource(request, name)
    return Endpoint(resource).detail(request, min(key, 2**63 - 1))


@_answer
def _schema(request: HttpRequest, name: str) -> HttpResponse:
    return Endpoint(_resource(request, name)).schema(request)


@_answer
def _root(request: HttpRequest) -> HttpResponse:
    access.check(request)
    _only_get(request)
    return respond(
        {
            resource.name: {
                "list_endpoint": f"{wire.BASE}{resource.name}/",
                "schema": f"{wire.BASE}{resource.name}/schema/",
            }
            for resource in register
        }
    )


@_answer
def _openapi(request: HttpRequest) -> HttpResponse:
    access.check(request)
    _only_get(request)
    return respond(openapi.document())


@_answer
def _nothing(request: HttpRequest, rest: str) -> HttpResponse:
    access.check(request)
    raise Refused(404)


def _only_get(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, None, Allow="GET")


urlpatterns = [
    path("configuration/v1/", _root),
    path("configuration/v1/<slug:name>/", _list),
    path("configuration/v1/<slug:name>/schema/", _schema),
    path("configuration/v1/<slug:name>/<int:key>/", _detail),
    path("openapi.json", _openapi),
    re_path("^(?P<rest>.*/)$", _nothing),  # not without the slash: those are redirected
]
