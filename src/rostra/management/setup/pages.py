"""The first steps as pages of the site: offered to a full administrator until they are done or skipped."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from rostra.management.setup import applying
from rostra.management.setup.answers import Invalid
from rostra.management.setup.steps import STEPS, Step


def offered(request: HttpRequest) -> bool:
    """Are the first steps still to be done, and by this administrator?"""
    user: Any = request.user
    return bool(getattr(user, "is_superuser", False)) and not applying.is_finished()


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, name: str = STEPS[0].name) -> HttpResponse:
    """One of the steps; each can be left out, and all of them."""
    if not getattr(request.user, "is_superuser", False):
        raise PermissionDenied
    at = next((number for number, one in enumerate(STEPS) if one.name == name), None)
    if at is None:
        raise Http404("There is no such step.")
    if "end" in request.POST:
        applying.finished()
        return redirect(reverse("admin:index"))
    form = STEPS[at].form(request.POST if request.method == "POST" else None, initial=STEPS[at].initial())
    if request.method == "POST" and ("skip" in request.POST or (form.is_valid() and _done(request, STEPS[at], form))):
        return _next(request, at)
    context = {
        **admin.site.each_context(request),
        "title": gettext("First steps"),
        "step": STEPS[at],
        "steps": [(one, "done" if number < at else "now" if number == at else "") for number, one in enumerate(STEPS)],
        "number": at + 1,
        "count": len(STEPS),
        "form": form,
        "last": at + 1 == len(STEPS),
    }
    return render(request, "admin/utilities/first_steps.html", context, status=400 if form.errors else 200)


def _done(request: HttpRequest, one: Step, form: Any) -> bool:
    try:
        one.carry_out(request, form.cleaned_data)
    except Invalid as problem:
        for name, text in problem.problems.items():
            form.add_error(name if name in form.fields else None, text)
        return False
    return True


def _next(request: HttpRequest, at: int) -> HttpResponse:
    if at + 1 < len(STEPS):
        return redirect(reverse("admin:first_step", args=(STEPS[at + 1].name,)))
    applying.finished()
    messages.success(
        request,
        gettext(
            "The platform is set up. Next: a TLS certificate of your own under Certificates, and more "
            "Conferencing Nodes under Platform."
        ),
    )
    return redirect(reverse("admin:index"))
