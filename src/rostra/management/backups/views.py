"""Downloads of backups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from rostra.configuration.resources import register
from rostra.management.api import access
from rostra.management.api.answering import answer
from rostra.management.api.endpoint import Endpoint
from rostra.management.api.errors import Refused
from rostra.management.backups import keeping
from rostra.management.backups.commands import PERMISSION
from rostra.management.backups.models import SystemBackup

_PIECE = 256 * 1024


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
    pieces = _apart(file) if isinstance(request, ASGIRequest) else _pieces(file)
    return StreamingHttpResponse(
        pieces,
        content_type="application/pgp-encrypted",
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Content-Length": str(file.stat().st_size),
            "Cache-Control": "no-store",
        },
    )


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece


async def _apart(file: Path) -> AsyncGenerator[bytes]:
    """Read in a thread, so that others are served meanwhile."""
    with file.open("rb") as content:
        while piece := await asyncio.to_thread(content.read, _PIECE):
            yield piece
