"""Utilities > Upgrade, and Upgrade Status (NODE-092, NODE-093)."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods
from unfold.widgets import UnfoldAdminFileFieldWidget

from rostra import release
from rostra.bundle import BundleProblem
from rostra.configuration.models import WorkerVM
from rostra.fabric.membership import node_name
from rostra.management import menu
from rostra.management.commands import Failed
from rostra.management.status import platform
from rostra.management.upgrades import commands, deciding, running, uploads
from rostra.management.upgrades.deciding import Status
from rostra.management.upgrades.models import MANAGEMENT, READY, Upgrade, UpgradeRequest

REFRESH = 5
"""Seconds after which the status page loads itself anew (NODE-093)."""
_PIECE = 1024 * 1024
menu.entry("Utilities", _("Upgrade"), "upgrade", "upgrade", place=61)


class UploadForm(forms.Form):
    """The bundle."""

    package = forms.FileField(label=gettext_lazy("Software bundle"), widget=UnfoldAdminFileFieldWidget)


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Choose a file; what it is, is shown before anything happens."""
    form, problem = UploadForm(request.POST or None, request.FILES or None), ""
    if request.method == "POST":
        if not _may(request):
            raise PermissionDenied
        if form.is_valid():
            package: Any = form.cleaned_data["package"]
            try:
                found = uploads.take(package.size, package.chunks(_PIECE))
                return redirect(reverse("admin:upgrade_confirm", args=(found.uuid,)))
            except BundleProblem as reason:
                problem = str(reason)
    failed = bool(problem) or (request.method == "POST" and not form.is_valid())
    context = {
        **admin.site.each_context(request),
        "title": gettext("Upgrade"),
        "form": form,
        "problem": problem,
        "version": f"{release.VERSION} ({release.build()})",
        "going_on": running.current() is not None,
        "may": _may(request),
    }
    return render(request, "admin/utilities/upgrade.html", context, status=400 if failed else 200)


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, key: Any) -> HttpResponse:
    """Existing and new version; POST starts the upgrade."""
    found = UpgradeRequest.objects.filter(uuid=key, state=READY).first()
    if found is None:
        messages.error(request, gettext("That bundle is not here any more; upload it again."))
        return redirect(reverse("admin:upgrade"))
    if request.method == "POST":
        if "cancel" in request.POST:
            uploads.forget(found)
            return redirect(reverse("admin:upgrade"))
        try:
            running.begin(found)
            return redirect(reverse("admin:upgrade_status"))
        except Failed as problem:
            messages.error(request, str(problem))
    context = {
        **admin.site.each_context(request),
        "title": gettext("Confirm upgrade"),
        "version": f"{release.VERSION} ({release.build()})",
        "upgrade": found,
    }
    return render(request, "admin/utilities/upgrade_confirm.html", context)


@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """Every machine with its upgrade status and the version it has."""
    upgrade = Upgrade.objects.first()
    going_on = upgrade is not None and upgrade.ended is None
    context = {
        **admin.site.each_context(request),
        "title": gettext("Upgrade Status"),
        "refresh": REFRESH if going_on else 0,
        "upgrade": upgrade,
        "started": datetime.datetime.fromtimestamp(upgrade.started, datetime.UTC) if upgrade else None,
        "rows": rows(upgrade),
    }
    return render(request, "admin/utilities/upgrade_status.html", context)


def rows(upgrade: Upgrade | None) -> list[dict[str, str]]:
    """What the page shows of each machine."""
    items = {row.node: row.item for row in upgrade.items.all()} if upgrade else {}  # type: ignore[attr-defined]
    words, seen = deciding.statuses(list(items.values())), platform().snapshot(fresh=False).seen

    def row(key: int, name: str, address: str, version: str) -> dict[str, str]:
        reason = items[key].reason if key in items else ""
        return {
            "name": name,
            "address": address,
            "status": gettext(str(words.get(key, Status.NONE))),
            "version": version,
            "reason": reason,
        }

    own = row(MANAGEMENT, gettext("Management Node"), uploads.environment().own_address, release.VERSION)
    found = [own]
    for node in WorkerVM.objects.order_by("name"):
        report = seen.get(node_name(node.pk))
        found.append(row(node.pk, node.name, node.address, report.report.version if report else ""))
    return found


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm(commands.PERMISSION)  # type: ignore[union-attr] - the site lets nobody else in
