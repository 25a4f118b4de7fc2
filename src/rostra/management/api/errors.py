"""What goes wrong with a request, and how it is said on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse


class Refused(Exception):
    """The request cannot be carried out; `status` and `body` go to the client."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def bad_request(message: str) -> Refused:
    """400 for everything that is not the value of a field."""
    return Refused(400, {"error": message})


def invalid(resource: str, problem: ValidationError) -> Refused:
    """400 with the messages of each field; those of the whole object under `__all__`."""
    return Refused(400, {resource: messages(problem)})


def messages(problem: ValidationError) -> dict[str, list[str]]:
    """The messages of a ValidationError by field."""
    if hasattr(problem, "error_dict"):
        return {name: list(texts) for name, texts in problem.message_dict.items()}
    return {NON_FIELD_ERRORS: list(problem.messages)}


def respond(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    """A response: JSON, or nothing for None."""
    content = b"" if body is None else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(content, status=status, content_type="application/json", headers=named)
