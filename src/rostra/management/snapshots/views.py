"""Snapshots on the site (NODE-166, NODE-167), and their files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from rostra.management import downloads, menu
from rostra.management.api import access
from rostra.management.api.answering import answer
from rostra.management.api.errors import Refused
from rostra.management.jobs import Busy
from rostra.management.snapshots import keeping
from rostra.management.snapshots.commands import PERMISSION

_TITLE = _("Diagnostic Snapshot")
_LONGEST = 24
menu.entry("Utilities", _TITLE, "troubleshoot", "snapshot", place=65)


class HoursForm(forms.Form):
    """How much of the past a limited snapshot has."""

    hours = forms.IntegerField(
        label=_("Hours"),
        min_value=1,
        max_value=_LONGEST,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("How many hours back logs and history begin: 1 to 24."),
    )


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponseBase:
    """The page; POST makes a snapshot and sends it: of some hours, or with `full` of 28 days."""
    if request.method == "POST" and not _may(request):
        raise PermissionDenied
    form = HoursForm(request.POST if request.method == "POST" and "full" not in request.POST else None)
    if request.method != "POST" or ("full" not in request.POST and not form.is_valid()):
        return _shown(request, form, 200 if request.method != "POST" else 400)
    hours = None if "full" in request.POST else form.cleaned_data["hours"]
    try:
        with keeping.JOBS.alone():
            file = keeping.make(keeping.span(hours, metrics=True))
    except (Busy, OSError) as problem:
        messages.error(request, gettext("The snapshot could not be made. %(problem)s") % {"problem": problem})
        return _shown(request, HoursForm(), 503)
    return downloads.send(request, file, keeping.TYPE)


def _shown(request: HttpRequest, form: HoursForm, status: int) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _TITLE,
        "form": form,
        "may": _may(request),
    }
    return render(request, "admin/utilities/snapshot.html", context, status=status)


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)  # type: ignore[union-attr] - the site and `check` let nobody else so far


@answer
def download(request: HttpRequest, filename: str) -> HttpResponse:
    """A file that was made by request."""
    access.check(request)
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, None, Allow="GET")
    if not _may(request):
        raise Refused(403, {"error": "This account may not do that."})
    file = keeping.path(filename)
    if file is None:
        raise Refused(404)
    return downloads.send(request, file, keeping.TYPE)  # type: ignore[return-value] - streamed
