"""Import and export of CSV files in the site: a file is checked, then shown what it would change, then imported."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from unfold import decorators
from unfold.widgets import UnfoldAdminFileFieldWidget

from rostra.configuration.resources import Resource
from rostra.management import csvfiles, csvjobs, csvreading
from rostra.management.csvjobs import Job

CSV_ACTIONS = ("export_csv", "import_csv")
"""What `CsvPages` adds to a list; a resource with no columns (`csv=()`) has none of it."""
PATIENCE = 2.0
"""Seconds a request waits for a job before it shows how far that is."""
_SHOWN = 200
"""Problems that a page shows."""

action: Any = decorators.action


class CsvPages:
    """Mixed into the admin class of a resource."""

    resource: Resource

    @action(description=gettext_lazy("Export CSV"), url_path="export-csv", icon="download", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        """A download of every object."""
        return csvfiles.response(self.resource)

    @action(description=gettext_lazy("Import CSV"), url_path="import-csv", icon="upload", permissions=["add"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        """To the form for a file."""
        page: Any = self
        meta = page.opts
        return redirect(reverse("admin:csv_upload", args=(meta.app_label, meta.model_name)))


class _File(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("Text in UTF-8, up to 50 MB. A first line with the names of the columns is optional."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > csvreading.LARGEST:
            raise ValidationError(_("The file is larger than 50 MB."))
        return file


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, app: str, model: str) -> HttpResponse:
    """The form for a file. Nothing is written before it has been checked and confirmed."""
    page = _page(f"{app}.{model}", request)
    form = _File(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = csvjobs.begin(_user(request), f"{app}.{model}", page.resource, form.cleaned_data["file"])
        except csvjobs.Busy:
            form.add_error("file", _("Too many imports are going on; try again later."))
        else:
            job.ended.wait(PATIENCE)
            return redirect(reverse("admin:csv_job", args=(job.token,)))
    context = {
        **_context(request, page),
        "form": form,
        "columns": csvfiles.columns(page.resource),
        "key": page.resource.csv_key,
    }
    return render(request, "admin/csv/upload.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def job(request: HttpRequest, token: str) -> HttpResponse:
    """What a file would change, or how far its import is. POST imports it, or forgets it (`discard`)."""
    found, page = _found(request, token)
    if request.method == "POST":
        if "discard" in request.POST:
            csvjobs.discard(found)
            return redirect(_list(page))
        csvjobs.confirm(found)
        found.ended.wait(PATIENCE)
        return redirect(reverse("admin:csv_job", args=(token,)))
    if found.phase == csvjobs.DONE:
        csvjobs.discard(found)
        messages.success(request, _("%(count)d imported.") % {"count": found.count})
        return redirect(_list(page))
    context = {**_context(request, page), "job": found, "outcome": found.outcome, "list": _list(page)}
    if found.works:
        return render(request, "admin/csv/progress.html", context)
    problems = found.outcome.problems if found.outcome else []
    context |= {
        "problems": problems[:_SHOWN],
        "problem_count": len(problems),
        "more": len(problems) - _SHOWN,
        "failed": found.phase == csvjobs.FAILED,
    }
    return render(request, "admin/csv/preview.html", context, status=400 if problems else 200)


@require_GET
def progress(request: HttpRequest, token: str) -> HttpResponse:
    """How far an import is."""
    found, _page_of = _found(request, token)
    body = {"works": found.works, "percent": found.percent}
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


def _found(request: HttpRequest, token: str) -> tuple[Job, Any]:
    found = csvjobs.find(token, _user(request))
    if found is None:
        raise Http404
    return found, _page(found.page, request)


def _page(label: str, request: HttpRequest) -> Any:
    """The admin class whose list it is; PermissionDenied for who may not add and change its objects."""
    try:
        page: Any = admin.site.get_model_admin(apps.get_model(label))
    except (LookupError, ValueError, NotRegistered):
        raise Http404 from None
    if "import_csv" not in (page.actions_list or ()):
        raise Http404
    if not (page.has_add_permission(request) and page.has_change_permission(request)):
        raise PermissionDenied
    return page


def _context(request: HttpRequest, page: Any) -> dict[str, Any]:
    title = _("Import %(kind)s") % {"kind": page.opts.verbose_name_plural}
    return {**admin.site.each_context(request), "title": title, "kind": page.opts.verbose_name_plural}


def _list(page: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def _user(request: HttpRequest) -> Any:
    user: Any = request.user
    return user.pk
