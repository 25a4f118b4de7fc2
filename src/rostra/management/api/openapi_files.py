"""The part of the OpenAPI document about what is answered with a file."""

from __future__ import annotations

from typing import Any

NODE_CONFIGURATION = "/api/admin/command/v1/platform/node_configuration/"
"""Hands out the configuration file of a new Conferencing Node, once."""


def paths() -> dict[str, Any]:
    """Paths of the document."""
    refusal = {"description": "Why there is no file", "content": {"application/json": {"schema": {"type": "object"}}}}
    body = {
        "type": "object",
        "required": ["worker_vm_id"],
        "properties": {"worker_vm_id": {"type": "integer", "description": "Id of the Conferencing Node"}},
    }
    operation = {
        "operationId": "platform_node_configuration",
        "tags": ["command"],
        "summary": "The configuration file with which a machine becomes this node; it is handed out once",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "The file; its name is in Content-Disposition",
                "content": {"application/xml": {"schema": {"type": "string"}}},
            },
            "400": refusal,
            "401": {"description": "Credentials are missing or wrong"},
            "403": {"description": "The account may not add Conferencing Nodes"},
            "409": refusal,
        },
    }
    return {NODE_CONFIGURATION: {"post": operation}}
