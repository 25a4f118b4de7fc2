"""The JSON envelope of every answer, and the way a handler says no (API-007, API-008)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


class ApiProblem(Exception):
    """A request is answered with an error: HTTP `status` and `result`, a reason string or a challenge object.

    A string makes the envelope say `failed`; an object is a challenge and says `success` (API-008).
    """

    def __init__(self, status: int, result: Any) -> None:
        super().__init__(str(result))
        self.status = status
        self.result = result


INVALID_TOKEN = "Invalid token"  # noqa: S105 - a reason string of API-017, no secret
INVALID_ROLE = "Invalid role"
INVALID_PIN = "Invalid PIN"
PIN_RETRIES = "Participant exceeded PIN entry retries"
NOT_FOUND = "404 Not Found"
NO_SUCH_CONFERENCE = "Neither conference nor gateway found"
DISABLED = "Disabled"
UNAUTHORIZED = "Unauthorized"
SHUT_OUT = "Too many failed attempts from your network; try again later"
NO_CALL = "Call not found"
UNUSABLE_BODY = "Request body not usable"
METHOD_NOT_ALLOWED = "Method not allowed"
TOKEN_EXPIRED = "Timer expired awaiting token refresh"  # noqa: S105 - likewise


def json_response(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with exactly `application/json`, without a charset (API-007)."""
    response = Response(_encoder.encode(content), status, dict(headers or {}))
    response.headers["content-type"] = "application/json"
    return response


def success(result: Any) -> Response:
    """200: the request was processed, whatever `result` says."""
    return json_response(200, {"status": "success", "result": result})


def failure(status: int, result: Any) -> Response:
    """An error; challenge objects keep `success`, strings say `failed`."""
    return json_response(status, {"status": "failed" if isinstance(result, str) else "success", "result": result})
