"""Regular expressions of clients end in time, and stop nobody else meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from rostra.domain.expansion import is_too_large
from rostra.domain.patterns.filters import regex_problem
from rostra.management import expressions
from rostra.management.api.errors import Refused
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Filter
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.searching import Search

ENDLESS = r"(a|a)*$"
VICTIM = "a" * 36 + "!"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "SECONDS", 0.1)
    monkeypatch.setattr(expressions, "_PAUSE", 0.0)


def test_a_search_ends_and_others_go_on() -> None:
    ticks = 0
    ended = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not ended.wait(0.001):
            ticks += 1

    other = threading.Thread(target=count)
    other.start()
    with pytest.raises(expressions.TooSlow):
        expressions.search(ENDLESS, VICTIM)
    ended.set()
    other.join(5)
    assert ticks > 3


def test_all_searches_of_a_request_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_PAUSE", 60.0)
    with pytest.raises(expressions.TooSlow):
        expressions.search(ENDLESS, VICTIM)
    with pytest.raises(expressions.TooSlow):
        expressions.search("a", "a")


def test_what_would_fill_the_memory_is_not_compiled() -> None:
    for pattern in ("((a?){5000}){5000}", "a{99999999}", "a{9{999999}"):
        assert is_too_large(pattern)
        with pytest.raises(expressions.TooSlow):
            expressions.search(pattern, "a")
    assert regex_problem("((a?){5000}){5000}")
    assert not is_too_large(r"^[0-9]{1,3}(\.[0-9]{1,3}){3}a{0,65535}$")


@pytest.mark.sqlite_only  # PostgreSQL searches itself, in a process of its own
def test_lists_of_the_api_refuse_what_takes_too_long(api: Any) -> None:
    api.create("conference", name=VICTIM, service_type="conference")
    begin = time.monotonic()
    assert api("GET", f"conference/?name__regex={ENDLESS}").status_code == 400
    assert api("GET", f"conference/?name__iregex={ENDLESS}").status_code == 400
    assert time.monotonic() - begin < 10
    assert len(api.list("conference/?name__regex=^a%2B!$")) == 1


def test_rows_in_memory_are_searched_as_long() -> None:
    column = Column("name", "string", "")
    source = MemorySource(lambda: [{"id": 1, "name": VICTIM}])
    with pytest.raises(Refused):
        source.page([Filter(column, "regex", ENDLESS)], (), 0, 10)
    assert source.page([Filter(column, "iregex", "^A+!$")], (), 0, 10)[1] == 1


@pytest.mark.sqlite_only
def test_the_administrator_log_is_searched_literally_then(browser: Client) -> None:
    AdministratorLog.objects.update(line=VICTIM)
    with pytest.raises(DatabaseError):
        list(Search(text=ENDLESS).entries())
    page = browser.get("/admin/log/administrator/", {"text": ENDLESS})
    assert page.status_code == 200
    assert b"takes too long" in page.content
