"""Pages of status, history and Live View, made from the same declarations as the API's resources."""

from __future__ import annotations

import dataclasses
import datetime
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any

import msgspec
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from rostra.management import languages, menu
from rostra.management import live as graph
from rostra.management.api import reading
from rostra.management.api.errors import Refused
from rostra.management.api.tables import Column, Filter, Row, Table
from rostra.management.declared import table
from rostra.management.load_pages import drawings
from rostra.management.status_actions import Button, buttons
from rostra.management.status_view import view

PAGE = 50
_DIGITS = 10
"""Of the number of a page; more is nonsense."""
GONE = _("Conference instance no longer active")
_NEVER = frozenset({"last_reported", "last_updated", "last_attempted_contact"})
_HEARD = frozenset({"last_reported", "last_attempted_contact"})
_NODE_COLUMNS = (
    *("name", "address", "system_location", "media_load", "processor_load", "max_hd_calls", "signaling_count"),
    *("maintenance_mode", "version", "last_reported", "last_updated"),
)
_STREAM_FIGURES = (
    *("codec", "bitrate", "resolution", "fps", "packets_sent", "packets_received", "packets_lost", "packet_loss"),
    *("windowed_packet_loss", "jitter"),
)
PROCESSOR = Column(
    "processor_load",
    "integer",
    gettext_noop("Share of what calls get of the processor that is in use, as measured, in percent."),
    title=gettext_noop("Processor in use"),
)
"""Of nodes; not in the API."""
_TABS = {
    ("status", "conference"): (
        ("status", "participant", "conference", "name"),
        ("status", "backplane", "conference", "name"),
    ),
    ("history", "conference"): (
        ("history", "participant", "conference", "id"),
        ("history", "backplane", "conference", "id"),
    ),
}
"""Tables on the page of a row: which, the column to compare, and the row's column with the value."""
_PLACES = (
    (menu.STATUS, "status", {"conference": "groups", "participant": "person", "conference_shard": "account_tree"}),
    (menu.STATUS, "status", {"registration_alias": "contact_phone"}),
    (menu.STATUS, "status", {"backplane": "conversion_path", "worker_vm": "dns", "system_location": "location_on"}),
    (menu.HISTORY, "history", {"conference": "groups", "participant": "person", "backplane": "conversion_path"}),
    (menu.HISTORY, "history", {"registration_alias": "contact_phone", "workervm_status_event": "event_note"}),
    (menu.HISTORY, "history", {"alarm": "notifications_paused"}),
    (menu.HISTORY, "history", {"login_history": "login"}),
)
"""Tables that have a place in the menu, in its order, with their icons."""

