"""Uploads of bundles over the API (sheet 10, `upgrade`, `upgrade_request`), and the bundle for nodes."""

from __future__ import annotations

import hmac
import re
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_GET

from rostra.bundle import BundleProblem
from rostra.management.api import access
from rostra.management.api.answering import answer
from rostra.management.api.errors import Refused, bad_request, invalid, respond
from rostra.management.backups.views import download
from rostra.management.commands import Failed, parameters
from rostra.management.upgrades import commands, running, uploads
from rostra.management.upgrades.models import UpgradeRequest
from rostra.management.upgrades.uploads import WrongOffset

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)


@answer
def upgrade(request: HttpRequest) -> HttpResponse:
    """POST …/configuration/v1/upgrade/: a bundle as a whole, or the beginning of an upload."""
    access.check(request, needs=commands.PERMISSION)
    _only(request, "POST")
    try:
        values = parameters(commands.COMMANDS[0], _form(request))
        return respond(commands.upgrade(values), 202)
    except ValidationError as problem:
        raise invalid("upgrade", problem) from None
    except Failed as problem:
        raise bad_request(str(problem)) from None


@answer
def detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """An upload: read or given up."""
    access.check(request, needs=commands.PERMISSION)
    _only(request, "GET", "HEAD", "DELETE")
    found = _found(key)
    if request.method == "DELETE":
        _give_up(found)
        return respond(None, 204)
    return respond(commands.describe(found))


@answer
def upload(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """POST: the next piece, as the body itself or as a part of a form. Content-Range may say where it belongs."""
    access.check(request, needs=commands.PERMISSION)
    _only(request, "POST")
    found = _found(key)
    try:
        uploads.add(found, _pieces(request), _place(request))
    except WrongOffset as problem:
        raise Refused(409, {"error": str(problem), "offset": uploads.offset(found)}) from None
    except BundleProblem as problem:
        raise bad_request(str(problem)) from None
    complete = uploads.offset(found) == found.total_size
    return respond(commands.answer(found, "finish/" if complete else "upload/"))


@answer
def finish(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """POST: check the bundle, and unless only that is wanted (`validate_only`) start the upgrade."""
    access.check(request, needs=commands.PERMISSION)
    _only(request, "POST")
    found = _found(key)
    only_check = _validate_only(request)
    try:
        uploads.complete(found)
        if not only_check:
            running.begin(found)
    except (BundleProblem, Failed) as problem:
        raise bad_request(str(problem)) from None
    return respond(commands.answer(found, "finish/" if only_check else ""))


@answer
def cancel(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """POST: the upload is not wanted any more."""
    access.check(request, needs=commands.PERMISSION)
    _only(request, "POST")
    found = _found(key)
    body = commands.answer(found)
    _give_up(found)
    return respond({**body, "next_url": None})


@require_GET
def for_nodes(request: HttpRequest, token: str) -> HttpResponseBase:
    """The bundle of the upgrade that is going on, for who heard its token over the fabric."""
    upgrade = running.current()
    if upgrade is None or not hmac.compare_digest(token.encode(), upgrade.token.encode()):
        raise Http404
    return download(request, uploads.path(upgrade.request))


def _found(key: uuid.UUID) -> UpgradeRequest:
    found = UpgradeRequest.objects.filter(uuid=key).first()
    if found is None:
        raise Refused(404)
    return found


def _give_up(found: UpgradeRequest) -> None:
    upgrade = running.current()
    if upgrade is not None and upgrade.request == found:
        raise bad_request("The platform is being upgraded by this bundle.")
    if found.upgrade_set.exists():  # type: ignore[attr-defined] - Django makes it
        uploads.path(found).unlink(missing_ok=True)
    else:
        uploads.forget(found)


def _form(request: HttpRequest) -> dict[str, Any]:
    if request.content_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return _json(request)
    try:
        return {**request.POST.dict(), **request.FILES.dict()}
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise bad_request(f"The form cannot be read: {problem}") from None


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        return msgspec.json.decode(request.read(_PIECE) or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise bad_request(f"The body is not a JSON object: {problem}") from None


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    if request.content_type == "multipart/form-data":
        files = list(_form(request).values())
        parts = [file for file in files if hasattr(file, "chunks")]
        if len(parts) != 1:
            raise bad_request("Send one part with a file.")
        yield from parts[0].chunks(_PIECE)
        return
    while piece := request.read(_PIECE):
        yield piece


def _place(request: HttpRequest) -> int | None:
    said = request.headers.get("Content-Range", "")
    if not said:
        return None
    found = _RANGE.fullmatch(said.strip())
    if found is None:
        raise bad_request("Content-Range has to look like: bytes 0-99/1000.")
    return int(found[1])


def _validate_only(request: HttpRequest) -> bool:
    wanted = _form(request).get("validate_only", False)
    return wanted is True or str(wanted).lower() in ("true", "1")


def _only(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        raise Refused(405, None, Allow=", ".join(methods))


urlpatterns = [
    path("upgrade/", upgrade),
    path("upgrade_request/<uuid:key>/", detail),
    path("upgrade_request/<uuid:key>/upload/", upload),
    path("upgrade_request/<uuid:key>/finish/", finish),
    path("upgrade_request/<uuid:key>/cancel/", cancel),
]
