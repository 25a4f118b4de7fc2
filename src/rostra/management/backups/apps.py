"""Backups as a Django app of the Management Node; nodes do not have its table."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class BackupsConfig(AppConfig):
    name = "rostra.management.backups"
    label = "backups"
    verbose_name = gettext_lazy("Backups")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.backups import declaration

        declaration.declare()
