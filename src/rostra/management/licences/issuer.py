"""Asking an issuer over the network (SYS-201): the request goes out by HTTPS POST, his answer comes back."""

from __future__ import annotations

import httpx
from django.conf import settings

PATIENCE = 10.0
"""Seconds he has."""
_LARGEST = 1_000_000
"""Bytes of an answer."""


class NoAnswer(Exception):
    """There is nobody to ask, or he does not answer; the text says why."""


def ask(request: str) -> str:
    """His answer, in XML, not judged yet. Raises NoAnswer."""
    server: str = settings.ROSTRA.licence_server
    if not server:
        raise NoAnswer("No licensing server is configured.")
    try:
        with httpx.Client(timeout=PATIENCE) as client:
            response = client.post(server, content=request.encode(), headers={"Content-Type": "application/xml"})
            response.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise NoAnswer(f"The licensing server does not answer: {problem}") from None
    if len(response.content) > _LARGEST:
        raise NoAnswer("The licensing server's answer is too long.")
    return response.text
