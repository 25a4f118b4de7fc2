"""Pages of certificates in the site (SYS-215 … SYS-223, SYS-236, SYS-237)."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from unfold import decorators

from rostra.configuration import assignment, orm
from rostra.configuration.certificates import facts
from rostra.configuration.certificates.chains import Chain
from rostra.configuration.models import CaCertificate, TlsCertificate
from rostra.management.certificates import importing, judging
from rostra.management.certificates.forms import CaForm, ImportForm, TlsForm

action: Any = decorators.action
display: Any = decorators.display

_COLOURS = {
    gettext_noop("Valid"): "success",
    gettext_noop("Temporary"): "warning",
    gettext_noop("Expires soon"): "warning",
    gettext_noop("Incomplete chain"): "warning",
    gettext_noop("Not valid yet"): "warning",
    gettext_noop("Expired"): "danger",
}
_ADDED = ("configuration.add_tlscertificate", "configuration.add_cacertificate")
_CHANGED = ("configuration.change_tlscertificate", "configuration.change_cacertificate")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class ImportPage:
    """The action `Import files` of both lists."""

    @action(description=gettext_lazy("Import files"), url_path="import-files", icon="upload", permissions=["add"])
    def import_files(self, request: HttpRequest) -> HttpResponse:
        """A form for files; then back to the list."""
        user: Any = request.user
        if not user.has_perms((*_ADDED, *_CHANGED)):
            raise PermissionDenied
        page: Any = self
        meta = orm.meta(page.model)
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                outcome = importing.load(form.texts(), form.cleaned_data["private_key_passphrase"])
            except ValidationError as problem:
                form.add_error(None, problem.messages)
            else:
                messages.success(request, outcome.summary)
                return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
        context = {**admin.site.each_context(request), "title": gettext("Import files"), "opts": meta, "form": form}
        return render(request, "admin/certificates/import.html", context, status=400 if form.errors else 200)


def chain_text(chain: Chain) -> SafeString:
    """The chain of trust, the certificate itself first."""
    rows = format_html_join("", "<li>{}</li>", ((facts.short_name(one.subject),) for one in chain.certificates))
    end = (
        ""
        if chain.complete
        else format_html("<li><em>{}</em></li>", gettext("%(name)s is not known here") % {"name": _missing(chain)})
    )
    return format_html('<ol class="list-decimal pl-5">{}{}</ol>', rows, end)


def _labelled(state: str) -> tuple[str, str]:
    """A state, which says the colour, and how it is written."""
    return state, gettext(state)


def _missing(chain: Chain) -> str:
    return facts.short_name(chain.certificates[-1].issuer)


class TlsPages(ImportPage):
    """Mixed into the admin class of TLS certificates."""

    form = TlsForm
    actions_list: ClassVar[Any] = ("by_node", "import_files")
    actions_detail: ClassVar[Any] = ("request_renewal",)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["subject_name", "status", "issuer_name", "used_by", "end_date"]

    @display(description=gettext_lazy("Status"), label=_COLOURS)
    def status(self, row: TlsCertificate) -> tuple[str, str]:
        return _labelled(judging.state(row, judging.chain(row), _now()))

    @display(description=gettext_lazy("Status"))
    def state(self, row: TlsCertificate) -> str:
        return self.status(row)[1]

    @display(description=gettext_lazy("Nodes"))
    def used_by(self, row: TlsCertificate) -> str:
        return ", ".join(str(machine) for machine in assignment.users(row))

    @display(description=gettext_lazy("Chain of trust"))
    def chain_of_trust(self, row: TlsCertificate) -> SafeString:
        return chain_text(judging.chain(row))

    @display(description=gettext_lazy("Certificate data"))
    def decoded(self, row: TlsCertificate | CaCertificate) -> SafeString:
        return format_html('<pre class="text-xs overflow-x-auto whitespace-pre-wrap">{}</pre>', row.text)

    def get_queryset(self, request: HttpRequest) -> Any:
        base: Any = super()
        return base.get_queryset(request).prefetch_related("worker_vms", "management_vms")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        base: Any = super()
        return [*base.get_readonly_fields(request, obj), "state", "used_by", "chain_of_trust", "decoded"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        page: Any = self
        if obj is None:
            key = ("private_key", "private_key_passphrase")
            return [(None, {"fields": ["certificate", *key, "parameters", "nodes"]})]
        nodes = "nodes" if page.has_change_permission(request, obj) else "used_by"
        return [
            (None, {"fields": ["state", nodes, "certificate", "parameters"]}),
            (gettext("Decoded"), {"fields": ["chain_of_trust", "decoded"]}),
        ]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        base: Any = super()
        base.save_related(request, form, formsets, change)
        assignment.assign(form.instance, form.chosen)
        for warning in judging.warnings(form.instance, form.chosen):
            messages.warning(request, warning)

    @action(description=gettext_lazy("Certificates by Node"), url_path="by-node", icon="dns", permissions=["view"])
    def by_node(self, request: HttpRequest) -> HttpResponse:
        """Which certificate each machine presents (SYS-219)."""
        context = {
            **admin.site.each_context(request),
            "title": gettext("Certificates by Node"),
            "opts": orm.meta(TlsCertificate),
            "rows": [_by_node(machine) for machine in assignment.machines()],
        }
        return render(request, "admin/certificates/by_node.html", context)

    @action(description=gettext_lazy("Request renewal"), url_path="renew", icon="autorenew", permissions=["change"])
    def request_renewal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the form of a signing request whose answer replaces this certificate."""
        row = TlsCertificate.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404("There is no such certificate.")
        given = {
            "tls_certificate": row.pk,
            "subject": row.subject_name,
            "custom_subject_name": row.subject_name,
            "additional_subject_alt_names": row.subject_alt_names,
        }
        return redirect(f"{reverse('admin:configuration_certificatesigningrequest_add')}?{urlencode(given)}")


