"""The API's addresses. Resources are looked up when asked for, so a declared one is served at once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from rostra.configuration.resources import Resource, register
from rostra.management import enrolment_views
from rostra.management.api import access, openapi, tableviews, wire
from rostra.management.api.answering import answer
from rostra.management.api.endpoint import Endpoint, Tell
from rostra.management.api.errors import Refused, respond

_TOLD: dict[str, Tell] = {"worker_vm": enrolment_views.created}
"""What the answer to a creation holds, where it holds something."""


def _resource(request: HttpRequest, name: str) -> Resource:
    found = register.get(name)
    access.check(request, found)
    if found is None:
        raise Refused(404)
    return found


def _endpoint(request: HttpRequest, name: str) -> Endpoint:
    resource = _resource(request, name)
    return Endpoint(resource, lambda other: access.may_create(request.user, other), _TOLD.get(name, lambda _: None))


@answer
def _list(request: HttpRequest, name: str) -> HttpResponse:
    return _endpoint(request, name).list(request)


@answer
def _detail(request: HttpRequest, name: str, key: str) -> HttpResponse:
    return _endpoint(request, name).detail(request, key)


@answer
def _schema(request: HttpRequest, name: str) -> HttpResponse:
    return _endpoint(request, name).schema(request)


@answer
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


@answer
def _openapi(request: HttpRequest) -> HttpResponse:
    access.check(request)
    _only_get(request)
    return respond(openapi.document())


@answer
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
    path("configuration/v1/<slug:name>/<str:key>/", _detail),
    path("openapi.json", _openapi),
    *tableviews.urlpatterns,
    re_path("^(?P<rest>.*/)$", _nothing),  # not without the slash: those are redirected
]
