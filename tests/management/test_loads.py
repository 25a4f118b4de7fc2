"""The load of nodes and locations over time."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.fabric.peers import NodeReport
from rostra.fabric.survey import Seen
from rostra.management import loads
from rostra.management.directory import Directory, Node
from rostra.management.history.models import LoadHour
from rostra.management.history.receiving import moment
from rostra.management.loads import LOCATION, NODE, Loads, Sample

NOON = 1_700_049_600.0


def configured(number: int, location: int, *, maintenance: bool = False) -> Node:
    return Node(number, f"node{number}", f"10.0.0.{number}", "", location, "CONFERENCING", maintenance, "")


def heard(number: int, used: int, *, alive: bool = True) -> tuple[str, Seen]:
    report = NodeReport(node=f"n{number}", boot="b", capacity=120, used=used)
    return f"n{number}", Seen(report=report, alive=alive, ago=0.0)


@pytest.mark.spec("DIAG-086", "DIAG-088", "DIAG-089")
def test_figures_are_those_of_status() -> None:
    nodes = {f"n{number}": configured(number, 1, maintenance=number == 2) for number in (1, 2, 3)}
    nodes["n4"] = configured(4, 3)
    directory = Directory(nodes, {1: "Oslo", 2: "Empty", 3: "Silent"})
    found = loads.measure(directory, dict([heard(1, 30), heard(2, 0), heard(3, 0, alive=False)]), NOON)
    assert found[NODE, 1] == Sample(NOON, 25, 30, 120)
    assert found[NODE, 2].percent == 100  # in maintenance mode
    assert (NODE, 3) not in found  # silent: a gap
    assert found[LOCATION, 1] == Sample(NOON, 62, 30, 240)
    assert found[LOCATION, 2].percent == 100  # without nodes
    assert (LOCATION, 3) not in found


def test_an_hour_is_remembered() -> None:
    kept = Loads()
    for minutes in (0, 30, 59):
        kept.remember({(NODE, 1): Sample(NOON + 60 * minutes, minutes)}, NOON + 60 * minutes)
    assert [sample.percent for sample in kept.recent(NODE, 1)] == [0, 30, 59]
    kept.remember({(NODE, 2): Sample(NOON + 4200, 7)}, NOON + 4200)
    assert [sample.percent for sample in kept.recent(NODE, 1)] == [30, 59]
    kept.remember({}, NOON + 4200 + 3600)
    assert kept.recent(NODE, 1) == kept.recent(NODE, 2) == ()


@pytest.mark.every_database
@pytest.mark.spec("DIAG-087", "DIAG-090")
def test_hours_are_averages_and_outlive_the_process(database: Path) -> None:
    for minutes, used in ((0, 30), (30, 90), (60, 12)):
        percent = 100 * used / 120
        loads.store({(NODE, 1): Sample(0, percent, used, 120), (LOCATION, 1): Sample(0, 5)}, NOON + 60 * minutes)
    assert loads.hours(NODE, 1, moment(NOON)) == [
        Sample(NOON, 50.0, 60.0, 120.0),
        Sample(NOON + 3600, 10.0, 12.0, 120.0),
    ]
    assert len(loads.hours(NODE, 1, moment(NOON + 1))) == 1
    assert [one.percent for one in loads.hours(LOCATION, 1, moment(0))] == [5.0, 5.0]
    weeks = datetime.timedelta(days=28).total_seconds()
    loads.store({(NODE, 1): Sample(0, 0)}, NOON + weeks + 3600)
    assert list(LoadHour.objects.filter(kind=NODE).values_list("hour", flat=True)) == [
        moment(NOON + 3600),
        moment(NOON + weeks + 3600),
    ]


def test_samples_are_of_what_is_configured(database: Path) -> None:
    node, place = WorkerVM.objects.get(), SystemLocation.objects.get()
    taken = Loads()
    taken.take(dict([heard(node.pk, 60), heard(node.pk + 1, 1)]), NOON)
    assert taken.recent(NODE, node.pk) == (Sample(NOON, 50, 60, 120),)
    assert taken.recent(LOCATION, place.pk) == (Sample(NOON, 50, 60, 120),)
    assert taken.recent(NODE, node.pk + 1) == ()
    assert LoadHour.objects.count() == 2
