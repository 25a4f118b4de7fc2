"""Alarms as a Django app of the Management Node; nodes do not have its table."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AlarmsConfig(AppConfig):
    name = "rostra.management.alarms"
    label = "alarms"
    verbose_name = gettext_lazy("Alarms")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.alarms import events, nodes

        events.register()
        nodes.register()
