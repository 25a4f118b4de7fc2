"""History as a Django app of the Management Node; nodes do not have its tables."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class HistoryConfig(AppConfig):
    name = "rostra.management.history"
    label = "history"
    verbose_name = gettext_lazy("History")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.history import registered

        registered.register()
