"""Addresses of the Management Node."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.generic import RedirectView

from rostra.fabric.enrolment import MEMBER_PATH, PATH
from rostra.management import enrolment_views, state
from rostra.management.api.openapi_files import NODE_CONFIGURATION


def healthz(_request: HttpRequest) -> HttpResponse:
    """200 when the database is migrated and the fabric connected, else 503."""
    ready = state.ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)


urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("healthz", healthz),
    path(PATH.removeprefix("/"), enrolment_views.enrol),
    path(MEMBER_PATH.removeprefix("/"), enrolment_views.member),
    path(NODE_CONFIGURATION.removeprefix("/"), enrolment_views.command),
    path("admin/nodes/<int:key>/deploy/", enrolment_views.deploy, name="deploy-node"),
    path("admin/nodes/<int:key>/configuration/", enrolment_views.download, name="node-configuration"),
    path("api/admin/", include("rostra.management.api.views")),
    path("admin/", admin.site.urls),
]
