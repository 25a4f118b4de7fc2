"""Addresses of the Management Node."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.generic import RedirectView

from rostra.management import state


def healthz(_request: HttpRequest) -> HttpResponse:
    """200 when the database is migrated and the fabric connected, else 503."""
    ready = state.ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)


urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("healthz", healthz),
    path("api/admin/", include("rostra.management.api.views")),
    path("admin/", admin.site.urls),
]
