"""What is old is forgotten."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from rostra.configuration.models import GlobalSettings
from rostra.management import upkeep
from rostra.management.alarms.models import Alarm
from rostra.management.alarms.raising import lower_alarm, raise_alarm
from rostra.management.audit.models import AdministratorLog
from rostra.management.audit.noting import note


def test_logs_are_kept_as_long_as_administrators_want(database: Any) -> None:
    now = timezone.now()
    AdministratorLog.objects.all().delete()
    for days in (11, 9):
        note(f"{days} days", name="administrator.test")
        AdministratorLog.objects.filter(message=f"{days} days").update(time=now - datetime.timedelta(days=days))
    raise_alarm("licenses_expiring", time=now - datetime.timedelta(days=12))
    lower_alarm("licenses_expiring", time=now - datetime.timedelta(days=11))
    raise_alarm("licenses_exhausted", time=now - datetime.timedelta(days=12))  # is up
    upkeep.forget_old(now)
    assert (AdministratorLog.objects.filter(name="administrator.test").count(), Alarm.objects.count()) == (2, 2)
    GlobalSettings.objects.filter(pk=1).update(logs_max_age=10)
    upkeep.forget_old(now)
    assert [entry.message for entry in AdministratorLog.objects.filter(name="administrator.test")] == ["9 days"]
    assert [alarm.name for alarm in Alarm.objects.all()] == ["licenses_exhausted"]


def test_the_log_does_not_grow_without_end(database: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(upkeep, "MOST_ENTRIES", 5)
    for number in range(20):
        note(str(number), name="administrator.test")
    upkeep.forget_old(timezone.now())
    assert [entry.message for entry in AdministratorLog.objects.all()] == ["19", "18", "17", "16", "15"]
