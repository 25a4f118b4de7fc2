"""Answers for web apps of other origins (API-012). No cookies are used, so any origin may ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type, token, pin, authorization, x-pexip-authorization, last-event-id",
    "access-control-max-age": "3600",
}


def preflight() -> Response:
    """Answer to OPTIONS, on every path."""
    return Response(status_code=204, headers=_PREFLIGHT)


def permit(request: Request, response: Response) -> None:
    """Let the page that asks read the answer; beacons with JSON are credentialed, so `*` would not do."""
    response.raw_headers.append((b"vary", b"Origin"))
    origin = request.headers.get("origin")
    if origin:
        response.raw_headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        response.raw_headers.append((b"access-control-allow-credentials", b"true"))
