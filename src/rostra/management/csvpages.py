"""Import and export of CSV files on the list pages of the admin site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold import decorators
from unfold.widgets import UnfoldAdminFileFieldWidget

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.management import csvfiles

CSV_ACTIONS = ("export_csv", "import_csv")
"""What `CsvPages` adds to a list; a resource with no columns (`csv=()`) has none of it."""
LARGEST = 10 * 1024 * 1024
"""Bytes of a file that can be imported."""


class _File(forms.Form):
    file = forms.FileField(
        label="CSV file", widget=UnfoldAdminFileFieldWidget, help_text="UTF-8; a header is optional."
    )


action: Any = decorators.action


class CsvPages:
    """Mixed into the admin class of a resource."""

    resource: Resource

    @action(description="Export CSV", url_path="export-csv", icon="download", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        """A download of every object."""
        return HttpResponse(
            csvfiles.export(self.resource),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{self.resource.name}.csv"'},
        )

    @action(description="Import CSV", url_path="import-csv", icon="upload", permissions=["add"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        """A form for a file; the errors of its rows, or back to the list."""
        page: Any = self
        if not page.has_change_permission(request):
            raise PermissionDenied
        form = _File(request.POST or None, request.FILES or None)
        problems: list[csvfiles.RowProblem] = []
        meta = orm.meta(self.resource.model)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                if file.size > LARGEST:
                    raise csvfiles.Rejected([csvfiles.RowProblem(1, "The file is larger than 10 MB.")])
                count = csvfiles.load(self.resource, file.read())
            except csvfiles.Rejected as rejected:
                problems = rejected.problems
            else:
                messages.success(request, f"{count} imported.")
                return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
        context = {
            **admin.site.each_context(request),
            "title": f"Import {meta.verbose_name_plural}",
            "opts": meta,
            "form": form,
            "problems": problems[:100],
            "columns": csvfiles.columns(self.resource),
        }
        return render(request, "admin/import_csv.html", context, status=400 if problems else 200)
