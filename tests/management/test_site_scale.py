"""Lists of the site with many rows: what a page costs does not depend on how many there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rostra.configuration.models import Conference

from . import many

ROOMS = "/admin/configuration/conference/"
ALIASES = "/admin/configuration/conferencealias/"
PAGES = (
    *(ROOMS, f"{ROOMS}?q=room", f"{ROOMS}?q=room+7", f"{ROOMS}?o=-3", f"{ROOMS}?allow_guests__exact=0", ALIASES),
    *(f"{ALIASES}?q=example", f"{ALIASES}?o=2", f"{ROOMS}1/change/", f"{ALIASES}1/change/"),
    *("/admin/configuration/automaticparticipant/add/", "/admin/configuration/ivrtheme/1/change/", "/admin/"),
)


def statements(browser: Any, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(path).status_code == 200, path
    return [query["sql"] for query in queries.captured_queries]


@pytest.mark.every_database
def test_pages_take_as_many_statements_for_thousands_as_for_a_few(browser: Any) -> None:
    many.rooms(60)
    few = {path: len(statements(browser, path)) for path in PAGES}
    Conference.objects.filter(name__startswith="room").delete()
    many.rooms(3000)
    for path in PAGES:
        seen = statements(browser, path)
        assert len(seen) <= few[path] + 2, (path, seen)  # beyond a thousand rows they are counted
        assert max(few[path], 0) <= (70 if path == "/admin/" else 14), (path, seen)
        whole = [sql for sql in seen if "conference" in sql and "SELECT" in sql and "WHERE" not in sql]
        assert all("LIMIT" in sql or "COUNT" in sql for sql in whole), (path, whole)


def test_a_page_shows_its_rows_in_their_order(browser: Any) -> None:
    many.rooms(1200)
    for order, first, last in (("", "room 51<", "room 100<"), ("&o=-1", "room 953<", "room 909<")):
        page = browser.get(f"{ROOMS}?q=room{order}&p=2").content.decode()
        assert page.index(first) < page.index(last)
        assert page.count('name="_selected_action"') == 50
    few = browser.get(f"{ROOMS}?q='room+119'&o=-1").content.decode()
    assert few.index("room 1199<") < few.index("room 1190<") < few.index("room 119<")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("17@rooms", ["room 17"]),
        ("'room 17'", ["room 17"]),
        ("17 ROOM", ["room 17"]),
        ("nothing", []),
        ("%", []),
    ],
)
def test_searches_look_at_names_and_aliases(browser: Any, words: str, found: list[str]) -> None:
    many.rooms(20)
    page = browser.get(ROOMS, {"q": words}).content.decode()
    assert [name for name in (f"room {n}" for n in range(1, 21)) if f"{name}<" in page] == found
