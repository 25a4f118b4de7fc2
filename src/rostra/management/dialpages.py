"""Forms for calling somebody into a conference, and for sending a participant to another one (CONF-110, CONF-118)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from rostra.configuration import vocabulary
from rostra.configuration.models import Conference, ConferenceAlias, SystemLocation
from rostra.configuration.translating import gettext as translated
from rostra.management.api.tables import Row
from rostra.management.api.tableviews import note
from rostra.management.commands import Failed, parameters
from rostra.management.declared import command, table

CALLING = ("conference", "lecture")
"""Kinds of services that call somebody."""


def _choice(label: Any, options: Any, help_text: Any = "", *, initial: str = "") -> forms.ChoiceField:
    choices = [(value, translated(str(shown))) for value, shown in options]
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, help_text=help_text, widget=UnfoldAdminSelectWidget
    )


def _text(label: Any, help_text: Any = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=250, help_text=help_text, widget=UnfoldAdminTextInputWidget
    )


class DialForm(forms.Form):
    """What `participant/dial` takes."""

    destination = _text(gettext_lazy("Participant alias"), gettext_lazy("The address to call."), required=True)

    def __init__(self, service: Conference, *arguments: Any) -> None:
        super().__init__(*arguments)
        aliases = [
            (alias, alias)
            for alias in ConferenceAlias.objects.filter(conference=service).values_list("alias", flat=True)
        ]
        locations = [("", gettext("Automatic")), *((name, name) for name in _locations())]
        more: dict[str, forms.Field] = {
            "conference_alias": _choice(
                gettext("Service alias"), aliases, gettext("What the called party is shown.")
            ),
            "system_location": _choice(gettext("System location"), locations, gettext("Where the call is placed.")),
            "routing": _choice(gettext("Route this call"), vocabulary.ROUTINGS, initial="manual"),
            "protocol": _choice(
                gettext("Protocol"), vocabulary.PROTOCOLS, gettext("Without routing rules."), initial="sip"
            ),
            "call_type": _choice(gettext("Call capability"), vocabulary.CALL_TYPES, initial="video"),
            "role": _choice(gettext("Role"), vocabulary.ROLES, initial="guest"),
            "remote_display_name": _text(gettext("Display name"), gettext("Name shown to other participants.")),
            "dtmf_sequence": _text(
                gettext("DTMF sequence"), gettext("Tones after the answer; a comma waits 2 seconds.")
            ),
            "streaming": forms.BooleanField(
                label=gettext("Streaming"), required=False, widget=UnfoldBooleanSwitchWidget,
                help_text=gettext("A streaming or recording device."),
            ),
            "presentation_url": _text(
                gettext("Presentation URL"), gettext("RTMP address of the content stream.")
            ),
            "keep_conference_alive": _choice(
                gettext("Keep conference alive"), vocabulary.KEEP_ALIVE, initial="keep_conference_alive"
            ),
        }  # fmt: skip
        for name in ("system_location", "conference_alias"):
            more[name].required = name != "system_location"
        self.fields.update(more)


class TransferForm(forms.Form):
    """What `participant/transfer` takes."""

    conference_alias = _text(
        gettext_lazy("Target conference alias"), gettext_lazy("Where the participant goes."), required=True
    )

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.fields["role"] = _choice(gettext("Role"), vocabulary.ROLES, initial="guest")


def _locations() -> list[str]:
    return list(SystemLocation.objects.order_by("name").values_list("name", flat=True))


@require_http_methods(["GET", "POST"])
def dial_from_service(request: HttpRequest, key: int) -> HttpResponse:
    """Also when no conference of the service runs (CONF-111)."""
    return _dial(request, get_object_or_404(Conference, pk=key, service_type__in=CALLING))


@require_http_methods(["GET", "POST"])
def dial_from_conference(request: HttpRequest, key: str) -> HttpResponse:
    """From a conference in progress."""
    row = _row("conference", key)
    service = Conference.objects.filter(name=row["name"], service_type__in=CALLING).first() if row else None
    return _dial(request, service) if service is not None else _ended(request, "conference")


def _dial(request: HttpRequest, service: Conference) -> HttpResponse:
    form = DialForm(service, request.POST) if "send" in request.POST else DialForm(service)
    title = gettext("Dial out from %(name)s") % {"name": service.name}
    told = gettext("Initiated dial out to participant")
    if form.is_bound and _sent(request, "dial", form, told):
        return redirect(reverse("admin:status_table", args=("participant",)))
    return _page(request, form, title, gettext("Dial out"))


@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, key: str) -> HttpResponse:
    """Send one participant somewhere else."""
    row = _row("participant", key)
    if row is None:
        return _ended(request, "participant")
    form = TransferForm(request.POST) if "send" in request.POST else TransferForm()
    name = str(row.get("display_name") or row["id"])
    told = gettext("%(name)s is sent on.") % {"name": name}
    if form.is_bound and _sent(request, "transfer", form, told, participant_id=row["id"]):
        return redirect(reverse("admin:status_table", args=("participant",)))
    return _page(request, form, gettext("Transfer %(name)s") % {"name": name}, gettext("Transfer"))


def _row(name: str, key: str) -> Row | None:
    declared = table("status", name)
    if declared is None:
        raise Http404
    return declared.source.one(key)


def _ended(request: HttpRequest, name: str) -> HttpResponse:
    messages.error(request, gettext("It has ended in the meantime."))
    return redirect(reverse("admin:status_table", args=(name,)))


def _sent(request: HttpRequest, name: str, form: forms.Form, told: str, **more: Any) -> bool:
    """Give the command; False when it is not carried out, and the form says why."""
    given = command("participant", name)
    if given is None:
        raise Http404
    if not form.is_valid():
        return False
    try:
        values = parameters(given, {**form.cleaned_data, **more})
        note(given, values)
        given.run(values)
    except ValidationError as problem:
        for field, texts in problem.message_dict.items():
            form.add_error(field if field in form.fields else None, texts)
        return False
    except Failed as failure:
        form.add_error(None, str(failure))
        return False
    messages.success(request, told)
    return True


def _page(request: HttpRequest, form: forms.Form, title: str, verb: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "verb": verb,
    }
    return render(request, "admin/status/form.html", context)
