"""The first page: what matters at a glance."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from rostra.configuration import orm
from rostra.configuration.resources import register
from rostra.management.api import access


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: how many of each resource there are."""
    context["rostra_cards"] = [
        {
            "title": str(orm.meta(resource.model).verbose_name_plural),
            "count": orm.rows(resource.model).count(),
            "icon": resource.icon,
            "summary": resource.summary,
            "link": reverse(
                f"admin:{orm.meta(resource.model).app_label}_{orm.meta(resource.model).model_name}_changelist"
            ),
        }
        for resource in sorted(register, key=lambda resource: resource.section != "Services")
        if not resource.singleton and resource.page and access.may(request.user, "GET", resource)
    ]
    return context
