"""One resource over HTTP: lists, single objects, bulk changes (sheet 10, 1.3-1.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse

from rostra.configuration import journal, orm
from rostra.configuration.resources import Resource, register
from rostra.management.api import forms, keeping, schema, selection, wire
from rostra.management.api.errors import Refused, bad_request, invalid, respond
from rostra.management.api.writing import May, Writer

Tell = Callable[[Any], tuple[bytes, str] | None]
"""Takes a row that was just created; returns what the answer holds and its content type, None for the usual."""


class Endpoint:
    """Carries out requests for `resource`. Every method may raise Refused."""

    def __init__(self, resource: Resource, may: May = lambda _: True, tell: Tell = lambda _: None) -> None:
        self._resource = resource
        self._writer = Writer(may)
        self._tell = tell

    def list(self, request: HttpRequest) -> HttpResponse:
        """Requests to the address of the collection."""
        self._check_method(request, schema.list_methods(self._resource))
        match request.method:
            case "POST":
                return self._create(request)
            case "PATCH":
                return self._change_many(request)
            case "DELETE":
                return self._delete_many(request)
            case _:
                return self._read_many(request)

    def detail(self, request: HttpRequest, key: str) -> HttpResponse:
        """Requests to the address of an object."""
        self._check_method(request, schema.detail_methods(self._resource))
        match request.method:
            case "PUT":
                return self._change(request, key, replace=True)
            case "PATCH" | "POST":  # the few resources that take a POST here mean a change by it
                return self._change(request, key, replace=False)
            case "DELETE":
                with transaction.atomic():
                    self._delete(self._row(key))
                return respond(None, 204)
            case _:
                return respond(wire.represent(self._resource, self._row(key)))

    def schema(self, request: HttpRequest) -> HttpResponse:
        """Requests to the schema of the resource."""
        self._check_method(request, ["get"])
        return respond(schema.describe(self._resource))

    def _read_many(self, request: HttpRequest) -> HttpResponse:
        rows = selection.select(self._resource, request.GET)
        rows = wire.fetched(self._resource, selection.order(self._resource, rows, request.GET))
        found, meta = selection.page(request.path, rows, request.GET)
        return respond({"meta": meta, "objects": [wire.represent(self._resource, row) for row in found]})

    def _create(self, request: HttpRequest) -> HttpResponse:
        body = self._object(request)
        with self._saving():
            row = self._writer.write(self._resource, self._resource.model(), body)
        made = getattr(row, "instead", None) or row  # what it led to, where that is something else
        address = request.build_absolute_uri(wire.uri(register.of(type(made)), made))
        told = self._tell(row)
        if told is not None:
            return HttpResponse(told[0], status=201, content_type=told[1], headers={"Location": address})
        once = {name: getattr(row, name) for name in self._resource.shown_once}
        return respond({**wire.represent(self._resource, row), **once} if once else None, 201, Location=address)

    def _change(self, request: HttpRequest, key: str, *, replace: bool) -> HttpResponse:
        body = self._object(request)
        with self._saving():
            self._writer.write(self._resource, self._row(key, lock=True), body, replace=replace)
        return respond(None, 204 if replace else 202)

    def _change_many(self, request: HttpRequest) -> HttpResponse:
        body = self._object(request)
        objects, deleted = body.get("objects"), body.get("deleted_objects", [])
        if not isinstance(objects, list) or not isinstance(deleted, list):
            raise bad_request('Give {"objects": [...], "deleted_objects": [...]}.')
        with self._saving():
            for address in deleted:
                self._delete(self._named(address))
            for part in objects:
                if not isinstance(part, Mapping):
                    raise bad_request("Every element of objects has to be an object.")
                address = part.get("resource_uri")
                row = self._resource.model() if address is None else self._named(address)
                self._writer.write(self._resource, row, part)
        return respond(None, 202)

    def _delete_many(self, request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            rows = selection.select(self._resource, request.GET, strict=True)
            self._delete(orm.rows(self._resource.model).filter(pk__in=rows.values("pk")))
        return respond(None, 204)

    def _named(self, address: Any) -> models.Model:
        try:
            key = wire.key_of(self._resource, address if isinstance(address, str) else "")
        except ValidationError as problem:
            raise bad_request(problem.messages[0]) from None
        row = wire.find(self._resource, key).first()
        if row is None:
            raise bad_request(f"There is no {address}.")
        return row

    def _row(self, key: str, *, lock: bool = False) -> models.Model:
        rows = wire.find(self._resource, key)
        row = (rows.select_for_update() if lock else rows).first()
        if row is None:
            raise Refused(404)
        return row

    def _delete(self, rows: Any) -> None:
        try:
            keeping.check(self._resource, [rows] if isinstance(rows, models.Model) else rows)
            rows.delete()
        except ValidationError as problem:
            raise invalid(self._resource.name, problem) from None
        except (models.ProtectedError, models.RestrictedError) as problem:
            users = getattr(problem, "protected_objects", None) or getattr(problem, "restricted_objects", ())
            names = ", ".join(sorted(str(user) for user in users)[:5])
            raise invalid(self._resource.name, ValidationError(f"Still used by {names}.")) from None

    def _object(self, request: HttpRequest) -> Mapping[str, Any]:
        kind = request.content_type or ""
        if kind == "multipart/form-data" and self._resource.uploads:
            return forms.body(self._resource, request)
        if kind not in ("", "application/json"):
            raise Refused(415, {"error": "Send application/json."})
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise bad_request(f"The body is not JSON: {problem}") from None
        if not isinstance(body, Mapping):
            raise bad_request("The body has to be a JSON object.")
        return body

    def _check_method(self, request: HttpRequest, allowed: list[str]) -> None:
        method = "get" if request.method == "HEAD" else (request.method or "").lower()
        if method not in allowed:
            raise Refused(405, None, Allow=", ".join(name.upper() for name in allowed))

    def _saving(self) -> _Saving:
        return _Saving(self._resource)


class _Saving:
    """A transaction whose problems are told to the client."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._transaction = transaction.atomic()

    def __enter__(self) -> None:
        self._transaction.__enter__()
        journal.take_turn()

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        self._transaction.__exit__(kind, problem, trace)
        if isinstance(problem, ValidationError):
            raise invalid(self._resource.name, problem) from None
        if isinstance(problem, IntegrityError):  # somebody else was faster
            raise invalid(self._resource.name, ValidationError("Another object has these values already.")) from None
