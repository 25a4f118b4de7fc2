"""Drawings of load, and the pages that show them."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.management import loads, plots
from rostra.management.loads import Sample
from rostra.management.plots import Span

from .test_status_pages import Made, made  # noqa: F401 - a fixture

SPAN = Span(1000, 2000, 100, 500, "%H:%M")


def test_lines_go_from_corner_to_corner_and_break_where_nothing_is_known() -> None:
    drawn = plots.percent(
        "Load", [Sample(at, load) for at, load in ((1000, 0), (1100, 50), (1900, 100), (2000, 100))], SPAN
    )
    assert drawn.lines[0].path == "M0.0 160.0L0.0 160.0L72.0 80.0M648.0 0.0L648.0 0.0L720.0 0.0"
    assert drawn.rows[0] == (160, "0")
    assert drawn.rows[-1] == (0, "100")
    assert drawn.ticks == ((0, "00:16"), (360, "00:25"), (720, "00:33"))
    assert drawn.summary == "Last 100 %, highest 100 %."
    assert plots.percent("Load", [Sample(900, 10)], SPAN).lines[0].path == ""
    assert plots.percent("Load", [], SPAN).summary == "Nothing was measured."


@pytest.mark.spec("DIAG-090")
def test_what_is_used_is_drawn_against_what_would_be_possible() -> None:
    drawn = plots.connections("Calls", [Sample(1000, 25, 60, 240), Sample(1100, 50, 120, 240)], SPAN)
    most, used = drawn.lines
    assert (most.name, used.name) == ("Maximum possible", "In use")
    assert drawn.rows[-1] == (0, "300")
    assert most.path == "M0.0 32.0L0.0 32.0L72.0 32.0"
    assert used.path == "M0.0 128.0L0.0 128.0L72.0 96.0"
    assert drawn.summary == "Last 120 audio connections, highest 120 audio connections."
    assert plots.connections("Calls", [], SPAN).rows[-1] == (0, "4")


@pytest.mark.spec("DIAG-087", "DIAG-088", "PLAT-144")
def test_pages_of_nodes_and_locations_show_their_load(browser: Any, made: Made) -> None:  # noqa: F811
    node, place, now = WorkerVM.objects.get(), SystemLocation.objects.get(), time.time()
    subjects = ((loads.NODE, node.pk), (loads.LOCATION, place.pk))
    made.loads.remember({subject: Sample(now - 60, 40, 48, 120) for subject in subjects}, now)
    for hours in (200, 2, 1):
        loads.store({subject: Sample(0, 70, 84, 120) for subject in subjects}, now - hours * 3600)
    for name, key, lines in ((loads.NODE, node.pk, 2), (loads.LOCATION, place.pk, 3)):
        page = browser.get(f"/admin/status/{name}/{key}/").content.decode()
        assert "Last 40 %, highest 40 %." in page
        assert len(re.findall(r'<path d="M', page)) == lines
        assert ("Media load, last 4 weeks" in page) == (name == loads.NODE)
        assert ("Maximum possible" in page) == (name == loads.LOCATION)
    assert "Last 70 %" in browser.get(f"/admin/status/worker_vm/{node.pk}/").content.decode()
    assert "Last 84 audio connections" in browser.get(f"/admin/status/system_location/{place.pk}/").content.decode()
    assert "rs-plot" not in browser.get("/admin/status/management_vm/1/").content.decode()