menu.entry(menu.STATUS, _("Live View"), "hub", "live", place=10)
for _section, _api, _names in _PLACES:
    for _name, _icon in _names.items():
        _found = table(_api, _name)
        if _found is not None:
            menu.entry(_section, _(_found.title), _icon, f"{_api}_table", _name)


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A value as a page shows it."""

    text: str
    link: str = ""
    tone: str = ""
    """`good`, `late`, `bad` or `quiet`."""
    percent: int | None = None
    """Drawn as a bar."""
    actions: tuple[Button, ...] = ()
    """Buttons instead of text."""


# ---- Live View


def live(request: HttpRequest) -> HttpResponse:
    """The page; what it draws it fetches itself."""
    return render(request, "admin/status/live.html", _context(request, gettext("Live View")) | {"words": _words()})


def _words() -> dict[str, str]:
    """What scripts say, in the language of the page."""
    return {text: gettext(text) for text in languages.of_scripts()}


def live_data(_request: HttpRequest) -> HttpResponse:
    """What there is to draw now."""
    body = msgspec.json.encode(graph.graph(view(fresh=False)))
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


# ---- tables


def table_page(request: HttpRequest, api: str, name: str) -> HttpResponse:
    """A list: filters are those of the API, `q` looks into the first text column, `p` is the page."""
    declared = _viewed(request, api, name)
    shown = _shown(declared)
    order = [one for one in request.GET.getlist("order_by") if one.removeprefix("-") in declared.orderable]
    asked = request.GET.get("p", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < _DIGITS else 1
    words = request.GET.get("q", "").strip()[:100]
    searched = next(column for column in shown if column.type == "string")
    try:
        conditions = reading.filters(declared, declared.columns, request.GET)
        if words:
            conditions.append(Filter(searched, "icontains", words))
        rows, total = declared.source.page(conditions, order or declared.default_order, (number - 1) * PAGE, PAGE)
    except Refused as refusal:
        raise Http404(str(refusal.body)) from None
    listing = {
        "heads": [_head(declared, column, request, order) for column in shown],
        "rows": [cells(declared, shown, row) for row in rows],
    }
    _add_actions(request, declared, rows, listing)
    context = _context(request, gettext(declared.title)) | {
        **listing,
        "summary": gettext(declared.summary),
        "total": total,
        "words": words,
        "searched": gettext(searched.label).lower(),
        "previous": _address(request, p=number - 1) if number > 1 else "",
        "next": _address(request, p=number + 1) if number * PAGE < total else "",
    }
    return render(request, "admin/status/table.html", context)


def row_page(request: HttpRequest, api: str, name: str, key: str) -> HttpResponse:
    """One row with all its columns and what belongs to it."""
    declared = _viewed(request, api, name)
    row = declared.source.one(key)
    back = {"title": gettext(declared.title), "link": reverse(f"admin:{api}_table", args=(name,))}
    if row is None:
        if (api, name) != ("status", "conference"):
            raise Http404
        return render(request, "admin/status/gone.html", _context(request, str(GONE)) | {"back": back}, status=404)
    columns = [column for column in declared.columns if column.type not in ("list", "many")]
    if "processor_load" in row:
        columns.insert([column.name for column in columns].index("media_load") + 1, PROCESSOR)
    values = zip(columns, cells(declared, columns, row, linked=False), strict=True)
    context = _context(request, str(row.get("display_name") or row.get("name") or row.get("alias") or row["id"])) | {
        "back": back,
        "actions": buttons(request, name, row) if api == "status" else [],
        "plots": drawings(name, row["id"], time.time()) if api == "status" else [],
        "values": [(gettext(column.label), gettext(column.help), cell) for column, cell in values],
        "tabs": [*_related(request, declared, row), *_children(declared, row)],
        "configuration": _configuration(api, name, row),
        "media": reverse("admin:media_graph", args=(key,)) if (api, name) == ("status", "conference") else "",
    }
    return render(request, "admin/status/row.html", context)


def _related(request: HttpRequest, declared: Table, row: Row) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for api, name, column, source in _TABS.get((declared.api, declared.name), ()):
        other = _declared(api, name)
        compared = other.column(column)
        if compared is None:
            raise KeyError(column)
        rows, total = other.source.page([Filter(compared, "exact", str(row[source]))], other.default_order, 0, 500)
        shown = [one for one in _shown(other) if one.name not in ("conference", "conference_name")]
        listing = _listing(gettext(other.title), other, shown, rows, total)
        _add_actions(request, other, rows, listing)
        found.append(listing)
    return found


def _add_actions(request: HttpRequest, declared: Table, rows: Sequence[Row], listing: dict[str, Any]) -> None:
    """A column of buttons, after that of the names, when there is something to do."""
    if declared.api != "status":
        return
    offered = [tuple(buttons(request, declared.name, row)) for row in rows]
    if any(offered):
        listing["heads"].insert(1, {"label": gettext("Actions")})
        for row_cells, actions in zip(listing["rows"], offered, strict=True):
            row_cells.insert(1, Cell("", actions=actions))


def _children(declared: Table, row: Row) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, (columns, children) in declared.children.items():
        rows = children(row)
        if name != "statistics":
            shown = _of_streams(columns, over=declared.api == "history")
            found.append(_listing(gettext("Media streams"), declared, shown, rows, len(rows), linked=False))
    return found


def _of_streams(columns: Sequence[Column], *, over: bool) -> list[Column]:
    """Those people look for, what is sent before what is received (sheet 07, media_stream)."""
    known = {column.name: column for column in columns}
    names = ["type", "stream_type", "start_time", *(["end_time"] if over else []), "node"]
    names += [f"{direction}_{figure}" for direction in ("tx", "rx") for figure in _STREAM_FIGURES]
    return [known[name] for name in names if name in known]


def _listing(
    title: str, declared: Table, columns: Sequence[Column], rows: list[Row], total: int, *, linked: bool = True
) -> dict[str, Any]:
    return {
        "title": title,
        "total": total,
        "heads": [{"label": gettext(column.label)} for column in columns],
        "rows": [cells(declared, columns, row, linked=linked) for row in rows],
    }


def _configuration(api: str, name: str, row: Row) -> str:
    """Address of the form of what the row is the status of."""
    forms = {"worker_vm": "configuration_workervm", "system_location": "configuration_systemlocation"}
    return reverse(f"admin:{forms[name]}_change", args=(row["id"],)) if api == "status" and name in forms else ""


# ---- values


def cells(declared: Table, columns: Sequence[Column], row: Row, *, linked: bool = True) -> list[Cell]:
    """A row of a page; the first column leads to the row's own page."""
    found = [cell(column, row[column.name], row) for column in columns]
    if linked and found:
        link = reverse(f"admin:{declared.api}_row", args=(declared.name, row["id"]))
        found[0] = dataclasses.replace(found[0], text=found[0].text or gettext("(none)"), link=link)
    return found


