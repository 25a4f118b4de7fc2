"""Administrator access as a Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AccountsConfig(AppConfig):
    name = "rostra.management.accounts"
    label = "accounts"
    verbose_name = gettext_lazy("Administrator access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rostra.management.accounts import signals

        signals.connect()
