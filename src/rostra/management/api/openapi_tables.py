"""The part of the OpenAPI document about status, history and commands, generated from their declarations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rostra.management.api import reading
from rostra.management.api.tables import Column, Table
from rostra.management.api.tableviews import address
from rostra.management.commands import Command, Parameter
from rostra.management.declared import commands, tables

Json = dict[str, Any]

_TYPES = {"float": "number", "datetime": "string", "list": "array", "related": "string", "many": "array"}
_REFUSALS: Json = {
    "400": {"description": "Why the request cannot be carried out"},
    "401": {"description": "Credentials are missing or wrong"},
    "403": {"description": "The account may not do that"},
}
_MISSING: Json = {"404": {"description": "There is no such object"}}


def schemas() -> Json:
    """What rows look like, by name."""
    found: Json = {}
    for table in tables():
        extra = {"resource_uri": {"type": "string"}} if table.addressed else {}
        found[_name(table)] = _object(table.summary, table.columns, extra)
        for child, (columns, _) in table.children.items():
            found[f"{_name(table)}_{child}"] = _object("", columns, {})
    return found


def paths() -> Json:
    """Every address."""
    found: Json = {}
    for table in tables():
        found |= _table(table)
    for command in commands():
        found |= _command(command)
    return found


def _table(table: Table) -> Json:
    name = _name(table)
    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    detail = {"get": _operation(f"get_{name}", table.api, "An object", _found(_reference(name)) | _MISSING)}
    if "delete" in reading.detail_methods(table):
        gone = {"204": {"description": "Done"}}
        detail["delete"] = _operation(f"delete_{name}", table.api, "Delete", gone | _MISSING)
    listing = _operation(f"list_{name}", table.api, table.summary, _found(_page(name)))
    schema = _operation(f"schema_{name}", table.api, "What the resource holds", _found({}))
    found: Json = {
        table.base: {"get": listing | {"parameters": _parameters(table)}},
        f"{table.base}{{id}}/": {"parameters": [key], **detail},
        f"{table.base}schema/": {"get": schema},
    }
    for child in table.children:
        answer = _found(_page(f"{name}_{child}")) | _MISSING
        children = _operation(f"list_{name}_{child}", table.api, f"What an object has as {child}", answer)
        found[f"{table.base}{{id}}/{child}/"] = {"parameters": [key], "get": children}
    return found


def _command(command: Command) -> Json:
    body = {
        "type": "object",
        "required": [one.name for one in command.parameters if one.required],
        "properties": {one.name: _given(one) for one in command.parameters},
    }
    answer = {
        "type": "object",
        "required": ["status", "data"],
        "properties": {
            "status": {"type": "string", "enum": ["success", "failed"]},
            "message": {"type": "string", "description": "Why it failed"},
            "data": {"type": ["object", "null"]},
        },
    }
    accepted = {"description": "Understood; `status` says whether it is done", "content": _json(answer)}
    responses: Json = {"202": accepted}
    if command.answers:
        file = {command.answers: {"schema": {"type": "string", "format": "binary"}}}
        responses["200"] = {"description": "The file; its name is in Content-Disposition", "content": file}
    operation = _operation(f"{command.scope}_{command.name}", "command", command.summary, responses)
    with_file = any(one.type == "file" for one in command.parameters)
    content: Json = {"multipart/form-data": {"schema": body}} if with_file else _json(body)
    operation["requestBody"] = {"required": True, "content": content}
    schema = _operation(f"schema_{command.scope}_{command.name}", "command", "What can be given", _found({}))
    return {address(command): {"post": operation}, f"{address(command)}schema/": {"get": schema}}


def _operation(identity: str, tag: str, summary: str, responses: Json) -> Json:
    return {"operationId": identity, "tags": [tag], "summary": summary, "responses": {**responses, **_REFUSALS}}


def _found(schema: Json) -> Json:
    return {"200": {"description": "Found", "content": _json(schema)}}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _page(name: str) -> Json:
    return {
        "type": "object",
        "required": ["meta", "objects"],
        "properties": {"meta": {"type": "object"}, "objects": {"type": "array", "items": _reference(name)}},
    }


def _given(parameter: Parameter) -> Json:
    kinds: dict[str, Json] = {
        "file": {"type": "string", "format": "binary"},
        "identifier": {"type": ["string", "integer"]},
    }
    kind = dict(kinds.get(parameter.type, {"type": parameter.type}))
    if parameter.choices:
        kind["enum"] = list(parameter.choices)
    if parameter.most:
        kind["maxLength"] = parameter.most
    return kind | {"description": parameter.help}


def _parameters(table: Table) -> list[Json]:
    orders = [prefix + name for name in table.orderable for prefix in ("", "-")]
    whole = {"type": "integer", "minimum": 0}
    found = [
        _parameter("limit", whole, "Objects on a page; 0: as many as possible"),
        _parameter("offset", whole, "How many to pass over"),
        _parameter("order_by", {"type": "string", "enum": orders}, "Field to sort by, with - backwards"),
    ]
    for name in table.filterable:
        column = table.column(name)
        if column is not None:
            found.append(_parameter(name, {"type": _TYPES.get(column.type, column.type)}, "Exactly this value"))
    return found


def _parameter(name: str, kind: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": kind, "description": description}


def _object(summary: str, columns: Sequence[Column], extra: Json) -> Json:
    properties = {column.name: _property(column) for column in columns} | extra
    return {"type": "object", "description": summary, "properties": properties, "required": list(properties)}


def _property(column: Column) -> Json:
    kind = _TYPES.get(column.type, column.type)
    body: Json = {"type": [kind, "null"], "description": column.help}
    if column.type == "many":
        body["items"] = {"type": "string"}
    return body


def _name(table: Table) -> str:
    return f"{table.api}_{table.name}"


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
