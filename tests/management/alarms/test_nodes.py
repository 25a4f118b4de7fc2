"""Alarms about Conferencing Nodes, from their reports and their events."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.domain import history as domain
from rostra.fabric.peers import NodeReport
from rostra.fabric.survey import Seen
from rostra.management import status
from rostra.management.alarms import checks, nodes
from rostra.management.alarms.models import Alarm
from rostra.management.alarms.nodes import LASTING, Burden, Facts, Progress, astray, lost, unused_bursting
from rostra.management.audit.models import AdministratorLog
from rostra.management.directory import Directory, Node
from rostra.management.history.models import NodeContact
from rostra.management.history.receiving import moment, store
from tests.management.test_history import joined, records

NOW = 1_900_000_000.0
DIRECTORY = Directory({"n1": Node(1, "lon1", "10.0.0.1", "", 1, "CONFERENCING", False, "")}, {1: "London"})


def facts(now: float = NOW, *, ago: float | None = 0.2, position: int = 5, newest: int = 5, **more: Any) -> Facts:
    """One node, heard `ago` seconds before `now`, or not at all."""
    report = NodeReport(node="n1", boot="b", position=position, time=more.get("clock", now - (ago or 0)))
    heard = {} if ago is None else {"n1": Seen(report=report, alive=ago < 2, ago=ago)}
    return Facts(now, DIRECTORY, heard, more.get("contacts", {}), newest)


@pytest.mark.spec("DIAG-114")
def test_connectivity_is_lost_after_10_seconds() -> None:
    assert lost(facts(ago=9.9)) == []
    (alarm,) = lost(facts(ago=10.0))
    assert (alarm.name, alarm.node) == ("connectivity_lost", "10.0.0.1")
    assert lost(facts(ago=None)) == [], "never heard: not deployed yet"
    assert lost(facts(ago=None, contacts={"n1": NOW - 3600})), "silent since before our start"
    assert lost(facts(ago=None, contacts={"n1": NOW - 5})) == []


@pytest.mark.spec("DIAG-103")
@pytest.mark.parametrize(("difference", "wrong"), [(0.0, False), (2.9, False), (3.1, True), (-60.0, True)])
def test_a_clock_that_differs_from_ours(difference: float, wrong: bool) -> None:
    found = astray(facts(clock=NOW - 0.2 + difference))
    assert [alarm.name for alarm in found] == ["ntp_not_synchronised"] * wrong
    assert astray(facts(ago=30.0, clock=NOW + 1000)) == [], "a silent node's clock is not known"


@pytest.mark.spec("DIAG-113")
def test_configuration_is_not_synchronized_after_two_minutes() -> None:
    assert Progress().behind(facts(ago=119.0)) == []
    assert [one.name for one in Progress().behind(facts(ago=120.0))] == ["configuration_sync_failure"]
    progress = Progress()
    steps = (
        (0, 5, False),
        (119, 5, False),
        (120, 5, True),
        (121, 6, False),  # it took one
        (240, 6, False),
        (241, 6, True),
        (242, 9, False),  # it has all of them
        (300, 9, False),
    )
    for after, position, up in steps:
        found = progress.behind(facts(NOW + after, position=position, newest=9))
        assert bool(found) == up, after


def test_a_node_that_is_busier_than_its_calls_explain() -> None:
    """80 % of two cores are for calls, so 1.6 of them are all there is."""
    burden = Burden()
    steps = (
        (0, 1.4, 60, False),  # 88 % busy, 50 % booked
        (LASTING - 1, 1.4, 60, False),
        (LASTING, 1.4, 60, True),
        (LASTING + 1, 1.4, 90, False),  # 75 % booked: that explains it
        (LASTING + 2, 0.8, 0, False),  # half of it is nothing to worry about
        (LASTING + 3, 1.4, 60, False),
        (2 * LASTING + 3, 1.4, 60, True),
    )
    for after, cores, used, up in steps:
        report = NodeReport(node="n1", boot="b", capacity=120, used=used, cores=2.0, cores_used=cores)
        at = facts(NOW + after)
        found = burden.above(dataclasses.replace(at, heard={"n1": Seen(report=report, alive=True, ago=0.2)}))
        assert [one.name for one in found] == ["processor_overloaded"] * up, after
    assert burden.above(facts(NOW + 1000, ago=None)) == [], "nothing is heard of it"


class Made:
    """What the Management Node hears."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] | None = None

    def heard(self) -> dict[str, Seen] | None:
        return self.seen


