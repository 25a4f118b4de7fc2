"""Upgrades as a Django app of the Management Node; nodes do not have its tables."""

from __future__ import annotations

from django.apps import AppConfig


class UpgradesConfig(AppConfig):
    name = "rostra.management.upgrades"
    label = "upgrades"
    verbose_name = "Upgrades"
    default_auto_field = "django.db.models.BigAutoField"
