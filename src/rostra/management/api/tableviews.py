"""Addresses of status, history and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import path

from rostra.management.api import access, reading
from rostra.management.api.answering import answer
from rostra.management.api.errors import Refused, bad_request, invalid, respond
from rostra.management.api.tables import Table
from rostra.management.audit.noting import note_person
from rostra.management.commands import Command, Failed, parameters
from rostra.management.declared import commands, table, tables


def _table(request: HttpRequest, api: str, name: str) -> Table:
    found = table(api, name)
    access.check(request, needs=found.viewing if found is not None else "")
    if found is None:
        raise Refused(404)
    return found


@answer
def _root(request: HttpRequest, api: str) -> HttpResponse:
    access.check(request)
    _only(request, "GET", "HEAD")
    return respond(
        {one.name: {"list_endpoint": one.base, "schema": f"{one.base}schema/"} for one in tables() if one.api == api}
    )


@answer
def _list(request: HttpRequest, api: str, name: str) -> HttpResponse:
    return reading.read_list(request, _table(request, api, name))


@answer
def _schema(request: HttpRequest, api: str, name: str) -> HttpResponse:
    return reading.read_schema(request, _table(request, api, name))


@answer
def _one(request: HttpRequest, api: str, name: str, key: str) -> HttpResponse:
    return reading.read_one(request, _table(request, api, name), key)


@answer
def _children(request: HttpRequest, api: str, name: str, key: str, child: str) -> HttpResponse:
    return reading.read_children(request, _table(request, api, name), key, child)


@answer
def _commands(request: HttpRequest, scope: str) -> HttpResponse:
    access.check(request)
    _only(request, "GET", "HEAD")
    found = [command for command in commands() if command.scope == scope]
    if not found:
        raise Refused(404)
    return respond({one.name: {"list_endpoint": address(one), "schema": f"{address(one)}schema/"} for one in found})


@answer
def _command(request: HttpRequest, scope: str, name: str) -> HttpResponse:
    access.check(request)
    _only(request, "POST")
    command = _named(scope, name)
    if not request.user.has_perm(command.permission):  # type: ignore[union-attr] - `check` found somebody
        raise Refused(403, {"error": "This account may not do that."})
    note_person("Command given", details={"Command": f"{scope}/{name}"})
    try:
        data = command.run(parameters(command, _body(request)))
    except ValidationError as problem:
        raise invalid(name, problem) from None
    except Failed as failure:
        return respond({"status": "failed", "message": str(failure), "data": None}, 202)
    return respond({"status": "success", "data": data}, 202)


@answer
def _command_schema(request: HttpRequest, scope: str, name: str) -> HttpResponse:
    access.check(request)
    _only(request, "GET", "HEAD")
    command = _named(scope, name)
    fields = {
        one.name: {
            "blank": not one.required,
            "help_text": one.help,
            "nullable": not one.required,
            "readonly": False,
            "type": one.type,
            "unique": False,
        }
        for one in command.parameters
    }
    return respond(
        {
            "allowed_detail_http_methods": [],
            "allowed_list_http_methods": ["post"],
            "default_format": "application/json",
            "default_limit": 20,
            "fields": fields,
            "filtering": {},
            "ordering": [],
        }
    )


def address(command: Command) -> str:
    """Where a command is given."""
    return f"/api/admin/command/v1/{command.scope}/{command.name}/"


def _named(scope: str, name: str) -> Command:
    for command in commands():
        if (command.scope, command.name) == (scope, name):
            return command
    raise Refused(404)


def _body(request: HttpRequest) -> Mapping[str, Any]:
    kind = request.content_type or ""
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            return {**request.POST.dict(), **request.FILES.dict()}
        except (MultiPartParserError, SuspiciousOperation) as problem:
            raise bad_request(f"The form cannot be read: {problem}") from None
    if kind not in ("", "application/json"):
        raise Refused(415, {"error": "Send application/json."})
    try:
        body = msgspec.json.decode(request.body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise bad_request(f"The body is not JSON: {problem}") from None
    if not isinstance(body, Mapping):
        raise bad_request("The body has to be a JSON object.")
    return body


def _only(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        raise Refused(405, None, Allow=", ".join(methods))


urlpatterns = [
    pattern
    for api in ("status", "history")
    for pattern in (
        path(f"{api}/v1/", _root, {"api": api}),
        path(f"{api}/v1/<slug:name>/", _list, {"api": api}),
        path(f"{api}/v1/<slug:name>/schema/", _schema, {"api": api}),
        path(f"{api}/v1/<slug:name>/<str:key>/", _one, {"api": api}),
        path(f"{api}/v1/<slug:name>/<str:key>/<slug:child>/", _children, {"api": api}),
    )
] + [
    path("command/v1/<slug:scope>/", _commands),
    path("command/v1/<slug:scope>/<slug:name>/", _command),
    path("command/v1/<slug:scope>/<slug:name>/schema/", _command_schema),
]
