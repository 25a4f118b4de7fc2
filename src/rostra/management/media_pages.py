"""Pages that show how the media of a conference is made: a drawing and a table for each node, renewed while open."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rostra.fabric.status import MediaGraph, NotHere, Refused, TellMedia
from rostra.management import languages, media_graph, menu, status_rows
from rostra.management.media_graph import Drawing
from rostra.management.media_words import Who
from rostra.management.status import platform
from rostra.management.status_rows import Parts, View
from rostra.management.status_view import view

menu.entry(menu.STATUS, _("Media Graph"), "account_tree", "media_graphs", place=12)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What one node does, or why that is not known."""

    node: str
    drawing: Drawing | None = None
    problem: str = ""


def conferences(request: HttpRequest) -> HttpResponse:
    """Conferences that have media now."""
    now = view()
    rows = [
        {
            "name": parts[0][1].name,
            "link": reverse("admin:media_graph", args=(key,)),
            "nodes": [_name(now, node) for node, part in parts if part.media],
            "legs": sum(part.media.legs for _, part in parts if part.media),
        }
        for key, parts in status_rows.merged(now).items()
        if any(part.media for _, part in parts)
    ]
    context = {**admin.site.each_context(request), "title": gettext("Media Graph"), "rows": rows}
    return render(request, "admin/status/media_list.html", context)


def conference(request: HttpRequest, key: str) -> HttpResponse:
    """One conference; what changes is fetched again by the page (`parts`)."""
    now = view()
    parts = status_rows.merged(now).get(key, [])
    name = parts[0][1].name if parts else gettext("Conference instance no longer active")
    said = {text: gettext(text) for text in languages.of_scripts()}
    context = {"title": name, "key": key, "parts": _parts(now, key, parts), "words": said, "there": bool(parts)}
    body = {**admin.site.each_context(request), **context}
    return render(request, "admin/status/media.html", body, status=200 if parts else 404)


def parts(request: HttpRequest, key: str) -> HttpResponse:
    """The part of the page that changes."""
    now = view(fresh=False)
    found = status_rows.merged(now).get(key, [])
    response = render(request, "admin/status/media_parts.html", {"parts": _parts(now, key, found)})
    response["Cache-Control"] = "no-store"
    return response


def _parts(now: View, key: str, found: Parts) -> list[Part]:
    people = {
        who.call_uuid: Who(who.display_name or who.source_alias or who.destination_alias, who.role)
        for _, part in found
        for who in part.participants
        if who.call_uuid
    }
    carrying = [node for node, part in found if part.media]
    told: dict[str, Any] = platform().tell(carrying, TellMedia(conference=key)) if carrying else {}
    return [_part(_name(now, node), told[node], people) for node in carrying]


def _part(node: str, told: object, people: dict[str, Who]) -> Part:
    match told:
        case MediaGraph():
            return Part(node, media_graph.drawing(told, people))
        case NotHere():
            return Part(node, problem=gettext("The node has no media of this conference, or its worker does not tell."))
        case Refused(reason=reason):
            return Part(node, problem=gettext(reason))
        case _:
            return Part(node, problem=gettext("The node gave another answer than was asked for."))


def _name(now: View, node: str) -> str:
    known = now.directory.nodes.get(node)
    return known.name if known else node
