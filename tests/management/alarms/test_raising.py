"""Alarms: up once for each cause, kept until the cause is gone, then history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from rostra.management.alarms import checks
from rostra.management.alarms.catalogue import CRITICAL, ERROR, KINDS, WARNING
from rostra.management.alarms.models import Alarm
from rostra.management.alarms.raising import Wanted, lower_alarm, lower_of, raise_alarm, settle


def up() -> list[tuple[str, str, str]]:
    return sorted(Alarm.objects.filter(time_lowered=None).values_list("name", "node", "instance"))


@pytest.mark.spec("DIAG-097")
def test_an_alarm_is_up_once_until_it_is_lowered(database: Any) -> None:
    assert raise_alarm("licenses_exhausted", details="first")
    assert not raise_alarm("licenses_exhausted", details="second")
    row = Alarm.objects.get()
    assert (row.details, row.level, row.time_lowered) == ("second", WARNING, None)
    assert lower_alarm("licenses_exhausted")
    assert not lower_alarm("licenses_exhausted")
    assert up() == []
    assert raise_alarm("licenses_exhausted")
    assert Alarm.objects.count() == 2, "the earlier one is history"


@pytest.mark.spec("DIAG-098")
def test_several_alarms_of_one_kind(database: Any) -> None:
    raise_alarm("ntp_not_synchronised", node="10.0.0.1")
    raise_alarm("ntp_not_synchronised", node="10.0.0.2")
    raise_alarm("ntp_not_synchronised", node="10.0.0.2", instance="ntp.example")
    lower_alarm("ntp_not_synchronised", node="10.0.0.2")
    assert up() == [("ntp_not_synchronised", "10.0.0.1", ""), ("ntp_not_synchronised", "10.0.0.2", "ntp.example")]


@pytest.mark.spec("DIAG-099")
def test_raising_and_lowering_are_logged_once(database: Any) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            raise_alarm("connectivity_lost", node="10.0.0.1")
        for _ in range(2):
            lower_alarm("connectivity_lost", node="10.0.0.1")
    assert [(line["event"], line["Alarm"], line["Node"]) for line in lines] == [
        ("Alarm raised", "connectivity_lost", "10.0.0.1"),
        ("Alarm lowered", "connectivity_lost", "10.0.0.1"),
    ]


def test_settling_lowers_what_is_not_wanted_of_these_kinds_only(database: Any) -> None:
    raise_alarm("tls_certificate_expiring", instance="a")
    raise_alarm("tls_certificate_expiring", instance="b")
    raise_alarm("licenses_expiring")
    settle(["tls_certificate_expiring"], [Wanted("tls_certificate_expiring", instance="b", details="soon")])
    assert up() == [("licenses_expiring", "", ""), ("tls_certificate_expiring", "", "b")]


def test_what_an_earlier_run_of_a_node_raised_goes_with_the_next(database: Any) -> None:
    raise_alarm("irregular_pulse", node="10.0.0.1", source="n1:old")
    raise_alarm("syslog_inaccessible", node="10.0.0.1", source="n1:new")
    raise_alarm("irregular_pulse", node="10.0.0.11", source="n11:old")
    settle(["irregular_pulse"], [])  # not the Management Node's to lower
    lower_of("n1", "new")
    assert up() == [("irregular_pulse", "10.0.0.11", ""), ("syslog_inaccessible", "10.0.0.1", "")]


def test_an_unknown_kind_is_a_mistake_of_the_caller(database: Any) -> None:
    for call in (raise_alarm, lower_alarm):
        with pytest.raises(KeyError):
            call("no_such_alarm")
    with pytest.raises(KeyError):
        checks.register(list, "no_such_alarm")


def test_what_a_node_says_fits_the_database(database: Any) -> None:
    raise_alarm("syslog_inaccessible", instance="x" * 400, details="y\0" * 4000)
    assert not raise_alarm("syslog_inaccessible", instance="x" * 400)
    assert len(Alarm.objects.get().instance) == 250


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers checks for this test only, and there are no others."""
    monkeypatch.setattr(checks, "_checks", [])
    return checks.register


def test_checks_run_when_due_and_decide_about_their_kinds(database: Any, made: Any) -> None:
    answers: list[list[Wanted] | None] = [[Wanted("licenses_expiring")], None, []]
    made(lambda: answers.pop(0), "licenses_expiring", every=10)
    for now, expected in (
        (1000.0, 1),  # due at first
        (1009.0, 1),
        (1010.0, 1),  # cannot be said
        (1020.0, 0),
    ):
        checks.run(now)
        assert len(up()) == expected, now
    assert not answers


def test_a_failing_check_is_logged_once_and_stops_no_other(database: Any, made: Any) -> None:
    def fails() -> list[Wanted]:
        raise OSError("no")

    made(fails, "syslog_inaccessible", every=0)
    made(lambda: [Wanted("licenses_expiring")], "licenses_expiring")
    with capture_logs() as lines:
        checks.run(1e9)
        checks.run(1e9 + 1)
    assert up() == [("licenses_expiring", "", "")]
    assert [line["event"] for line in lines if "check" in line] == ["A check for alarms failed"]


def test_the_catalogue_is_whole() -> None:
    assert len({kind.identifier for kind in KINDS.values()}) == len(KINDS)
    for kind in KINDS.values():
        assert kind.level in (CRITICAL, ERROR, WARNING)
        assert kind.title
        assert kind.remedy


def test_the_manual_lists_the_catalogue() -> None:
    text = (Path(__file__).parents[3] / "docs/admin/alarms.md").read_text()
    for kind in KINDS.values():
        assert f"| {kind.level} | {kind.title} | `{kind.name}` | {kind.identifier} | {kind.remedy} |" in text
