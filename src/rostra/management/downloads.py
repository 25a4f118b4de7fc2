"""Files that are sent piece by piece, so that others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

_PIECE = 256 * 1024


def send(request: HttpRequest, file: Path, content_type: str) -> HttpResponseBase:
    """The file, for saving under its own name; nobody on the way keeps it."""
    pieces = _apart(file) if isinstance(request, ASGIRequest) else _pieces(file)
    return StreamingHttpResponse(
        pieces,
        content_type=content_type,
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
    """Read in a thread."""
    with file.open("rb") as content:
        while piece := await asyncio.to_thread(content.read, _PIECE):
            yield piece
