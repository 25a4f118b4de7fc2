"""Alarms of who is shut out, and what the configuration says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from rostra.configuration.rows import GlobalRow
from rostra.domain.abuse import WINDOW, Shield
from rostra.domain.history import AlarmChanged, Event
from rostra.node.abuse import NAMED, SCANNERS, SERVICES, Defence


class Configured:
    """What the database says."""

    def __init__(self, *, scans: str = "GLOBAL", pins: str = "GLOBAL", **settings: Any) -> None:
        self.settings = settings
        self.local = scans, pins
        self.allowed: list[tuple[str, int, bool, bool]] = []

    def global_settings(self) -> GlobalRow:
        return GlobalRow(**self.settings)

    def resistance(self, node: int) -> tuple[str, str]:
        assert node == 7
        return self.local

    def allow_list(self) -> list[tuple[str, int, bool, bool]]:
        return self.allowed


class Desk:
    def __init__(self, configured: Configured | None = None) -> None:
        self.now = 0.0
        self.configured = configured or Configured()
        self.shield = Shield()
        self.told: list[Event] = []
        self.present: list[str] = []
        self.defence = Defence(
            7, cast("Any", self.configured), self.shield, self.told.append, self._present, lambda: self.now
        )

    def _present(self) -> Iterator[str]:
        yield from self.present

    def scan(self, address: str, count: int = 20) -> None:
        for number in range(count):
            self.shield.wrong_alias(address, f"{number}", self.now, proven=True)

    def alarms(self) -> list[tuple[str, str, str, bool]]:
        self.defence.look()
        found = [(one.name, one.instance, one.details, one.up) for one in self.told if isinstance(one, AlarmChanged)]
        self.told.clear()
        return found


def test_one_alarm_names_the_sources_and_goes_with_the_last() -> None:
    desk = Desk()
    assert desk.alarms() == []
    desk.scan("192.0.2.1")
    assert desk.alarms() == [(SCANNERS, "", "192.0.2.1 (unknown aliases)", True)]
    desk.now = 300.0
    for _ in range(10):
        desk.shield.wrong_password("192.0.2.2", "ada", desk.now)
        desk.shield.wrong_password("192.0.2.2", "bob", desk.now)
    both = "192.0.2.1 (unknown aliases), 192.0.2.2 (wrong passwords of one user)"
    assert desk.alarms() == [(SCANNERS, "", both, True)]
    desk.now = WINDOW
    assert desk.alarms() == [(SCANNERS, "", "192.0.2.2 (wrong passwords of one user)", True)]
    desk.now = 300.0 + WINDOW
    assert desk.alarms() == [(SCANNERS, "", "", False)]
    assert desk.alarms() == []


def test_a_great_attack_is_still_one_alarm() -> None:
    desk = Desk()
    for number in range(200):
        desk.scan(f"192.0.2.{number}")
    ((_, _, details, up),) = desk.alarms()
    assert up
    assert details.endswith(f"and {200 - NAMED} more")
    assert len(details) < 1000


def test_services_in_quarantine_have_alarms_of_their_own() -> None:
    desk = Desk(Configured(bdpm_max_pin_failures_per_window=5))
    for _ in range(5):
        desk.shield.wrong_pin("192.0.2.1", "Board", 0)
    assert desk.alarms() == [(SERVICES, "Board", "More than 5 wrong PINs within 10 minutes.", True)]
    desk.now = WINDOW
    assert desk.alarms() == [(SERVICES, "Board", "", False)]


@pytest.mark.parametrize(
    ("configured", "shut"),
    [
        (Configured(), True),
        (Configured(bdpm_scan_quarantine_enabled=False), False),
        (Configured(scans="OFF"), False),
        (Configured(scans="ON", bdpm_scan_quarantine_enabled=False), True),
        (Configured(bdpm_max_scan_attempts_per_window=21), False),
    ],
)
def test_settings_of_the_platform_and_of_the_location(configured: Configured, shut: bool) -> None:
    desk = Desk(configured)
    desk.scan("192.0.2.1")
    assert desk.shield.hears("192.0.2.1", 0, proven=True) is not shut


def test_changes_of_the_configuration_are_followed() -> None:
    desk = Desk()
    desk.scan("192.0.2.1")
    desk.configured.local = "OFF", "OFF"
    desk.defence.changed("conference", 1)
    assert not desk.shield.hears("192.0.2.1", 0, proven=True)
    desk.defence.changed("system_location", 1)
    assert desk.shield.hears("192.0.2.1", 0, proven=True)
    desk.configured.local = "ON", "ON"
    desk.configured.allowed = [("192.0.2.0", 24, True, False)]
    desk.defence.changed("break_in_allow_list_address", 1)
    desk.scan("192.0.2.1", 50)
    assert desk.shield.hears("192.0.2.1", 0, proven=True)


def test_who_is_in_a_call_or_registered_keeps_a_narrow_way() -> None:
    desk = Desk()
    desk.scan("192.0.2.1")
    assert not desk.shield.new("192.0.2.1", 1, proven=True)
    desk.present.append("192.0.2.1")
    desk.now = 6.0
    assert desk.shield.new("192.0.2.1", 6, proven=True)
