"""Utilities > API reference: what the management API serves, from the same declarations that serve it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.contrib import admin
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rostra.configuration import orm
from rostra.configuration.resources import Resource, register
from rostra.configuration.secretfield import SecretField
from rostra.management import menu
from rostra.management.api import schema, wire
from rostra.management.api.tables import Table
from rostra.management.declared import commands, table, tables

menu.entry("Utilities", gettext_lazy("API reference"), "api", "api_reference", place=62)


def urls(guarded: Callable[[Any], Any]) -> list[Any]:
    """The pages' addresses."""
    return [
        path("platform/schema/", guarded(overview), name="api_reference"),
        path("platform/schema/configuration/<slug:name>/", guarded(resource), name="api_resource"),
        path("platform/schema/<slug:api>/<slug:name>/", guarded(rows), name="api_table"),
    ]


def overview(request: HttpRequest) -> HttpResponse:
    """Everything there is: resources by menu, status and history, commands with their parameters."""
    sections: dict[str, list[Any]] = {}
    for one in register:
        link = reverse("admin:api_resource", args=(one.name,))
        sections.setdefault(one.section, []).append((one.name, link, one.summary))
    found = {
        "sections": [(menu.SECTIONS[name], sections[name]) for name in menu.SECTIONS if name in sections],
        "tables": [
            (title, [(one.name, reverse("admin:api_table", args=(api, one.name)), one.summary) for one in _of(api)])
            for api, title in (("status", menu.SECTIONS[menu.STATUS]), ("history", menu.SECTIONS[menu.HISTORY]))
        ],
        "commands": commands(),
    }
    return _page(request, _("API reference"), "admin/api/overview.html", found)


def resource(request: HttpRequest, name: str) -> HttpResponse:
    """Fields of a resource of the configuration, and how it is asked for."""
    found = register.get(name)
    if found is None:
        raise Http404
    told = schema.describe(found)
    fields = {field.name: field for field in found.fields}
    rows = [
        {
            **facts,
            "name": field,
            "type": _type(facts),
            "limits": _limits(fields.get(field)),
            "required": field in fields and schema.is_required(fields[field]),
            "target": _target(found, field),
            "default": msgspec.json.encode(facts["default"]).decode() if facts.get("default") not in (None, "") else "",
        }
        for field, facts in told["fields"].items()
    ]
    context = {
        "address": f"{wire.BASE}{name}/",
        "summary": found.summary,
        "rows": rows,
        "list_methods": [method.upper() for method in told["allowed_list_http_methods"]],
        "detail_methods": [method.upper() for method in told["allowed_detail_http_methods"]],
        "filtering": sorted(told["filtering"]),
        "ordering": told["ordering"],
        "example": _example(found, rows),
    }
    return _page(request, name, "admin/api/resource.html", context)


def rows(request: HttpRequest, api: str, name: str) -> HttpResponse:
    """Columns of a table of status or history."""
    found = table(api, name)
    if found is None:
        raise Http404
    context = {
        "address": found.base,
        "summary": found.summary,
        "rows": [{"name": one.name, "type": one.type, "help_text": one.help} for one in found.columns],
        "list_methods": ["GET"],
        "detail_methods": ["GET", "DELETE"] if found.delete else ["GET"],
        "filtering": found.filterable,
        "ordering": found.orderable,
        "children": [(f"{found.base}…/{child}/", columns) for child, (columns, _rows) in found.children.items()],
    }
    return _page(request, name, "admin/api/resource.html", context)


def _page(request: HttpRequest, title: str, template: str, context: dict[str, Any]) -> HttpResponse:
    more = {"openapi": "/api/admin/openapi.json", "reference": reverse("admin:api_reference")}
    return render(request, template, {**admin.site.each_context(request), "title": title, **more, **context})


def _of(api: str) -> list[Table]:
    return [one for one in tables() if one.api == api]


def _type(facts: dict[str, Any]) -> str:
    if facts["type"] != "related":
        return facts["type"]
    return _("list of addresses") if facts.get("related_type") == "to_many" else _("address")


def _target(found: Resource, name: str) -> str:
    """Where the resource that a relation leads to is described."""
    if name in found.relations:
        return reverse("admin:api_resource", args=(wire.related(found, name).name,))
    field = next((one for one in found.fields if one.name == name and one.is_relation), None)
    if field is None or wire.wire_type(field) == "file":
        return ""
    return reverse("admin:api_resource", args=(wire.target(field).name,))


def _limits(field: Any) -> str:
    """How long or large a value can be."""
    if field is None or field.is_relation or field.primary_key:
        return ""
    if isinstance(field, SecretField):
        return _("up to %(count)d characters") % {"count": field.limit}
    said: dict[type[Any], Any] = {type(one): getattr(one, "limit_value", None) for one in field.validators}
    if MinValueValidator in said and MaxValueValidator in said and not field.choices:
        return f"{said[MinValueValidator]}–{said[MaxValueValidator]}"
    longest = said.get(MaxLengthValidator) or field.max_length
    return _("up to %(count)d characters") % {"count": longest} if longest and not field.choices else ""


def _example(found: Resource, fields: list[dict[str, Any]]) -> str:
    """A command line that creates an object, or reads the only one."""
    if "post" not in schema.list_methods(found):
        return f"curl -u admin https://management.example.com{wire.BASE}{found.name}/"
    wanted = [one["name"] for one in fields if one["required"]] or [orm.meta(found.model).concrete_fields[1].name]
    body = ", ".join(f'"{name}": …' for name in wanted)
    return (
        f"curl -u admin -H 'Content-Type: application/json' -d '{{{body}}}' \\\n"
        f"  https://management.example.com{wire.BASE}{found.name}/"
    )