def up() -> list[str]:
    return sorted(Alarm.objects.filter(time_lowered=None).values_list("name", flat=True))


@pytest.mark.spec("DIAG-144", "DIAG-145")
def test_a_node_falls_silent_and_comes_back(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, clock = Made(), [100.0]
    monkeypatch.setattr(status._Current, "value", made)
    watch = nodes.Watch(lambda: clock[0])
    kinds = ("connectivity_lost", "ntp_not_synchronised", "configuration_sync_failure")
    monkeypatch.setattr(checks, "_checks", [])
    checks.register(watch.look, *kinds, every=0, told=nodes.tell)
    node = WorkerVM.objects.get()
    key = f"n{node.pk}"
    NodeContact.objects.create(node=key, last_reported=moment(time.time() - 300), position=1)
    for seen, after in ((None, 0), ({}, 50), ({}, 59)):  # cut off; then we have just come
        made.seen, clock[0] = seen, 100.0 + after
        checks.run(clock[0] + 1e6)
        assert up() == []
    clock[0] = 160.0
    checks.run(clock[0] + 1e6)
    assert up() == ["configuration_sync_failure", "connectivity_lost"]
    report = NodeReport(node=key, boot="b", position=10**9, time=time.time())
    made.seen = {key: Seen(report=report, alive=True, ago=0.0)}
    checks.run(clock[0] + 1e6)
    assert up() == []
    told = AdministratorLog.objects.filter(name__startswith="administrator.system").order_by("id")
    assert {(entry.name.rpartition(".")[2], entry.message) for entry in told} == {
        ("connectivity", "Connectivity lost to node."),
        ("configuration", "Conferencing node appears unavailable."),
        ("connectivity", "Connectivity re-established."),
        ("configuration", "Conferencing node successfully updated after being marked unavailable."),
    }
    assert f'Node="{node.address}" Last-Reported="' in told.get(message="Connectivity lost to node.").line


@pytest.mark.spec("DIAG-100", "DIAG-107", "POL-125")
def test_capacity_is_exhausted_until_the_next_participant_joins(database: Any) -> None:
    place = SystemLocation.objects.get()
    refused = domain.CapacityRefused(
        time=1_700_000_000.0, alias="sip:board@x", conference_name="Board", location=place.pk, reason="full"
    )
    store(records([refused]))
    alarm = Alarm.objects.get()
    assert (alarm.name, alarm.instance, alarm.time_lowered) == ("capacity_exhausted", place.name, None)
    assert AdministratorLog.objects.filter(line__contains="insufficient capacity").exists()
    store(records([joined(1, has_media=False)], first=2))
    assert up() == ["capacity_exhausted"], "without media nobody needs room"
    store(records([joined(2, has_media=True)], first=3))
    assert up() == []


def test_nodes_raise_alarms_about_themselves(database: Any) -> None:
    node = WorkerVM.objects.get()
    raised = domain.AlarmChanged(time=1_700_000_000.0, name="syslog_inaccessible", instance="10.0.0.5")
    unknown = domain.AlarmChanged(time=1_700_000_000.0, name="of_a_later_version")
    store(records([raised, unknown], node=f"n{node.pk}"))
    alarm = Alarm.objects.get()
    assert (alarm.node, alarm.instance, alarm.time_raised) == (node.address, "10.0.0.5", moment(1_700_000_000.0))
    started = domain.NodeEvent(time=1_700_000_050.0, kind="started")
    store(records([started], node=f"n{node.pk}", boot="next"))
    assert up() == []
    store(records([raised], node=f"n{node.pk}", boot="next", first=2))
    lowered = domain.AlarmChanged(time=1_700_000_099.0, name="syslog_inaccessible", instance="10.0.0.5", up=False)
    store(records([lowered], node=f"n{node.pk}", boot="next", first=3))
    assert Alarm.objects.order_by("-id").first().time_lowered == moment(1_700_000_099.0)


@pytest.mark.spec("DIAG-117")
def test_bursting_nodes_that_nobody_would_use(database: Any) -> None:
    node, cloud = WorkerVM.objects.get(), SystemLocation.objects.create(name="Cloud")
    assert unused_bursting() == []
    WorkerVM.objects.filter(pk=node.pk).update(cloud_bursting=True, system_location=cloud)
    assert [(one.name, one.instance) for one in unused_bursting()] == [("bursting_no_location_overflow", "Cloud")]
    SystemLocation.objects.filter(name="Default").update(overflow_location2=cloud)
    assert unused_bursting() == []
