"""The first page: what matters at a glance. Everybody sees of it what he may see elsewhere."""

from __future__ import annotations

import dataclasses
import datetime
import time
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rostra.configuration import orm
from rostra.configuration.models import AutomaticParticipant, Conference, ConferenceAlias, Device, GatewayRoutingRule
from rostra.configuration.resources import register
from rostra.domain.licensing import LicenceKind
from rostra.management import live, load_pages, loads
from rostra.management.alarms.catalogue import KINDS as KINDS_OF_ALARMS
from rostra.management.alarms.tables import up
from rostra.management.api import access
from rostra.management.backups.models import SystemBackup
from rostra.management.licences.status import figures
from rostra.management.services import KINDS
from rostra.management.status_view import view

GOOD, LATE, BAD, QUIET = "good", "late", "bad", "quiet"
_UP = ("normal", "maintenance")
_STATES = {
    "normal": (GOOD, gettext_noop("In service")),
    "maintenance": (LATE, gettext_noop("In maintenance")),
    "lost": (LATE, gettext_noop("Lost")),
    "not_reporting": (BAD, gettext_noop("Does not report")),
    "never": (QUIET, gettext_noop("Never heard of")),
}
_SHOWN = 8
"""Nodes and alarms that the page names."""
_PLOTTED = 2
"""Locations whose load is drawn."""
OLD = datetime.timedelta(days=30)
"""Age of the last backup from which it is worth a look."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """A figure, and where there is more about it."""

    title: str
    value: str
    link: str
    tone: str = ""
    note: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows."""
    user: Any = request.user
    context["tiles"] = []
    if user.has_perm("view_status"):
        graph = live.graph(view(fresh=False))
        nodes = sorted(graph["nodes"], key=lambda node: (node["state"] in _UP, -node["load"], node["name"]))
        alarms = list(up()[: _SHOWN + 1])
        context["tiles"] = _now(graph, len(alarms))
        context["nodes"] = [
            {**node, "tone": _STATES[node["state"]][0], "said": _state(node)} for node in nodes[:_SHOWN]
        ]
        context["more_nodes"] = max(0, len(nodes) - _SHOWN)
        context["alarms"] = [(_title(alarm), alarm) for alarm in alarms[:_SHOWN]]
        context["plots"] = _plots(graph["locations"])
    if user.has_perm("backups.view_systembackup"):
        context["tiles"].append(_backup())
    context["services"] = _services(user)
    return context


def _state(node: dict[str, Any]) -> str:
    return _(_STATES[node["state"]][1])


def _title(alarm: Any) -> str:
    kind = KINDS_OF_ALARMS.get(alarm.name)
    return _(kind.title) if kind is not None else alarm.name


def _now(graph: dict[str, Any], alarms: int) -> list[Tile]:
    nodes = graph["nodes"]
    in_contact = sum(node["state"] in _UP for node in nodes)
    people = sum(len(one["people"]) for one in graph["conferences"])
    pool, used = figures()
    ports = used.get(LicenceKind.PORT, 0)
    limit = f"{ports} / {pool.port}" if pool.counted else _("unlimited")
    full = pool.counted and ports >= pool.port
    return [
        Tile(
            _("Nodes reached"),
            f"{in_contact} / {len(nodes)}",
            _table("worker_vm"),
            GOOD if in_contact == len(nodes) else BAD,
        ),
        Tile(_("Conferences"), str(len(graph["conferences"])), _table("conference")),
        Tile(_("Participants"), str(people), _table("participant")),
        Tile(
            _("Alarms"), f"{_SHOWN}+" if alarms > _SHOWN else str(alarms), reverse("admin:alarms"),
            BAD if alarms else GOOD,
        ),
        Tile(_("Licenses"), limit, reverse("admin:licences_licence_changelist"), LATE if full else ""),
    ]  # fmt: skip


def _table(name: str) -> str:
    return reverse("admin:status_table", args=(name,))


def _backup() -> Tile:
    newest = SystemBackup.objects.exclude(date=None).order_by("-date").first()
    link = reverse("admin:backups")
    if newest is None or newest.date is None:
        return Tile(_("Last backup"), _("none"), link, LATE)
    old = timezone.now() - newest.date > OLD
    return Tile(_("Last backup"), f"{newest.date:%Y-%m-%d}", link, LATE if old else GOOD)


def _plots(locations: list[dict[str, Any]]) -> list[Any]:
    """Load of the busiest locations during the last hour."""
    busiest = sorted(locations, key=lambda one: (-one["load"], one["name"]))[:_PLOTTED]
    now = time.time()
    return [
        (one["name"], drawn[0]) for one in busiest if (drawn := load_pages.drawings(loads.LOCATION, one["id"], now))
    ]


def _services(user: Any) -> list[dict[str, Any]]:
    """How many there are of what can be dialled, for who may see it."""
    found: list[dict[str, Any]] = []
    if access.may(user, "GET", register.of(Conference)):
        for kind in KINDS:
            rows = Conference.objects.filter(service_type=kind.service_type)
            found.append(_count(kind.model, rows.count(), kind.icon))
    for model in (ConferenceAlias, AutomaticParticipant, GatewayRoutingRule, Device):
        declared = register.of(model)
        if access.may(user, "GET", declared):
            found.append(_count(model, orm.rows(model).count(), declared.icon))
    return found


def _count(model: Any, count: int, icon: str) -> dict[str, Any]:
    meta = orm.meta(model)
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return {"title": meta.verbose_name_plural, "count": count, "icon": icon, "link": link}
