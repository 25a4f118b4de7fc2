"""Addresses of the Management Node."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from rostra.fabric.enrolment import MEMBER_PATH, PATH
from rostra.fabric.upgrading import PATH as SOFTWARE_PATH
from rostra.management import enrolment_views, patience, state
from rostra.management.accounts import oauth
from rostra.management.accounts import views as accounts
from rostra.management.api.openapi_files import NODE_CONFIGURATION
from rostra.management.backups import views as backup_views
from rostra.management.snapshots import views as snapshots
from rostra.management.upgrades.views import for_nodes


def healthz(_request: HttpRequest) -> HttpResponse:
    """200 when the database is migrated and the fabric connected, else 503."""
    ready = state.ready()
    return JsonResponse({"ready": ready}, status=200 if ready else 503)


handler403 = accounts.denied
handler500 = patience.failed

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("healthz", healthz),
    path(oauth.PATH.removeprefix("/"), accounts.token),
    path(PATH.removeprefix("/"), enrolment_views.enrol),
    path(MEMBER_PATH.removeprefix("/"), enrolment_views.member),
    path(NODE_CONFIGURATION.removeprefix("/"), enrolment_views.command),
    path("admin/nodes/<int:key>/deploy/", enrolment_views.deploy, name="deploy-node"),
    path("admin/nodes/<int:key>/configuration/", enrolment_views.download, name="node-configuration"),
    re_path(r"^api/admin/configuration/v1/system_backup/(?P<key>[^/]+\.gpg)/$", backup_views.detail),
    path("api/admin/configuration/v1/", include("rostra.management.upgrades.views")),
    path(f"{SOFTWARE_PATH.removeprefix('/')}<str:token>", for_nodes),
    path("api/admin/status/v1/snapshot_request/file/<str:filename>/", snapshots.download),
    path("api/admin/", include("rostra.management.api.views")),
    path("admin/", admin.site.urls),
]
