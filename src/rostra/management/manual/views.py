"""The manual's pages, for everybody who is signed in."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.safestring import mark_safe

from rostra.management.manual import places, reading

_LONGEST = 200
"""Characters of a search."""


def urls(view: Any) -> list[Any]:
    """Addresses of the manual; `view` lets nobody in who is not signed in."""
    return [
        path("manual/", view(start), name="manual"),
        path("manual/search/", view(search), name="manual_search"),
        path("manual/<path:name>", view(show), name="manual_page"),
    ]


def link(path: str) -> str:
    """Where the manual tells of the site's page at `path`."""
    name, _, where = places.section(path).partition("#")
    return reverse("admin:manual_page", args=(name,)) + (f"#{where}" if where else "")


def start(request: HttpRequest) -> HttpResponse:
    """To the first page."""
    return redirect("admin:manual_page", places.START)


def show(request: HttpRequest, name: str) -> HttpResponse:
    """A page, or a picture in one."""
    file = reading.file(name)
    if file is not None and file.suffix in reading.PICTURES:
        return HttpResponse(file.read_bytes(), content_type=reading.PICTURES[file.suffix])
    page = reading.page(name)
    if page is None:
        raise Http404
    body = mark_safe(page.body)  # noqa: S308 - made of our own files, in which HTML is text
    return render(request, "admin/manual/page.html", {**_frame(name), "page": page, "body": body})


def search(request: HttpRequest) -> HttpResponse:
    """Sections that have what is looked for."""
    words = request.GET.get("q", "")[:_LONGEST]
    return render(request, "admin/manual/search.html", {**_frame(""), "words": words, "found": reading.search(words)})


def _frame(name: str) -> dict[str, Any]:
    return {"contents": reading.contents(), "here": name}
