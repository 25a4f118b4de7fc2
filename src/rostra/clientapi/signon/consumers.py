"""Where providers send users back to: `/api/v1/samlconsumer/<uuid>` and `/api/v1/oidcconsumer/<uuid>`."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from rostra.clientapi.signon import pages
from rostra.clientapi.signon.desk import SignOnDesk

MOST = 1024 * 1024
"""Bytes of a form."""
MOST_FIELDS = 50
PATIENCE = 10.0
"""Seconds in which a form has to come."""


def routes(desk: SignOnDesk) -> list[Route]:
    """The addresses, for the node's application."""

    async def consume(request: Request) -> Response:
        told = request.query_params if request.method == "GET" else await _form(request)
        if told is None:
            return pages.refused(None)
        return await desk.take_back(request, request.path_params["uuid"], told)

    return [
        Route("/api/v1/samlconsumer/{uuid}", consume, methods=["POST"]),
        Route("/api/v1/oidcconsumer/{uuid}", consume, methods=["GET", "POST"]),
    ]


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None when it is too large, or none."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST:
                    return None
        return dict(parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=MOST_FIELDS))
    except (ValueError, ClientDisconnect, TimeoutError):
        return None
