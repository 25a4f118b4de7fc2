"""The configuration as a Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ConfigurationConfig(AppConfig):
    name = "rostra.configuration"
    label = "configuration"
    verbose_name = gettext_lazy("Configuration")
    default_auto_field = "django.db.models.BigAutoField"
