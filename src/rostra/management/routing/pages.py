"""The page on which the dial plan is tried out, and the pages of its rules."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from rostra.configuration.models import GatewayRoutingRule, SystemLocation
from rostra.domain.expressions import LONGEST
from rostra.domain.vocabulary import CallProtocol
from rostra.management import menu
from rostra.management.bulkactions import RuleActions
from rostra.management.routing import trying, warnings
from rostra.management.routing.trying import Outcome

VIEW = "configuration.view_gatewayroutingrule"
_SYSTEM = "called_device_type == 'external'"
_DEVICES = "called_device_type == 'registration'"
CONFERENCE = "conference"
"""The call is placed by one."""

menu.entry("Call Control", gettext_lazy("Dial plan test"), "science", "dial_plan_test", place=60)


class TrialForm(forms.Form):
    """A call that is made up."""

    alias = forms.CharField(
        label=gettext_lazy("Dialled alias"), max_length=LONGEST, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("As it reaches the platform, for example sip:alice@example.com."),
    )  # fmt: skip
    source = forms.ChoiceField(
        label=gettext_lazy("The call comes by"), widget=UnfoldAdminSelectWidget, initial="sip",
        choices=(
            (CallProtocol.SIP.value, gettext_lazy("SIP")),
            (CallProtocol.WEBRTC.value, gettext_lazy("web or desktop client")),
            (CallProtocol.H323.value, gettext_lazy("H.323")),
            (CallProtocol.MSSIP.value, gettext_lazy("Skype for Business")),
            (CONFERENCE, gettext_lazy("nothing: a conference calls by rules")),
        ),
    )  # fmt: skip
    location = forms.ModelChoiceField(
        SystemLocation.objects.order_by("name"), label=gettext_lazy("Location"), required=False,
        empty_label=gettext_lazy("one without rules of its own"), widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Where the call comes in, or is placed."),
    )  # fmt: skip
    registered = forms.BooleanField(
        label=gettext_lazy("The caller is registered"), required=False, widget=UnfoldBooleanSwitchWidget
    )


@require_http_methods(["GET"])
def test(request: HttpRequest) -> HttpResponse:
    """Which rule would take a call, and what comes out: nothing is called."""
    form = TrialForm(request.GET) if "alias" in request.GET else TrialForm()
    outcome: Outcome | None = None
    if form.is_bound and form.is_valid():
        given: dict[str, Any] = form.cleaned_data
        source = None if given["source"] == CONFERENCE else CallProtocol(given["source"])
        location = given["location"].pk if given["location"] else 0
        outcome = trying.run(
            given["alias"].strip(), source=source, location=location, registered=given["registered"]
        )  # fmt: skip
    context = {**admin.site.each_context(request), "title": gettext("Dial plan test"), "form": form, "outcome": outcome}
    return render(request, "admin/routing/test.html", context)


class RulePages(warnings.Warned, RuleActions):
    """Mixed into the pages of Call Routing Rules."""

    conditional_fields: ClassVar[dict[str, str]] = {
        "match_incoming_only_if_registered": "match_incoming_calls",
        **{f"match_incoming_{source}": "match_incoming_calls" for source in ("webrtc", "sip", "h323", "teams")},
        "match_incoming_mssip": "match_incoming_calls && !match_incoming_only_if_registered",
        "outgoing_location": f"!({_DEVICES})",
        "outgoing_protocol": _SYSTEM,
        "sip_proxy": f"{_SYSTEM} && outgoing_protocol == 'sip'",
        "h323_gatekeeper": f"{_SYSTEM} && outgoing_protocol == 'h323'",
        "mssip_proxy": f"!({_DEVICES}) && (!({_SYSTEM}) || outgoing_protocol == 'mssip')",
        "treat_as_trusted": f"!({_DEVICES})",
    }
    """What is asked only where it plays a part (SVC-091, SVC-112)."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *more: Any, **named: Any) -> Any:
        """The form. Who may only look sees every field: there is nothing to choose that others could depend on."""
        pages: Any = self
        if object_id is not None and not pages.has_change_permission(request):
            pages = copy.copy(self)
            pages.conditional_fields = {}
        form: Any = super(RulePages, pages)
        return form.changeform_view(request, object_id, *more, **named)

    def warning(self, row: GatewayRoutingRule) -> str:
        return warnings.of_rule(row)
