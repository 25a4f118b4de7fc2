"""What an administrator can do with several Conferencing Nodes of the list at once (CLOUD-055, NODE-126)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy, ngettext

from rostra.configuration.models import WorkerVM
from rostra.fabric.status import MoveCallsAway, Moved
from rostra.management.commands import refusal, tell_nodes

Selected = QuerySet[WorkerVM]
action: Any = admin.action


def _nodes(count: int) -> str:
    return ngettext("%(count)d Conferencing Node", "%(count)d Conferencing Nodes", count) % {"count": count}


def _confirmed(verb: Any, question: Any) -> Callable[[Any], Any]:
    """Ask before the action is carried out."""

    def wrap(act: Callable[[Any, HttpRequest, Selected], None]) -> Any:
        @action(description=verb, permissions=["change"])
        def ask(page: Any, request: HttpRequest, rows: Selected) -> Any:
            if request.POST.get("confirmed") == "yes":
                act(page, request, rows)
                return None
            context = {
                **admin.site.each_context(request),
                "title": verb,
                "question": question,
                "verb": verb,
                "rows": rows,
                "action": act.__name__,
            }
            return render(request, "admin/status/confirm.html", context)

        ask.__name__ = act.__name__
        return ask

    return wrap


class NodeActions:
    """Mixed into the admin class of Conferencing Nodes."""

    actions: ClassVar[Any] = ("enable_maintenance", "disable_maintenance", "move_calls_away")

    @_confirmed(
        gettext_lazy("Enable maintenance mode"),
        gettext_lazy("These nodes will take no new calls and host no new conferences; calls on them go on:"),
    )
    def enable_maintenance(self, request: HttpRequest, rows: Selected) -> None:
        self._maintain(request, rows, enable=True)

    @_confirmed(gettext_lazy("Disable maintenance mode"), gettext_lazy("These nodes will take calls again:"))
    def disable_maintenance(self, request: HttpRequest, rows: Selected) -> None:
        self._maintain(request, rows, enable=False)

    @_confirmed(
        gettext_lazy("Move calls away"),
        gettext_lazy(
            "The media of every call on these nodes will be handed to other nodes. Participants notice a short "
            "interruption; nobody has to call again:"
        ),
    )
    def move_calls_away(self, request: HttpRequest, rows: Selected) -> None:
        replies = tell_nodes(rows, MoveCallsAway())
        moved = [reply.legs for reply in replies.values() if isinstance(reply, Moved)]
        if moved:
            said = ngettext(
                "%(count)d call is being moved away from %(nodes)s.",
                "%(count)d calls are being moved away from %(nodes)s.",
                sum(moved),
            )
            messages.success(request, said % {"count": sum(moved), "nodes": _nodes(len(moved))})
        for name, reply in replies.items():
            if not isinstance(reply, Moved):
                messages.error(request, f"{name}: {refusal(reply)}")
        _log(request, rows, "Moved calls away.")

    def _maintain(self, request: HttpRequest, rows: Selected, *, enable: bool) -> None:
        changing = list(rows.exclude(maintenance_mode=enable))
        with transaction.atomic():
            for row in changing:
                row.maintenance_mode = enable
                row.save(update_fields=["maintenance_mode"])
        word = "enabled" if enable else "disabled"
        _log(request, changing, f"Maintenance mode {word}.")
        already = rows.count() - len(changing)
        done = gettext("Maintenance mode enabled on %s.") if enable else gettext("Maintenance mode disabled on %s.")
        rest = gettext("%s had it already.") if enable else gettext("%s had it not enabled.")
        messages.success(request, done % _nodes(len(changing)) + (" " + rest % _nodes(already) if already else ""))


def _log(request: HttpRequest, rows: Any, text: str) -> None:
    chosen: list[Any] = list(rows)
    if chosen:
        LogEntry.objects.log_actions(request.user.pk, chosen, CHANGE, change_message=text)  # type: ignore[arg-type]
