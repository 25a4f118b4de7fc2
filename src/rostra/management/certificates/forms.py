"""Forms of the certificate pages: PEM is pasted or comes in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from rostra.configuration import assignment
from rostra.configuration.certificates import names, pem, requests
from rostra.configuration.certificates.pem import CertificateProblem
from rostra.configuration.models import CaCertificate, CertificateSigningRequest, TlsCertificate

CUSTOM = ""
"""Choice of a subject name: one that is typed in."""


class PemWidget(UnfoldAdminTextareaWidget):
    """A text area, and a file to take the text from instead."""

    needs_multipart_form = True

    class Media:
        css: ClassVar = {"all": ["rostra/certificates.css"]}

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 6, "data-pem": "", "spellcheck": "false", "autocomplete": "off", **(attrs or {})})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        area = super().render(name, value, attrs, renderer)
        return format_html(
            '{}<input type="file" name="{}_file" aria-label="{}" class="mt-2 text-sm">', area, name, gettext("File")
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        file = files.get(f"{name}_file")
        if file is None:
            return super().value_from_datadict(data, files, name)
        return file.read(pem.LARGEST + 1).decode("utf-8", "replace")

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_file" not in files


def pem_field(label: Any, help_text: Any, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, strip=False, max_length=pem.LARGEST, widget=PemWidget()
    )


def _passphrase() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Private key passphrase"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("If the private key is encrypted. It is not kept."),
    )


class _Form(forms.ModelForm):
    """Problems of fields that are not in the form are shown above it."""

    def add_error(self, field: str | None, error: Any) -> None:
        problems: Mapping[str, list[Any]] = getattr(error, "error_dict", {})
        for name in [name for name in problems if name not in self.fields]:
            for one in ValidationError(problems[name]).messages:
                super().add_error(None, one)
        known = {name: found for name, found in problems.items() if name in self.fields}
        if known or not problems:
            super().add_error(field, ValidationError(known) if problems else error)


class TlsForm(_Form):
    """A TLS certificate and the nodes that present it."""

    certificate = pem_field(
        gettext_lazy("TLS certificate"), gettext_lazy("The certificate in PEM form; intermediate ones may follow it.")
    )
    private_key = pem_field(
        gettext_lazy("Private key"), gettext_lazy("RSA or ECDSA in PEM form. It cannot be looked at or changed later.")
    )
    private_key_passphrase = _passphrase()
    parameters = pem_field(
        gettext_lazy("TLS parameters"),
        gettext_lazy("Diffie-Hellman parameters or the name of a curve, in PEM form."),
        required=False,
    )
    nodes = forms.MultipleChoiceField(
        label=gettext_lazy("Nodes"),
        required=False,
        widget=FilteredSelectMultiple(gettext_lazy("Nodes"), is_stacked=False),
        help_text=gettext_lazy("Machines that present this certificate. It should name each of them."),
    )

    class Meta:
        model = TlsCertificate
        fields: ClassVar = ["certificate", "private_key", "private_key_passphrase", "parameters"]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if self.instance.pk:  # the key is never shown, and stays
            del self.fields["private_key"], self.fields["private_key_passphrase"]
        self._machines = {f"{type(one).__name__} {one.pk}": one for one in assignment.machines()}
        if "nodes" in self.fields:
            field: Any = self.fields["nodes"]
            field.choices = [(key, f"{one} ({assignment.fqdn(one)})") for key, one in self._machines.items()]
            if self.instance.pk:
                users = set(assignment.users(self.instance))
                self.initial["nodes"] = [key for key, one in self._machines.items() if one in users]

    @property
    def chosen(self) -> list[assignment.Machine]:
        """The machines chosen."""
        return [self._machines[key] for key in self.cleaned_data.get("nodes", ())]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] - Django's own
        if self.errors:
            return
        for machine in self.chosen:
            host = machine.alternative_fqdn
            if host and not names.covers(self.instance.leaf, host):
                self.add_error(
                    "nodes",
                    gettext("%(machine)s: this certificate is not valid for %(host)s.")
                    % {"machine": machine, "host": host},
                )


class CaForm(_Form):
    """A trusted CA certificate."""

    certificate = pem_field(gettext_lazy("CA certificate"), gettext_lazy("One certificate in PEM form."))

    class Meta:
        model = CaCertificate
        fields: ClassVar = ["certificate", "trusted_intermediate"]


class CompleteForm(_Form):
    """The answer to a signing request."""

    certificate = pem_field(
        gettext_lazy("Certificate"), gettext_lazy("What the authority made of the request, in PEM form.")
    )

    class Meta:
        model = CertificateSigningRequest
        fields: ClassVar = ["certificate"]


def _line(label: Any, help_text: Any = "", *, limit: int = 64, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=limit, widget=UnfoldAdminTextInputWidget()
    )


def _yes(label: Any, help_text: Any, *, initial: bool) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, help_text=help_text, required=False, initial=initial, widget=UnfoldBooleanSwitchWidget()
    )


class RequestForm(_Form):
    """A new signing request (SYS-238 … SYS-243)."""

    subject = forms.ChoiceField(
        label=gettext_lazy("Subject name"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Whom the certificate is for."),
    )
    custom_subject_name = _line(
        gettext_lazy("Custom subject name"), gettext_lazy("Common name, if it is none of the above."), limit=250
    )
    private_key = pem_field(
        gettext_lazy("Private key"), gettext_lazy("Only if you upload a key of your own."), required=False
    )
    private_key_passphrase = _passphrase()
    subject_alt_names = forms.MultipleChoiceField(
        label=gettext_lazy("Subject alternative names"),
        required=False,
        widget=FilteredSelectMultiple(gettext_lazy("Names"), is_stacked=False),
        help_text=gettext_lazy("Further hosts of this platform that the certificate is to be valid for."),
    )
    organization = _line(gettext_lazy("Organization name"))
    department = _line(gettext_lazy("Department"))
    city = _line(gettext_lazy("City"), limit=128)
    state = _line(gettext_lazy("State or Province"), limit=128)
    country = _line(gettext_lazy("Country"), gettext_lazy("Two letters."), limit=2)
    include_cn_in_san = _yes(
        gettext_lazy("Include Common Name in Subject Alternative Names"),
        gettext_lazy("Browsers look for names there only."),
        initial=True,
    )

    class Meta:
        model = CertificateSigningRequest
        fields: ClassVar = [
            "private_key_type",
            "private_key",
            "private_key_passphrase",
            "additional_subject_alt_names",
            "ad_compatible",
            "tls_certificate",
        ]
        widgets: ClassVar = {"additional_subject_alt_names": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        known = [(name, name) for name in host_names()]
        self.fields["subject"].choices = [*known, (CUSTOM, gettext("User-provided custom Common Name"))]  # type: ignore[attr-defined]
        self.fields["subject_alt_names"].choices = known  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        name = found.get("subject") or found.get("custom_subject_name", "")
        if not name:
            self.add_error("custom_subject_name", gettext("Choose a subject name, or give one."))
        self._check_names(found)
        parts = {part: found.get(part, "") for part in ("organization", "department", "city", "state", "country")}
        try:
            self.instance.dn = requests.compose(name, **parts) if any(parts.values()) else ""
        except CertificateProblem as problem:
            self.add_error("country" if "country" in str(problem) else "organization", gettext(str(problem)))
        self.instance.subject_name = name
        self.instance.include_common_name = found.get("include_cn_in_san", True)
        return found

    def _check_names(self, found: dict[str, Any]) -> None:
        try:
            more = requests.alternative_names(found.get("additional_subject_alt_names", ""))
        except CertificateProblem as problem:
            self.add_error("additional_subject_alt_names", gettext(str(problem)))
        else:
            found["additional_subject_alt_names"] = ", ".join([*found.get("subject_alt_names", ()), *more])


def host_names() -> list[str]:
    """DNS names of this platform's machines, and the SIP TLS FQDNs that differ from them (SYS-238)."""
    machines = assignment.machines()
    found = [assignment.fqdn(one) for one in machines] + [one.alternative_fqdn for one in machines]
    return list(dict.fromkeys(name for name in found if name))


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class _SeveralFiles(forms.FileField):
    """Any number of files; cleaned to a list."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(_SeveralFiles, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    """PEM files with certificates, keys and parameters."""

    chosen = _SeveralFiles(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy(
            "One or more PEM files: certificates, private keys, TLS parameters and trusted CA certificates."
        ),
        widget=_Files(attrs={"class": UnfoldAdminFileFieldWidget().attrs.get("class", "")}),
    )
    private_key_passphrase = _passphrase()

    def texts(self) -> list[str]:
        """The content of the files. Raises ValidationError for one that is too large."""
        found: list[str] = []
        for file in self.cleaned_data["chosen"]:
            if file.size > pem.LARGEST:
                raise ValidationError(gettext("%(name)s is too large for certificates.") % {"name": file.name})
            found.append(file.read().decode("utf-8", "replace"))
        return found
