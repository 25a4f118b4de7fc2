"""From what a view raises to a response."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from rostra.management.api.errors import Refused, respond
from rostra.management.patience import NO_ANSWER, unanswered

logger = structlog.get_logger("rostra.management.api")

View = Callable[..., HttpResponse]


def answer(view: View) -> View:
    """Turn what a view raises into a response; nothing escapes."""

    @csrf_exempt  # sessions are checked by `access.check`; Basic needs no token
    @functools.wraps(view)
    def handle(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            return view(request, **arguments)
        except Refused as refusal:
            return respond(refusal.body, refusal.status, **refusal.headers)
        except NO_ANSWER as problem:
            return unanswered(request, problem)
        except Exception as problem:
            logger.exception("A request failed", path=request.path, method=request.method)
            return respond({"error_message": type(problem).__name__}, 500)

    return handle
