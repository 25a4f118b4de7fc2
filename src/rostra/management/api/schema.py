"""The schema resource: what a resource holds and how lists of it can be asked for (sheet 10, 1.5)."""

from __future__ import annotations

from typing import Any

from django.db import models

from rostra.configuration.resources import Resource
from rostra.management.api import selection, wire


def list_methods(resource: Resource) -> list[str]:
    """Methods of the collection, in lower case."""
    usual = ("get",) if resource.singleton else ("get", "post", "patch", "delete")
    return list(usual if resource.list_methods is None else resource.list_methods)


def detail_methods(resource: Resource) -> list[str]:
    """Methods of an object, in lower case."""
    usual = ("get", "patch") if resource.singleton else ("get", "put", "patch", "delete")
    return list(usual if resource.detail_methods is None else resource.detail_methods)


def describe(resource: Resource) -> dict[str, Any]:
    """The body of the schema resource."""
    fields = {field.name: _field(field) for field in resource.fields if resource.key == "id" or not field.primary_key}
    for name in resource.relations:
        optional = name not in resource.required_relations
        fields[name] = {
            "blank": optional,
            "help_text": f"{wire.related(resource, name).summary}",
            "nullable": optional,
            "readonly": False,
            "related_type": "to_many",
            "type": "related",
            "unique": False,
        }
    for computed in resource.computed:
        fields[computed.name] = {
            "blank": True,
            "help_text": computed.help_text,
            "nullable": True,
            "readonly": False,
            "type": "list",
            "unique": False,
        }
    for name in resource.shown_once:
        fields[name] = {
            "blank": True,
            "help_text": "Told in the answer to the creation of the object, and never again.",
            "nullable": True,
            "readonly": True,
            "type": "string",
            "unique": False,
        }
    fields["resource_uri"] = {
        "blank": True,
        "help_text": "Address of this object.",
        "nullable": False,
        "readonly": True,
        "type": "string",
        "unique": True,
    }
    return {
        "allowed_detail_http_methods": detail_methods(resource),
        "allowed_list_http_methods": list_methods(resource),
        "default_format": "application/json",
        "default_limit": selection.DEFAULT_LIMIT,
        "fields": fields,
        "filtering": selection.filterable(resource),
        "ordering": selection.orderable(resource),
    }


def is_required(field: Any) -> bool:
    """Must a client give this field to create a row?"""
    return not (wire.is_read_only(field) or field.has_default() or field.null or field.blank)


def _field(field: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "blank": field.blank,
        "help_text": str(field.help_text) or "Number of this object.",
        "nullable": not is_required(field),
        "readonly": wire.is_read_only(field),
        "type": wire.wire_type(field),
        "unique": field.unique,
    }
    if body["type"] == "related":
        body["related_type"] = "to_one"
    default = plain_default(field)
    if default is not None:
        body["default"] = default
    if field.choices:
        body["valid_choices"] = [value for value, _ in field.flatchoices]
    return body


def plain_default(field: Any) -> Any:
    """The default where it is a value that does not change from call to call."""
    if not field.has_default() or (callable(field.default) and not isinstance(field, models.JSONField)):
        return None
    return field.get_default()