def cell(column: Column, value: Any, row: Row) -> Cell:
    """One value for people."""
    if value is None:
        return Cell(gettext("Never") if column.name in _NEVER else "–", tone="quiet")
    if column.name == "media_load" and not row.get("is_alive", True):
        return Cell(gettext("no contact"), tone="bad") if row["last_reported"] else Cell("–", tone="quiet")
    if column.name in ("media_load", "processor_load"):
        return Cell(f"{value:g} %", percent=int(value))
    if column.name == "duration":
        return Cell(str(datetime.timedelta(seconds=value)))
    if column.type == "related":
        return Cell(
            str(row.get("conference_name") or value), link=reverse("admin:history_row", args=(column.target, value))
        )
    if isinstance(value, bool):
        return Cell(gettext("Yes") if value else gettext("No"), tone="" if value else "quiet")
    if isinstance(value, datetime.datetime):
        return Cell(f"{value:%Y-%m-%d %H:%M:%S} (UTC)", tone=_age(value) if column.name in _HEARD else "")
    return Cell(str(value))


def _age(heard: datetime.datetime) -> str:
    """How good it is that we heard a node then (DIAG-083)."""
    minutes = (timezone.now() - heard).total_seconds() / 60
    return "good" if minutes < 2 else "late" if minutes < 5 else "bad"


# ---- small things


def _shown(declared: Table) -> list[Column]:
    names = _NODE_COLUMNS if (declared.api, declared.name) == ("status", "worker_vm") else declared.shown
    extra = {
        "address": Column("address", "string", gettext_noop("Address of the node.")),
        "processor_load": PROCESSOR,
        "duration": Column("duration", "integer", gettext_noop("How long it has been going on.")),
        "participant_count": Column("participant_count", "integer", "Calls.", title=gettext_noop("Participants")),
    }
    found = [declared.column(name) or extra[name] for name in names]
    return found or list(declared.columns)


def _head(declared: Table, column: Column, request: HttpRequest, order: list[str]) -> dict[str, str]:
    if column.name not in declared.orderable:
        return {"label": gettext(column.label)}
    down = order[:1] == [column.name]
    mark = {column.name: "ascending", f"-{column.name}": "descending"}.get(order[0], "") if order else ""
    link = _address(request, order_by=f"-{column.name}" if down else column.name, p="")
    return {"label": gettext(column.label), "link": link, "sorted": mark}


def _address(request: HttpRequest, **changes: object) -> str:
    kept = [(name, value) for name, values in request.GET.lists() if name not in changes for value in values]
    return "?" + urllib.parse.urlencode([*kept, *((name, value) for name, value in changes.items() if value != "")])


def _declared(api: str, name: str) -> Table:
    found = table(api, name)
    if found is None:
        raise Http404
    return found


def _viewed(request: HttpRequest, api: str, name: str) -> Table:
    """The table, for who may see it."""
    found = _declared(api, name)
    if not request.user.has_perm(found.viewing):  # type: ignore[union-attr] - the site lets nobody else so far
        raise PermissionDenied
    return found


def _context(request: HttpRequest, title: str) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title}
