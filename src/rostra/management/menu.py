"""The menu of the site. Whoever has a page says where it is found; every entry is shown to everybody (SYS-077)."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
STATUS, HISTORY = "Status", "History & Logs"

SECTIONS: dict[str, Text] = {
    STATUS: _("Status"),
    HISTORY: _("History & Logs"),
    "Services": _("Services"),
    "Call Control": _("Call Control"),
    "Users & Devices": _("Users & Devices"),
    "Platform": _("Platform"),
    "System": _("System"),
    "Certificates": _("Certificates"),
    "Themes": _("Themes"),
    "Utilities": _("Utilities"),
}
"""Sections in their order, and what they are called."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu."""

    section: str
    title: Text
    icon: str
    """Name of a Material symbol."""
    url: str
    """Name of the page among the site's addresses, and what it takes."""
    arguments: tuple[str, ...] = ()
    place: int = 50
    """Lower ones come first; equal ones in the order they were added."""

    @property
    def link(self) -> str:
        return reverse(f"admin:{self.url}", args=self.arguments)


_entries: dict[tuple[str, tuple[str, ...]], Entry] = {}


def entry(section: str, title: Text, icon: str, url: str, *arguments: str, place: int = 50) -> None:
    """Put a page into the menu; KeyError for a section that is not there."""
    if section not in SECTIONS:
        raise KeyError(section)
    _entries[url, arguments] = Entry(section, title, icon, url, arguments, place)


def entries() -> list[tuple[str, list[Entry]]]:
    """Sections and their entries in the order they are shown."""
    found: dict[str, list[Entry]] = {name: [] for name in SECTIONS}
    for one in sorted(_entries.values(), key=lambda one: one.place):
        found[one.section].append(one)
    return [(name, lines) for name, lines in found.items() if lines]


def navigation(_request: HttpRequest) -> list[dict[str, Any]]:
    """The menu as the site's sidebar takes it."""
    home = {"title": _("Dashboard"), "icon": "dashboard", "link": reverse("admin:index")}
    return [
        {"items": [home]},
        *(
            {
                "title": str(SECTIONS[name]),
                "collapsible": True,
                "items": [{"title": str(one.title), "icon": one.icon, "link": one.link} for one in lines],
            }
            for name, lines in entries()
        ),
    ]


def search(words: str) -> list[Entry]:
    """Entries whose title, or whose section's, has these words in it."""
    wanted = words.casefold().split()
    return [
        one
        for name, lines in entries()
        for one in lines
        if all(word in f"{SECTIONS[name]} {one.title}".casefold() for word in wanted)
    ]
