"""The administrator log as a Django app of the Management Node; nodes do not have its table."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AuditConfig(AppConfig):
    name = "rostra.management.audit"
    label = "audit"
    verbose_name = gettext_lazy("Administrator log")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.audit import conferences, registrations, routing

        conferences.register()
        registrations.register()
        routing.register()