def _by_node(machine: assignment.Machine) -> dict[str, Any]:
    certificate = machine.tls_certificate
    kind = type(machine).__name__.lower()
    return {
        "name": str(machine),
        "fqdn": assignment.fqdn(machine),
        "link": reverse(f"admin:configuration_{kind}_change", args=(machine.pk,)),
        "certificate": certificate,
        "state": gettext(judging.state(certificate, judging.chain(certificate), _now())) if certificate else "",
        "warnings": judging.warnings(certificate, [machine]) if certificate else [],
    }


class CaPages(ImportPage):
    """Mixed into the admin class of trusted CA certificates."""

    form = CaForm
    actions_list: ClassVar[Any] = ("import_files", "export_files")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["subject_name", "status", "issuer_name", "trusted_intermediate", "end_date"]

    @display(description=gettext_lazy("Status"), label=_COLOURS)
    def status(self, row: CaCertificate) -> tuple[str, str]:
        return _labelled(judging.state(row, judging.authority_chain(row), _now()))

    @display(description=gettext_lazy("Status"))
    def state(self, row: CaCertificate) -> str:
        return self.status(row)[1]

    @display(description=gettext_lazy("Chain of trust"))
    def chain_of_trust(self, row: CaCertificate) -> SafeString:
        return chain_text(judging.authority_chain(row))

    decoded = TlsPages.decoded

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        base: Any = super()
        return [*base.get_readonly_fields(request, obj), "state", "chain_of_trust", "decoded"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ["certificate", "trusted_intermediate"]
        if obj is None:
            return [(None, {"fields": own})]
        return [(None, {"fields": ["state", *own]}), (gettext("Decoded"), {"fields": ["chain_of_trust", "decoded"]})]

    @action(description=gettext_lazy("Export"), url_path="export-files", icon="download", permissions=["view"])
    def export_files(self, request: HttpRequest) -> HttpResponse:
        """Every uploaded certificate in one file (SYS-237)."""
        texts = CaCertificate.objects.order_by("pk").values_list("certificate", flat=True)
        return HttpResponse(
            "".join(f"{text.strip()}\n" for text in texts),
            content_type="application/x-pem-file",
            headers={"Content-Disposition": 'attachment; filename="ca-certificates.pem"'},
        )
