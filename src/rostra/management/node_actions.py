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

from rostra.configuration.models import WorkerVM
from rostra.fabric.status import MoveCallsAway, Moved
from rostra.management.commands import refusal, tell_nodes

Selected = QuerySet[WorkerVM]
action: Any = admin.action


def _nodes(count: int) -> str:
    return f"{count} Conferencing Node" if count == 1 else f"{count} Conferencing Nodes"


def _confirmed(verb: str, question: str) -> Callable[[Any], Any]:
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
        "Enable maintenance mode",
        "These nodes will take no new calls and host no new conferences; calls on them go on:",
    )
    def enable_maintenance(self, request: HttpRequest, rows: Selected) -> None:
        self._maintain(request, rows, enable=True)

    @_confirmed("Disable maintenance mode", "These nodes will take calls again:")
    def disable_maintenance(self, request: HttpRequest, rows: Selected) -> None:
        self._maintain(request, rows, enable=False)

    @_confirmed(
        "Move calls away",
        "The media of every call on these nodes will be handed to other nodes. Participants notice a short "
        "interruption; nobody has to call again:",
    )
    def move_calls_away(self, request: HttpRequest, rows: Selected) -> None:
        replies = tell_nodes(rows, MoveCallsAway())
        moved = [reply.legs for reply in replies.values() if isinstance(reply, Moved)]
        if moved:
            calls = "1 call is" if sum(moved) == 1 else f"{sum(moved)} calls are"
            messages.success(request, f"{calls} being moved away from {_nodes(len(moved))}.")
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
        more = f" {_nodes(already)} had it {'already' if enable else 'not enabled'}." if already else ""
        messages.success(request, f"Maintenance mode {word} on {_nodes(len(changing))}.{more}")


def _log(request: HttpRequest, rows: Any, text: str) -> None:
    chosen: list[Any] = list(rows)
    if chosen:
        LogEntry.objects.log_actions(request.user.pk, chosen, CHANGE, change_message=text)  # type: ignore[arg-type]
