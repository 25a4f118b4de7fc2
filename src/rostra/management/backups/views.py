"""Downloads of backups."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from rostra.configuration.resources import register
from rostra.management import downloads
from rostra.management.api import access
from rostra.management.api.answering import answer
from rostra.management.api.endpoint import Endpoint
from rostra.management.api.errors import Refused
from rostra.management.backups import keeping
from rostra.management.backups.commands import PERMISSION
from rostra.management.backups.models import SystemBackup


@answer
def detail(request: HttpRequest, key: str) -> HttpResponse:
    """A backup at its address: reading it gives the file itself (sheet 10, 4)."""
    resource = register.of(SystemBackup)
    access.check(request, resource)
    if request.method not in ("GET", "HEAD"):
        return Endpoint(resource).detail(request, key)
    if not request.user.has_perm(PERMISSION):  # type: ignore[union-attr] - `check` found somebody
        raise Refused(403, {"error": "This account may not do that."})
    file = keeping.path(key)
    if file is None:
        raise Refused(404)
    return download(request, file)  # type: ignore[return-value] - streamed


def download(request: HttpRequest, file: Path) -> HttpResponseBase:
    """The file, piece by piece."""
    return downloads.send(request, file, "application/pgp-encrypted")
