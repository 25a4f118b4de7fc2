"""Pages of certificate signing requests in the site (SYS-238 … SYS-248)."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold import decorators

from rostra.configuration.certificates import requests
from rostra.configuration.certificates.text import describe_request
from rostra.configuration.models import CertificateSigningRequest
from rostra.management.certificates.forms import CUSTOM, CompleteForm, RequestForm, host_names

action: Any = decorators.action
display: Any = decorators.display


class RequestPages:
    """Mixed into the admin class of signing requests."""

    actions_list: ClassVar[Any] = ()
    actions_detail: ClassVar[Any] = ("download",)
    change_form_template = "admin/certificates/request.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any) -> Any:
        base: Any = super()
        return base.get_form(request, obj, change, **{**more, "form": RequestForm if obj is None else CompleteForm})

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["subject_name", "private_key_type", "tls_certificate"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["subject_name", "tls_certificate", "decoded"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return [
                (None, {"fields": ["subject_name", "tls_certificate", "decoded"]}),
                (gettext("Complete"), {"fields": ["certificate"]}),
            ]
        own = ["organization", "department", "city", "state", "country"]
        names = ["subject", "custom_subject_name", "subject_alt_names", "additional_subject_alt_names"]
        return [
            (None, {"fields": [*names, "tls_certificate"]}),
            (gettext("Private key"), {"fields": ["private_key_type", "private_key", "private_key_passphrase"]}),
            (gettext("Subject"), {"fields": own}),
            (gettext("Advanced"), {"fields": ["ad_compatible", "include_cn_in_san"]}),
        ]

    @display(description=gettext_lazy("Signing request"))
    def decoded(self, row: CertificateSigningRequest) -> SafeString:
        said = describe_request(requests.read(row.csr)) + "\n" + row.csr
        return format_html('<pre class="text-xs overflow-x-auto whitespace-pre-wrap">{}</pre>', said)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A renewal comes with the names of the certificate; a name that is none of ours is a custom one."""
        base: Any = super()
        given: dict[str, Any] = base.get_changeform_initial_data(request)
        known = host_names()
        wanted = [name for name in re.split(r"[\s,]+", given.get("additional_subject_alt_names", "")) if name]
        own = given.get("subject", known[0] if known else CUSTOM)
        return given | {
            "subject": own if own in known else CUSTOM,
            "custom_subject_name": "" if own in known else given.get("custom_subject_name", ""),
            "subject_alt_names": [name for name in wanted if name in known and name != own],
            "additional_subject_alt_names": ", ".join(name for name in wanted if name not in known and name != own),
        }

    def response_change(self, request: HttpRequest, obj: CertificateSigningRequest) -> HttpResponse:
        """Completed: on to the certificate, to assign nodes (SYS-246)."""
        base: Any = super()
        if obj.completed is None:
            return base.response_change(request, obj)
        done = gettext(
            "The request for %(subject_name)s is complete. Choose the nodes that present the certificate."
        ) % {"subject_name": obj.subject_name}
        messages.success(request, done)
        return redirect(reverse("admin:configuration_tlscertificate_change", args=(obj.completed.pk,)))

    def log_change(self, request: HttpRequest, obj: CertificateSigningRequest, message: Any) -> Any:
        """What a completed request became is noted with the certificate."""
        base: Any = super()
        return base.log_change(request, obj.completed or obj, message)

    @action(description=gettext_lazy("Download"), url_path="download", icon="download", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The request as a file, without its private key."""
        row = CertificateSigningRequest.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404("There is no such request.")
        name = re.sub(r"[^A-Za-z0-9._*-]", "_", row.subject_name).replace("*", "_")
        return HttpResponse(
            row.csr,
            content_type="application/pkcs10",
            headers={"Content-Disposition": f'attachment; filename="{name}.csr"'},
        )
