"""What the pages of nodes and locations draw of their load."""

from __future__ import annotations

from django.utils.translation import gettext

from rostra.management import loads, plots
from rostra.management.history.receiving import moment
from rostra.management.loads import KEPT, RECENT
from rostra.management.plots import Plot, Span
from rostra.management.status import platform

_DAY = 86400.0
_HOUR = 3600.0


def drawings(name: str, number: int, now: float) -> list[Plot]:
    """Of a row of the status table `name`: the last hour, and four weeks of a node or seven days of a location."""
    if name not in (loads.NODE, loads.LOCATION):
        return []
    recent = platform().loads.recent(name, number)
    hour = Span(now - RECENT, now, loads.PERIOD, 900, "%H:%M")
    found = [plots.percent(gettext("Media load, last hour"), recent, hour)]
    if name == loads.NODE:
        weeks = Span(now - KEPT.total_seconds(), now, _HOUR, 7 * _DAY, "%d %b")
        return [*found, plots.percent(gettext("Media load, last 4 weeks"), _hours(name, number, weeks), weeks)]
    week = Span(now - 7 * _DAY, now, _HOUR, _DAY, "%d %b")
    return [*found, plots.connections(gettext("Connections, last 7 days"), _hours(name, number, week), week)]


def _hours(name: str, number: int, span: Span) -> list[loads.Sample]:
    return loads.hours(name, number, moment(span.since))
