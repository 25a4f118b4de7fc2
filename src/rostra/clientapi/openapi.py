"""The OpenAPI 3.1 description of the client API, derived from its table."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rostra.clientapi.endpoints import Endpoint, EndpointTable, Who

_PARAMETER = re.compile(r"{(\w+)}")
_REASONS = {
    400: "Malformed parameter",
    401: "Bad credentials",
    403: "Refused; `result` is the reason or a challenge",
    404: "Unknown alias, participant or path",
    415: "Body not usable",
}


def document(table: EndpointTable) -> dict[str, Any]:
    """The whole description."""
    types = [e.body for e in table.endpoints if e.body] + [e.result for e in table.endpoints if e.result]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table.endpoints:
        operation = _operation(endpoint, by_type)
        paths.setdefault(f"/api/client/v2/{endpoint.path}", {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Client API", "version": "2", "description": "Joining and controlling conferences."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": "token"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()} {endpoint.path}",
        "summary": f"For {endpoint.who.value}.",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in _PARAMETER.findall(endpoint.path)
        ],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.who is not Who.ANYBODY:
        operation["security"] = [{"header": []}, {"query": []}]
    if endpoint.body:
        operation["requestBody"] = {"content": {"application/json": {"schema": schemas[repr(endpoint.body)]}}}
    return operation


def _responses(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(status): {
            "description": _REASONS.get(status, "Not possible now"),
            "content": {"application/json": {"schema": _envelope({}, ["success", "failed"])}},
        }
        for status in (*endpoint.errors, 405)
    }
    if endpoint.result is None:
        responses["200"] = {"description": "Processed"}
        responses["204"] = {"description": "There is none"}
    else:
        schema = _envelope(schemas[repr(endpoint.result)], ["success"])
        responses["200"] = {"description": "Processed", "content": {"application/json": {"schema": schema}}}
    return responses


def _envelope(result: dict[str, Any], statuses: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["status", "result"],
        "properties": {"status": {"enum": statuses}, "result": result},
    }
