"""Pages of licences in the site: add, return, repair; export and complete requests (SYS-200...SYS-206)."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold import decorators
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from rostra.domain.licensing import LicenceKind
from rostra.management.licences import keeping
from rostra.management.licences.models import LONGEST, Licence, LicenceRequest
from rostra.management.licences.status import figures

action: Any = decorators.action
_LIST = "admin:licences_licence_changelist"


class _Text(forms.Form):
    """Text that is pasted or comes in a file."""

    text = forms.CharField(required=False, max_length=LONGEST, widget=UnfoldAdminTextareaWidget)
    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        label=gettext_lazy("File"),
        help_text=gettext_lazy("Instead of pasting its content."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        file = found.get("file")
        if file is not None:
            if file.size > LONGEST:
                raise ValidationError(gettext("The file is too long."))
            found["text"] = file.read().decode("utf-8", "replace")
        if not found.get("text"):
            raise ValidationError(gettext("Paste a text or choose a file."))
        return found


class _Add(_Text):
    offline = forms.BooleanField(
        required=False,
        label=gettext_lazy("Manually activate"),
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Only for entitlement keys: store the request, to be taken to the issuer by hand."),
    )


def _form(page: Any, request: HttpRequest, form: forms.Form, **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "opts": page.model._meta, "form": form, **more}  # noqa: SLF001
    return render(request, "admin/licences/form.html", context, status=400 if form.errors else 200)


def _bars() -> list[dict[str, Any]]:
    """Licences in use of those that are there, by kind."""
    pool, used = figures()
    found: list[dict[str, Any]] = []
    for kind in LicenceKind:
        limit = pool.limit(kind)
        if not pool.counted and kind is LicenceKind.AUDIO:
            continue
        percent = min(100, 100 * used.get(kind, 0) // limit) if limit else 0
        found.append(
            {
                "title": str(kind).capitalize() if pool.counted else gettext("Calls"),
                "used": used.get(kind, 0),
                "total": pool.port if kind is LicenceKind.PORT else pool.audio,
                "overdraft": limit - (pool.port if kind is LicenceKind.PORT else pool.audio),
                "percent": percent,
            }
        )
    return found


class LicencePages:
    """Mixed into the admin class of licences."""

    list_before_template = "admin/licences/before.html"
    actions_detail: ClassVar[Any] = ("return_licence", "repair_licence")
    actions: ClassVar[Any] = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # they are returned instead

    def has_return_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        base: Any = super()
        return base.has_delete_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        names = ("fulfillment_id", "entitlement_id", "license_type", "concurrent", "concurrent_overdraft")
        more = ("start_date", "expiration_date", "status", "product_id", "server_chain", "vendor_dictionary")
        return [(None, {"fields": [*names, *more]})]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        base: Any = super()
        pool, _ = figures()
        keeping.refresh()
        more = {
            "licence_bars": _bars(),
            "licence_counted": pool.counted,
            "licence_requests": LicenceRequest.objects.all()[:20],
        }
        return base.changelist_view(request, {**(extra_context or {}), **more})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A file or a key, pasted or uploaded."""
        page: Any = self
        if not page.has_add_permission(request):
            raise PermissionDenied
        form = _Add(request.POST or None, request.FILES or None)
        form.fields["text"].label = gettext("License entitlement key")
        form.fields["text"].help_text = gettext("The content of a license file, or the key that the issuer gave you.")
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    made = keeping.add(form.cleaned_data["text"], offline=form.cleaned_data["offline"])
            except ValidationError as problem:
                form.add_error(None, problem.messages)
            else:
                if isinstance(made, Licence):
                    messages.success(request, gettext("The license %(made)s is installed.") % {"made": made})
                else:
                    messages.warning(
                        request,
                        gettext("The request is stored as number %(made)s. Export it for the issuer.") % {"made": made},
                    )
                return redirect(reverse(_LIST))
        return _form(self, request, form, title=gettext("Add License"), verb=gettext("Save"))

    @action(description=gettext_lazy("Return license"), url_path="return", icon="undo", permissions=["return"])
    def return_licence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It counts no more; one bound to this deployment can be issued for another then."""
        licence = _row(Licence, object_id)
        question = gettext(
            "The license %(licence)s of %(concurrent)s calls will not count any more. "
            "Note its entitlement key if you want to use it elsewhere: %(entitlement_id)s"
        ) % {"licence": licence, "concurrent": licence.concurrent, "entitlement_id": licence.entitlement_id}
        if request.method != "POST":
            return _form(
                self,
                request,
                forms.Form(),
                title=gettext("Return license"),
                question=question,
                verb=gettext("Return license"),
            )
        with transaction.atomic():
            left = keeping.give_back(licence)
        messages.success(request, gettext("The license %(licence)s was returned.") % {"licence": licence})
        if left is not None:
            messages.warning(
                request,
                gettext("Export the stored request %(left)s for the issuer, so that he knows of it.") % {"left": left},
            )
        return redirect(reverse(_LIST))

    @action(
        description=gettext_lazy("Repair trusted license storage"),
        url_path="repair",
        icon="build",
        permissions=["repair"],
    )
    def repair_licence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have the issuer issue it anew for this deployment."""
        licence = _row(Licence, object_id)
        question = gettext("The issuer will be asked to issue the license %(licence)s anew for this deployment.") % {
            "licence": licence
        }
        if request.method != "POST":
            return _form(
                self, request, forms.Form(), title=gettext("Repair license"), question=question, verb=gettext("Repair")
            )
        with transaction.atomic():
            made = keeping.repair(licence)
        if isinstance(made, Licence):
            messages.success(request, gettext("The license %(made)s is installed.") % {"made": made})
        else:
            messages.warning(
                request, gettext("The request is stored as number %(made)s. Export it for the issuer.") % {"made": made}
            )
        return redirect(reverse(_LIST))

    def has_repair_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        key: Any = obj.pk if hasattr(obj, "pk") else obj
        page: Any = self
        corrupt = key is None or Licence.objects.filter(pk=key, status="corrupt").exists()
        return corrupt and page.has_add_permission(request)


