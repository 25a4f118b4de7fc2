"""The page of alarms, and the bell on every page (DIAG-096)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from rostra.management import menu
from rostra.management.alarms.catalogue import KINDS, WARNING
from rostra.management.alarms.models import Alarm
from rostra.management.alarms.tables import up
from rostra.management.audit.noting import note_person

VIEW, ACKNOWLEDGE = "view_status", "modify_platform"
"""Permissions that seeing alarms, and saying that one has been seen, take."""
menu.entry(menu.STATUS, _("Alarms"), "notifications", "alarms", place=11)


def _rows(request: HttpRequest) -> str:
    """The body of the table."""
    found = [
        {"alarm": alarm, "kind": KINDS.get(alarm.name), "tone": "late" if alarm.level == WARNING else "bad"}
        for alarm in up()
    ]
    user: Any = request.user
    return render_to_string(
        "admin/alarms/rows.html", {"rows": found, "may_acknowledge": user.has_perm(ACKNOWLEDGE)}, request
    )


def alarms(request: HttpRequest) -> HttpResponse:
    """What is wrong now; the page keeps itself up to date."""
    context = {**admin.site.each_context(request), "title": gettext("Alarms"), "rows": SafeString(_rows(request))}
    return render(request, "admin/alarms/alarms.html", context)


def data(request: HttpRequest) -> HttpResponse:
    """How many alarms there are; `?rows`: also the body of the table."""
    found: dict[str, Any] = {"count": up().count()}
    if "rows" in request.GET:
        found["rows"] = _rows(request)
    return JsonResponse(found, headers={"Cache-Control": "no-store"})


@require_POST
def acknowledge(request: HttpRequest, key: int) -> HttpResponse:
    """Say that an alarm has been seen; it stays up until its cause is gone."""
    user: Any = request.user
    if not user.has_perm(ACKNOWLEDGE):
        raise PermissionDenied
    alarm = up().filter(pk=key).first()
    if alarm is None:
        raise Http404
    if not alarm.acknowledged:
        Alarm.objects.filter(pk=key).update(acknowledged=True, acknowledged_by=user.get_username()[:150])
        pairs = {"Alarm": alarm.name, "Node": alarm.node, "Instance": alarm.instance}
        note_person("Alarm acknowledged", details={name: value for name, value in pairs.items() if value})
    return redirect("admin:alarms")


def bell(request: HttpRequest) -> str:
    """The bell for the header; nothing for who may not see alarms."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.has_perm(VIEW):
        return ""
    return render_to_string("admin/alarms/bell.html", {"count": up().count()})
