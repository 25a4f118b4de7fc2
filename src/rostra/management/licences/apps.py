"""Licences as a Django app of the Management Node; nodes do not have its tables, backups leave them out (NODE-143)."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class LicencesConfig(AppConfig):
    name = "rostra.management.licences"
    label = "licences"
    verbose_name = gettext_lazy("Licenses")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.alarms import checks
        from rostra.management.licences import checking

        checks.register(checking.look, checking.EXPIRING)