class RequestPages:
    """Mixed into the admin class of stored requests."""

    actions_detail: ClassVar[Any] = ("export_request", "complete_request")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_complete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        base: Any = super()
        return base.has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        names = ("sequence_number", "actions", "reference", "generation_time", "status", "request_xml")
        return [(None, {"fields": list(names)})]

    @action(
        description=gettext_lazy("Export stored license request"),
        url_path="export",
        icon="download",
        permissions=["view"],
    )
    def export_request(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The request as an XML file."""
        row = _row(LicenceRequest, object_id)
        return HttpResponse(
            row.request_xml,
            content_type="application/xml; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="license-request-{row}.xml"'},
        )

    @action(
        description=gettext_lazy("Complete stored license request"),
        url_path="complete",
        icon="task_alt",
        permissions=["complete"],
    )
    def complete_request(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the issuer's answer."""
        row = _row(LicenceRequest, object_id)
        form = _Text(request.POST or None, request.FILES or None)
        form.fields["text"].label = gettext("Answer")
        form.fields["text"].help_text = gettext("The XML file that the issuer sent.")
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    made = keeping.complete(row, form.cleaned_data["text"])
            except ValidationError as problem:
                form.add_error(None, problem.messages)
            else:
                what = (
                    gettext("The license %(made)s is installed.") % {"made": made}
                    if made
                    else gettext("The return is confirmed.")
                )
                messages.success(request, what)
                return redirect(reverse(_LIST))
        return _form(
            self,
            request,
            form,
            title=gettext("Complete stored license request %(row)s") % {"row": row},
            verb=gettext("Complete"),
        )


def _row(model: Any, key: str) -> Any:
    row = model.objects.filter(pk=key).first() if key.isdecimal() else None
    if row is None:
        raise Http404
    return row
