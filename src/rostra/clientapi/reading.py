"""Reading request bodies that may be anything."""

from __future__ import annotations

import msgspec
import structlog
from starlette.requests import Request

from rostra.clientapi import counters
from rostra.clientapi.bodies import Body
from rostra.clientapi.endpoints import Endpoint
from rostra.clientapi.envelope import UNUSABLE_BODY, ApiProblem
from rostra.clientapi.network import caller_address

logger = structlog.get_logger("rostra.clientapi")

MAX_BODY = 256 * 1024
"""Bytes of the largest body we look at; SDP offers stay far below."""
MAX_DRAINED = 16 * 1024 * 1024
"""Bytes we still take in from a larger body, so that its sender gets to read our answer."""


async def read_body(request: Request, endpoint: Endpoint) -> Body | None:
    """The body as the endpoint's row declares it; None when it declares none.

    Raises ApiProblem (400, or what the endpoint has for it) when it cannot be read. An empty body is an empty
    object (API-006).
    """
    raw = await _raw(request)
    kind = endpoint.body or Body
    try:
        if raw is None:
            raise ValueError("too large")
        return msgspec.json.decode(raw, type=kind) if raw.strip() not in (b"", b"null") else msgspec.convert({}, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        if endpoint.lenient:
            return None
        reason = "too deeply nested" if isinstance(problem, RecursionError) else str(problem)
        counters.MALFORMED.labels("body").inc()
        logger.info(UNUSABLE_BODY, endpoint=endpoint.path, reason=reason, remote_address=caller_address(request))
        raise ApiProblem(400, f"{UNUSABLE_BODY}: {reason}") from None


async def _raw(request: Request) -> bytes | None:
    """The bytes, or None when there are too many."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        elif size > MAX_DRAINED:
            break
    return b"".join(chunks) if size <= MAX_BODY else None
