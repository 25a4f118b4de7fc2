"""The Management Node as a Django app, and its admin site."""

from __future__ import annotations

import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy

from rostra.configuration import resources


class ManagementAdminConfig(AdminConfig):
    """The admin site without discovery: pages come from the register of resources."""

    default_site = "rostra.management.adminsite.Site"

    def ready(self) -> None:
        """Pages are added by ManagementConfig, once every resource is declared."""


class ManagementConfig(AppConfig):
    name = "rostra.management"
    label = "management"
    verbose_name = gettext_lazy("Management")

    def ready(self) -> None:
        importlib.import_module("rostra.management.declarations")  # before the site looks for resources
        from rostra.management import expressions, patience, site, uploads
        from rostra.management.alarms import checks
        from rostra.management.audit import following
        from rostra.management.certificates import judging

        expressions.install()
        patience.install()
        uploads.follow(resources.load())
        following.follow_all(resources.load())
        site.populate()
        checks.register(judging.look, *judging.ALARMS)
