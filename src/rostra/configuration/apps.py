"""The configuration as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "rostra.configuration"
    label = "configuration"
    verbose_name = "Configuration"
    default_auto_field = "django.db.models.BigAutoField"
