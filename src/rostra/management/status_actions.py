"""What an administrator can do with conferences and participants on their pages: the commands of the API."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from rostra.management.accounts.permissions import CONTROL
from rostra.management.api.tables import Row
from rostra.management.api.tableviews import note
from rostra.management.commands import Failed, parameters
from rostra.management.declared import command, table


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done with a row of a table."""

    name: str
    """In the address; `dial` and `transfer` have pages of their own (`dialpages`)."""
    label: Any
    done: Any
    """Told afterwards; `{}` is the row's name."""
    command: str = ""
    """Empty: that of the action's name."""
    role: str = ""
    offered: Callable[[Row], bool] = lambda _: True
    """Is there something to do?"""
    question: Any = ""
    """Asked before, where something is lost; `{}` is the row's name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Button:
    """An action as a page shows it."""

    label: Any
    link: str
    loss: bool


_ACTIONS: dict[str, tuple[Action, ...]] = {
    "conference": (
        Action("lock", gettext_lazy("Lock"), gettext_lazy("{} is locked."), offered=lambda row: not row["is_locked"]),
        Action("unlock", gettext_lazy("Unlock"), gettext_lazy("{} is unlocked."), offered=lambda row: row["is_locked"]),
        Action(
            "mute_guests",
            gettext_lazy("Mute Guests"),
            gettext_lazy("Guests of {} are muted."),
            offered=lambda row: not row["guests_muted"],
        ),
        Action(
            "unmute_guests",
            gettext_lazy("Unmute Guests"),
            gettext_lazy("Guests of {} may be heard."),
            offered=lambda row: row["guests_muted"],
        ),
        Action(
            "dial",
            gettext_lazy("Dial out"),
            "",
            offered=lambda row: row["service_type"] in ("conference", "lecture"),
        ),
        Action(
            "disconnect",
            gettext_lazy("Disconnect all"),
            gettext_lazy("{} has ended."),
            question=gettext_lazy("All participants of {} will be disconnected. The conference ends for everybody."),
        ),
    ),
    "participant": (
        Action(
            "unlock",
            gettext_lazy("Let in"),
            gettext_lazy("{} is let in."),
            offered=lambda row: row["service_type"] == "waiting_room",
        ),
        Action("mute", gettext_lazy("Mute"), gettext_lazy("{} is muted."), offered=lambda row: not row["is_muted"]),
        Action("unmute", gettext_lazy("Unmute"), gettext_lazy("{} may be heard."), offered=lambda row: row["is_muted"]),
        Action(
            "host",
            gettext_lazy("Make Host"),
            gettext_lazy("{} is a Host."),
            "role",
            "chair",
            offered=lambda row: row["role"] != "chair",
        ),
        Action(
            "guest",
            gettext_lazy("Make Guest"),
            gettext_lazy("{} is a Guest."),
            "role",
            "guest",
            offered=lambda row: row["role"] != "guest",
        ),
        Action(
            "disconnect",
            gettext_lazy("Disconnect"),
            gettext_lazy("{} is disconnected."),
            offered=lambda row: row["is_disconnect_supported"],
            question=gettext_lazy("{} will be disconnected."),
        ),
        Action(
            "transfer",
            gettext_lazy("Transfer"),
            "",
            offered=lambda row: row["is_transfer_supported"],
        ),
    ),
}


def buttons(request: HttpRequest, name: str, row: Row) -> list[Button]:
    """What who looks may do with a row of the status table `name` now."""
    user: Any = request.user
    if name not in _ACTIONS or not user.has_perm(CONTROL):
        return []
    return [
        Button(one.label, reverse("admin:status_action", args=(name, row["id"], one.name)), bool(one.question))
        for one in _ACTIONS[name]
        if one.offered(row)
    ]


def title(row: Row) -> str:
    """What a row is called."""
    return str(row.get("display_name") or row.get("participant_alias") or row.get("name") or row["id"])


@require_POST
def act(request: HttpRequest, name: str, key: str, action: str) -> HttpResponse:
    """Carry out an action, after a question where something is lost; for who may control conferences."""
    chosen = next((one for one in _ACTIONS.get(name, ()) if one.name == action), None)
    declared = table("status", name)
    if chosen is None or declared is None:
        raise Http404
    row = declared.source.one(key)
    if row is None:
        messages.error(request, gettext("It has ended in the meantime."))
    elif chosen.question and request.POST.get("confirmed") != "yes":
        question = chosen.question.format(title(row))
        context = {"title": chosen.label, "verb": chosen.label, "question": question, "back": _back(request, name)}
        return render(request, "admin/status/sure.html", {**admin.site.each_context(request), **context})
    else:
        _carry_out(request, name, chosen, row)
    return redirect(_back(request, name))


def _carry_out(request: HttpRequest, name: str, action: Action, row: Row) -> None:
    given = command(name, action.command or action.name)
    if given is None:
        raise Http404
    values = parameters(given, {f"{name}_id": row["id"], "role": action.role})
    note(given, values)
    try:
        given.run(values)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    except Failed as failure:
        messages.error(request, str(failure))
    else:
        messages.success(request, action.done.format(title(row)))


def _back(request: HttpRequest, name: str) -> str:
    """The page it was done on; never one of somebody else's."""
    wanted = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if safe and wanted.startswith("/admin/") else reverse("admin:status_table", args=(name,))
