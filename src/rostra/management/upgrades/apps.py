"""Upgrades as a Django app of the Management Node; nodes do not have its tables."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class UpgradesConfig(AppConfig):
    name = "rostra.management.upgrades"
    label = "upgrades"
    verbose_name = gettext_lazy("Upgrades")
    default_auto_field = "django.db.models.BigAutoField"
