"""Addresses about access that belong to no resource: tokens, refusals, trying a login out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import permission_denied

from rostra.management.accounts import entrance, oauth
from rostra.management.accounts.forms import TrialForm
from rostra.management.accounts.ldap import trial
from rostra.management.api.errors import respond

View = Callable[..., HttpResponse]


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """POST /oauth/token/: a token for a client that signs an assertion (sheet 10, 1.2)."""
    if request.method != "POST":
        return respond(None, 405, Allow="POST")
    form = {name: str(value) for name, value in request.POST.items()}
    name, address = f"oauth2 {oauth.claimed(form.get('client_assertion', ''))}", request.META.get("REMOTE_ADDR", "")
    seconds = entrance.watch.wait(name, address, time.monotonic())
    if seconds:
        held = entrance.HeldBack(seconds)
        return respond({"error": "slow_down", "error_description": str(held)}, 429, Retry_After=str(held.seconds))
    try:
        granted, good_for = oauth.grant(form)
    except oauth.NotGranted as refusal:
        wrong = refusal.code == "invalid_client"
        if wrong:
            entrance.watch.failed(name, address, time.monotonic())
            entrance.note(request, name, entrance.API, success=False)
        return respond({"error": refusal.code, "error_description": str(refusal)}, 401 if wrong else 400)
    entrance.watch.succeeded(name, address, time.monotonic())
    body = {"access_token": granted, "token_type": "Bearer", "expires_in": good_for}
    return respond(body, Cache_Control="no-store")


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: on the site with its menu, which shows everything to everybody (SYS-077)."""
    user: Any = getattr(request, "user", None)
    if not request.path.startswith("/admin/") or not getattr(user, "is_staff", False):
        return permission_denied(request, exception)
    context = {**admin.site.each_context(request), "title": gettext("Access denied"), "reason": str(exception)}
    return render(request, "admin/denied.html", context, status=403)


def demanding(permission: str, view: View) -> View:
    """`view`, for who has `permission` only."""

    def handle(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
        if not request.user.has_perm(permission):  # type: ignore[union-attr] - the site lets nobody else so far
            raise PermissionDenied
        return view(request, *arguments, **more)

    return handle


def try_login(request: HttpRequest) -> HttpResponse:
    """A login in the directory tried out step by step; nobody is signed in."""
    form = TrialForm(request.POST or None)
    steps: list[trial.Step] = []
    if request.method == "POST" and form.is_valid():
        steps = trial.run(form.cleaned_data["username"], form.cleaned_data["password"])
    context = {**admin.site.each_context(request), "title": gettext("Test LDAP login"), "form": form, "steps": steps}
    return render(request, "admin/accounts/trial.html", context)
