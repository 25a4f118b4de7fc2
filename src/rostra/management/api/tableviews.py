"""Addresses of status, history and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import path

from rostra.management import downloads
from rostra.management.api import access, reading
from rostra.management.api.answering import answer
from rostra.management.api.errors import Refused, bad_request, invalid, respond
from rostra.management.api.tables import Table
from rostra.management.audit.noting import note_person
from rostra.management.commands import Command, Failed, FileAnswer, Parameter, parameters
from rostra.management.declared import command, commands, table, tables


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
    if request.method == "POST" and command("", scope) is not None:
        return _carry_out(request, "", scope)
    _only(request, "GET", "HEAD")
    found = [one for one in commands() if one.scope == scope]
    if not found:
        raise Refused(404)
    return respond({one.name: {"list_endpoint": address(one), "schema": f"{address(one)}schema/"} for one in found})


@answer
def _command(request: HttpRequest, scope: str, name: str) -> HttpResponse:
    access.check(request)
    return _carry_out(request, scope, name)


def _carry_out(request: HttpRequest, scope: str, name: str) -> HttpResponse:
    _only(request, "POST")
    given = _named(scope, name)
    if not request.user.has_perm(given.permission):  # type: ignore[union-attr] - `check` found somebody
        raise Refused(403, {"error": "This account may not do that."})
    try:
        values = parameters(given, _body(request))
        note(given, values)
        data = given.run(values)
    except ValidationError as problem:
        raise invalid(given.name, problem) from None
    except Failed as failure:
        return respond({"status": "failed", "message": str(failure), "data": None}, 202)
    if isinstance(data, FileAnswer):
        return downloads.send(request, data.file, data.content_type)  # type: ignore[return-value] - streamed
    return respond({"status": "success", "data": data}, 202)


@answer
def _command_schema(request: HttpRequest, scope: str, name: str) -> HttpResponse:
    access.check(request)
    _only(request, "GET", "HEAD")
    fields = {one.name: _described(one) for one in _named(scope, name).parameters}
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


def _described(parameter: Parameter) -> dict[str, Any]:
    found = {
        "blank": not parameter.required,
        "help_text": parameter.help,
        "nullable": not parameter.required,
        "readonly": False,
        "type": "string" if parameter.type == "identifier" else parameter.type,
        "unique": False,
    }
    return found | ({"valid_choices": list(parameter.choices)} if parameter.choices else {})


def note(given: Command, values: Mapping[str, Any]) -> None:
    """State in the administrator log that somebody gives a command."""
    told = {name: values[name] for name in given.noted if name in values}
    note_person("Command given", details={"Command": f"{given.scope}/{given.name}", **told})


def address(command: Command) -> str:
    """Where a command is given."""
    return f"/api/admin/command/v1/{command.scope}/{command.name}/"


def _named(scope: str, name: str) -> Command:
    found = command(scope, name)
    if found is None:
        raise Refused(404)
    return found


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
