"""Provisioning as a Django app of the Management Node; nodes do not have its table."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ProvisioningConfig(AppConfig):
    name = "rostra.management.provisioning"
    label = "provisioning"
    verbose_name = gettext_lazy("Provisioning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.provisioning import following, reading

        following.follow()
        reading.check_sources()
