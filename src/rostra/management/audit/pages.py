"""The pages of the administrator log."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rostra.configuration import orm
from rostra.configuration.resources import register
from rostra.management import menu
from rostra.management.audit.actor import API, COMMAND_LINE, CSV, PLATFORM, SITE
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.searching import Search

VIEW = "view_logs"
"""The permission it takes."""
PAGE = 100
MOST_EXPORTED = 100_000
"""Newest entries that a download has."""
_COLUMNS = ("time", "user", "address", "way", "message", "resource", "object_id", "object_name", "changes", "line")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
menu.entry(menu.HISTORY, _("Administrator log"), "history_edu", "administrator_log", place=60)


def entries(request: HttpRequest) -> HttpResponse:
    """The newest entries that are looked for; `before`: older ones than this."""
    search = Search.of(request.GET.dict())
    before = request.GET.get("before", "")
    known = before.isdecimal() and len(before) < 19
    rows, problem = search.newest(PAGE + 1, int(before) if known else None)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Administrator log"),
        "search": search,
        "problem": problem,
        "rows": rows[:PAGE],
        "resources": _resources(),
        "ways": (SITE, API, CSV, COMMAND_LINE, PLATFORM),
        "older": _address(request, before=rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        "newest": _address(request) if before else "",
        "query": _address(request),
        "most": MOST_EXPORTED,
    }
    return render(request, "admin/audit/entries.html", context)


def entry(request: HttpRequest, key: int) -> HttpResponse:
    """One entry with what changed."""
    row = AdministratorLog.objects.filter(pk=key).first()
    if row is None:
        raise Http404
    context = {
        **admin.site.each_context(request),
        "title": gettext(row.message),
        "entry": row,
        "kind": _resources().get(row.resource, row.resource),
        "form": _form(row),
        "deleted": row.message == "Configuration deleted",
    }
    return render(request, "admin/audit/entry.html", context)


def download(request: HttpRequest, form: str) -> HttpResponse:
    """What is looked for as a file: lines of text (`log`), or CSV with the changes (`csv`)."""
    if form not in ("log", "csv"):
        raise Http404
    rows: Iterable[Any] = reversed(Search.of(request.GET.dict()).newest(MOST_EXPORTED)[0])
    name, kind, body = (
        ("administrator.log", "text/plain", "".join(f"{row.line}\n" for row in rows))
        if form == "log"
        else ("administrator-log.csv", "text/csv", _csv(rows))
    )
    return HttpResponse(
        body,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _csv(rows: Iterable[Any]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        values = {name: getattr(row, name) for name in _COLUMNS}
        values |= {"time": row.time.isoformat(timespec="milliseconds"), "changes": _told(row.changes)}
        writer.writerow([_safe(str(value)) for value in values.values()])
    return text.getvalue()


def _told(changes: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{one['field']}: changed" if one.get("secret") else f"{one['field']}: {one['before']} → {one['after']}"
        for one in changes
    )


def _safe(text: str) -> str:
    """What no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _resources() -> dict[str, str]:
    """Names of what can change, by the resource's name on the wire."""
    found = {resource.name: str(orm.meta(resource.model).verbose_name) for resource in register}
    found = {name: title[:1].upper() + title[1:] for name, title in ({"account": gettext("Account")} | found).items()}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _form(row: AdministratorLog) -> str:
    """Address of the form of the object, if there is one still."""
    resource = register.get(row.resource)
    if resource is None or not orm.rows(resource.model).filter(pk=row.object_id).exists():
        return ""
    meta = orm.meta(resource.model)
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.object_id,))
    except NoReverseMatch:
        return ""


def _address(request: HttpRequest, **more: object) -> str:
    kept = request.GET.copy()
    kept.pop("before", None)
    for name, value in more.items():
        kept[name] = str(value)
    return "?" + kept.urlencode()
