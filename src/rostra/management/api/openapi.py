"""The OpenAPI 3.1 document of the management API, generated from the register."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator

import rostra
from rostra.configuration.resources import Resource, register
from rostra.configuration.secretfield import SecretField
from rostra.management.api import openapi_files, openapi_tables, schema, selection, wire

Json = dict[str, Any]

_TYPES = {
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "float": "number",
    "datetime": "string",
    "list": "array",
    "dict": "object",
    "related": "string",
    "file": "string",
}
_FORMATS = {"date": "date", "time": "time", "file": "binary"}
_ERROR = {"description": "Why the request cannot be carried out", "content": {"application/json": {"schema": {}}}}
_SECURITY: Json = {
    "basic": {"type": "http", "scheme": "basic"},
    "oauth2": {"type": "http", "scheme": "bearer", "description": "A token of /oauth/token/"},
}
_REFUSALS: Json = {
    "400": _ERROR,
    "401": {"description": "Credentials are missing or wrong"},
    "403": {"description": "The account may not do that"},
    "413": {"description": "The request is too large"},
    "415": _ERROR,
    "429": {"description": "Too many requests, or too many wrong credentials; Retry-After says when to go on"},
    "503": {"description": "The database is busy, or cannot be reached; try again"},
}


def document() -> Json:
    """The whole document."""
    paths: Json = {}
    schemas: Json = {}
    for resource in register:
        schemas[resource.name] = _object(resource, reading=True)
        schemas[f"{resource.name}_write"] = _object(resource, reading=False)
        schemas[f"{resource.name}_change"] = {**_object(resource, reading=False), "required": []}
        paths |= _paths(resource)
    schemas |= openapi_tables.schemas()
    paths |= openapi_tables.paths() | openapi_files.paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rostra management API",
            "version": rostra.__version__,
            "description": "Configuration, live status and history of the platform, and commands.",
        },
        "security": [{scheme: []} for scheme in _SECURITY],
        "components": {"securitySchemes": _SECURITY, "schemas": schemas},
        "paths": paths,
    }


def _paths(resource: Resource) -> Json:
    every = {"list": schema.list_methods(resource), "detail": schema.detail_methods(resource)}
    operations = _operations(resource)
    base = f"{wire.BASE}{resource.name}/"
    kind = {"type": "integer", "minimum": 0} if resource.key == "id" else {"type": "string", "minLength": 1}
    key = {"name": "id", "in": "path", "required": True, "schema": kind}
    return {
        base: {method: operations["list", method] for method in every["list"]},
        f"{base}{{id}}/": {
            "parameters": [key],
            **{method: operations["detail", method] for method in every["detail"]},
        },
        f"{base}schema/": {"get": _operation(resource, "schema", "What the resource holds", {"200": _json({})})},
    }


def _operations(resource: Resource) -> dict[tuple[str, str], Json]:
    name = resource.name
    written, changed = _reference(f"{name}_write"), _reference(f"{name}_change")
    missing = {"404": {"description": "There is no such object"}}
    accepted, gone = {"description": "Changed"}, {"description": "Done"}
    page = {
        "type": "object",
        "required": ["meta", "objects"],
        "properties": {"meta": {"type": "object"}, "objects": {"type": "array", "items": _reference(name)}},
    }
    bulk = {
        "type": "object",
        "required": ["objects"],
        "properties": {
            "objects": {"type": "array", "items": changed},
            "deleted_objects": {"type": "array", "items": {"type": "string"}},
        },
    }
    created = {"description": "Created", "headers": {"Location": {"schema": {"type": "string"}}}}
    return {
        ("list", "get"): _operation(resource, "list", "A page of the collection", {"200": _json(page)})
        | {"parameters": _parameters(resource)},
        ("list", "post"): _operation(resource, "create", "Create an object", {"201": created}, written),
        ("list", "patch"): _operation(resource, "bulk", "Create, change and delete at once", {"202": accepted}, bulk),
        ("list", "delete"): _operation(resource, "clear", "Delete all that pass the filters", {"204": gone}),
        ("detail", "get"): _operation(resource, "get", "An object", {"200": _json(_reference(name))} | missing),
        ("detail", "put"): _operation(resource, "replace", "Replace", {"204": gone} | missing, written),
        ("detail", "patch"): _operation(resource, "change", "Change", {"202": accepted} | missing, changed),
        ("detail", "post"): _operation(resource, "complete", "Change", {"202": accepted} | missing, changed),
        ("detail", "delete"): _operation(resource, "delete", "Delete", {"204": gone} | missing),
    }


def _operation(resource: Resource, verb: str, summary: str, responses: Json, body: Json | None = None) -> Json:
    operation: Json = {
        "operationId": f"{verb}_{resource.name}",
        "tags": [resource.name],
        "summary": summary,
        "responses": {**responses, **_REFUSALS},
    }
    if body is not None:
        kinds = ["application/json", *(["multipart/form-data"] if resource.uploads else [])]
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": body} for kind in kinds}}
    return operation


def _json(body: Json) -> Json:
    return {"description": "Found", "content": {"application/json": {"schema": body}}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameters(resource: Resource) -> list[Json]:
    orders = [prefix + name for name in selection.orderable(resource) for prefix in ("", "-")]
    found: list[Json] = [
        _parameter("limit", {"type": "integer", "minimum": 0}, "Objects on a page; 0: as many as possible"),
        _parameter("offset", {"type": "integer", "minimum": 0}, "How many to pass over"),
        _parameter("order_by", {"type": "string", "enum": orders}, "Field to sort by, with - backwards"),
    ]
    fields = {field.name: field for field in resource.fields}
    for name in selection.filterable(resource):
        field = fields.get(name)
        kind = "string" if field is None else _TYPES.get(wire.wire_type(field), "string")
        found.append(_parameter(name, {"type": "string" if kind == "array" else kind}, "Exactly this value"))
        if kind == "string" and field is not None and not field.is_relation:
            found.append(_parameter(f"{name}__icontains", {"type": "string"}, "Text that is part of the value"))
    return found


def _parameter(name: str, kind: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": kind, "description": description}


def _object(resource: Resource, *, reading: bool) -> Json:
    properties: Json = {}
    required: list[str] = []
    for field in resource.fields:
        left_out = field.name in resource.hidden or (field.primary_key and resource.key != "id")
        if (reading and left_out) or (not reading and wire.is_read_only(field)):
            continue
        properties[field.name] = _property(resource, field, reading=reading)
        if reading or schema.is_required(field):
            required.append(field.name)
    for name in resource.relations:
        embedded = reading and name in resource.embedded
        properties[name] = {"type": "array", "items": {"type": "object"} if embedded else {"type": "string"}}
    for computed in resource.computed:
        texts = {"type": "array", "items": {"type": "string"}}
        properties[computed.name] = texts | {"description": computed.help_text}
    if reading:
        properties["resource_uri"] = {"type": "string"}
    return {"type": "object", "description": resource.summary, "properties": properties, "required": required}


def _property(resource: Resource, field: Any, *, reading: bool) -> Json:
    name = wire.wire_type(field)
    kind = "object" if reading and field.is_relation and field.name in resource.embedded else _TYPES.get(name, "string")
    body: Json = {"type": [kind, "null"] if field.null else kind, "description": str(field.help_text)}
    if field.choices:
        body["enum"] = [value for value, _ in field.flatchoices] + ([None] if field.null else [])
    elif kind == "string" and field.max_length:
        body["maxLength"] = field.max_length
    if name in _FORMATS:
        body["format"] = _FORMATS[name]
    if not reading:
        body |= _limits(field)
    return body


def _limits(field: Any) -> Json:
    """What validators and the default say about a field that is written."""
    found: Json = {}
    for validator in field.validators:
        if isinstance(validator, MinValueValidator):
            found["minimum"] = validator.limit_value
        elif isinstance(validator, MaxValueValidator):
            found["maximum"] = validator.limit_value
        elif isinstance(validator, MaxLengthValidator):
            found["maxLength"] = validator.limit_value
    if isinstance(field, SecretField):
        found["maxLength"] = field.limit
    default = schema.plain_default(field)
    return found if default is None else {**found, "default": default}
