"""The page where a policy script is tried out before it is saved, and the way to it (POL-096)."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods
from unfold import decorators
from unfold.widgets import UnfoldAdminTextareaWidget

from rostra.configuration.models import PolicyServer
from rostra.management.policy import trying
from rostra.management.policy.trying import KINDS, Trial

CHANGE = "configuration.change_policyserver"
LARGEST = 256 * 1024
"""Characters of the variables."""
page_action: Any = decorators.action


def _text(label: Any, rows: int, help_text: Any = "", *, most: int | None = None) -> forms.CharField:
    shown = UnfoldAdminTextareaWidget(attrs={"rows": rows, "spellcheck": "false", "class": "font-mono"})
    return forms.CharField(label=label, required=False, strip=False, widget=shown, help_text=help_text, max_length=most)


class TrialForm(forms.Form):
    """What a run takes."""

    variables = _text(
        gettext_lazy("Variables"), 16, gettext_lazy("What the script is told, in JSON; change the sample as needed."),
        most=LARGEST,
    )  # fmt: skip
    script = _text(gettext_lazy("Script"), 16)

    def clean_variables(self) -> dict[str, Any]:
        try:
            found = json.loads(self.cleaned_data["variables"])
        except (ValueError, RecursionError) as problem:
            raise ValidationError(gettext("This is not JSON: %(problem)s") % {"problem": problem}) from None
        if not isinstance(found, dict):
            raise ValidationError(gettext("The variables have to be one JSON object."))
        return found  # type: ignore[reportUnknownVariableType] - of whatever somebody wrote


class PolicyPages:
    """Mixed into the admin class of policy profiles."""

    actions_detail: ClassVar[Any] = ("try_service", "try_participant", "try_media_location")

    @page_action(
        description=gettext_lazy("Test service script"), url_path="try-service", icon="science", permissions=["change"]
    )
    def try_service(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _way("service", object_id)

    @page_action(
        description=gettext_lazy("Test participant script"), url_path="try-participant", icon="science",
        permissions=["change"],
    )  # fmt: skip
    def try_participant(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _way("participant", object_id)

    @page_action(
        description=gettext_lazy("Test media location script"), url_path="try-media-location", icon="science",
        permissions=["change"],
    )  # fmt: skip
    def try_media_location(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return _way("media_location", object_id)


def _way(kind: str, key: int) -> HttpResponse:
    return redirect("admin:policy_script_test", key=key, kind=kind)


@require_http_methods(["GET", "POST"])
def test(request: HttpRequest, key: int, kind: str) -> HttpResponse:
    """Run the script as it stands in the form, or save it (which a script that cannot run is not)."""
    tried = KINDS.get(kind)
    if tried is None:
        raise Http404
    profile = get_object_or_404(PolicyServer, pk=key)
    back = reverse("admin:configuration_policyserver_change", args=(profile.pk,))
    sample = json.dumps(tried.sample, indent=2, ensure_ascii=False)
    form = TrialForm({"variables": sample, "script": getattr(profile, tried.field)})
    trial: Trial | None = None
    if request.method == "POST":
        form = TrialForm(request.POST)
        if "save" in request.POST and _saved(form, profile, tried.field):
            messages.success(request, gettext("The script is saved."))
            return redirect(back)
        if "run" in request.POST and form.is_valid():
            trial = trying.run(kind, form.cleaned_data["script"], form.cleaned_data["variables"])
    context = {
        **admin.site.each_context(request),
        "title": gettext("%(profile)s: test of the %(script)s") % {"profile": profile.name, "script": str(tried.title)},
        "form": form,
        "trial": trial,
        "back": back,
    }
    return render(request, "admin/policy/test.html", context)


def _saved(form: TrialForm, profile: PolicyServer, field: str) -> bool:
    if not form.is_valid():
        return False
    setattr(profile, field, form.cleaned_data["script"])
    try:
        profile.full_clean()
    except ValidationError as problem:
        form.add_error("script", [text for texts in problem.message_dict.values() for text in texts])
        return False
    profile.save()
    return True
